/** The call by which the page that is open got what it shows, for who wants to make it from a terminal. */
import {
  create,
  type DescMessage,
  type DescMethod,
  type JsonValue,
  type MessageInitShape,
  toJson,
} from '@bufbuild/protobuf';
import { useEffect } from 'react';
import { createStore } from './store.js';

export interface PageCall {
  readonly method: DescMethod;
  readonly json: JsonValue;
}

/** Undefined: the page is made of no call, or of too many. */
export const pageCallStore = createStore<PageCall | undefined>(undefined);

/** Names the call of a page, for as long as the page is open. */
export function usePageCall<I extends DescMessage>(
  method: DescMethod & { readonly input: I },
  request: MessageInitShape<I>,
): void {
  const json = toJson<DescMessage>(method.input, create<DescMessage>(method.input, request));
  const key = JSON.stringify(json);
  useEffect(() => {
    pageCallStore.set({ method, json });
    return () => pageCallStore.set(undefined);
    // The text stands for the message, which is another object at each rendering.
  }, [method, key]);
}
