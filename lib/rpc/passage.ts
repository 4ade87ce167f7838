/**
 * Sends calls on to another process where that one is to answer them. The chain asks it about each call of the methods that it
 * concerns; a process that answers everything itself has none, and nothing is asked.
 */
import type { Message } from '@bufbuild/protobuf';
import type { Call } from './call.js';
import type { CallLimits } from './call-limits.js';
import type { Method } from './service.js';

/** A message in its binary form, which is not decoded on the way. */
export class EncodedMessage {
  constructor(readonly bytes: Uint8Array) {}
}

/** A call that may be answered by another process. */
export interface PassedCall {
  readonly call: Call;
  /** Whether another process has sent it on to this one: then it goes no further. */
  readonly isForwarded: boolean;
  /** Whether the caller reads JSON: the answer must fit in that. */
  readonly isJson: boolean;
  /** The credentials of the caller, which the other process checks for itself; undefined if there are none. */
  readonly authorization?: string | undefined;
  /** How much callers may ask for: the process that answers counts. Undefined where there are no limits. */
  readonly limits?: CallLimits | undefined;
}

export interface Passage {
  concerns(method: Method): boolean;
  /** Answers a call: `here`, or by the process that is to answer it. */
  unary(
    passed: PassedCall,
    request: () => Uint8Array,
    here: () => Promise<Message>,
  ): Promise<Message | EncodedMessage>;
  /** The same for a call that streams both ways. */
  stream(
    passed: PassedCall,
    requests: AsyncIterable<readonly Uint8Array[]>,
    here: (requests: AsyncIterable<readonly Uint8Array[]>) => AsyncIterable<readonly Message[]>,
  ): AsyncIterable<readonly (Message | EncodedMessage)[]>;
}

/** The header of a call that another process has sent on. Its value is the encoding of the caller. */
export const FORWARDED = 'quittance-forwarded';
export const FORWARDED_JSON = 'json';
export const FORWARDED_BINARY = 'binary';
