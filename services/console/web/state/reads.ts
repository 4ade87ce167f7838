/** How pages read: polled only while the tab is visible and the console is live, and never older than the caller's own writes. */
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import type { ConnectError } from '@connectrpc/connect';
import { type SkipToken, useQuery } from '@connectrpc/connect-query';
import { keepPreviousData, type UseQueryResult } from '@tanstack/react-query';
import { type Consistency, ConsistencySchema } from '../../../../gen/quittance/common/v1/consistency_pb.js';
import { useRoute } from './route.js';
import { createStore, useStore } from './store.js';

/** Off: nothing is asked for again until the operator says so. */
export const liveStore = createStore(true);

export const OFTEN_MS = 2_000;
export const SELDOM_MS = 10_000;

/** The token of the last command that this tab sent, by ledger: reads wait until they show it. */
const written = createStore<ReadonlyMap<string, string>>(new Map());

export function noteWrite(ledger: string, consistencyToken: string): void {
  if (consistencyToken !== '') written.set(new Map([...written.get(), [ledger, consistencyToken]]));
}

/** What reads of the open ledger ask for. */
export function useFreshness(): Consistency {
  const { ledger } = useRoute();
  const token = useStore(written).get(ledger);
  return create(ConsistencySchema, {
    requirement:
      token === undefined
        ? { case: 'minimizeLatency', value: true }
        : { case: 'atLeastAsFresh', value: token },
  });
}

/** A unary read, asked for again every so often; `false`: once. What was there stays until the next answer. */
export function useRead<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  input: MessageInitShape<I> | SkipToken,
  every_ms: number | false = OFTEN_MS,
): UseQueryResult<MessageShape<O>, ConnectError> {
  const isLive = useStore(liveStore);
  return useQuery(method, input, {
    refetchInterval: isLive && every_ms,
    placeholderData: keepPreviousData,
  });
}

/** The position to which the operator has pinned all pages; undefined: live. */
export function usePin(): bigint | undefined {
  const at = useRoute().params.get('at') ?? '';
  return /^\d{1,18}$/.test(at) ? BigInt(at) : undefined;
}
