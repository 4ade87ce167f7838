/** What the process and the projector's thread send each other: plain data, small but for the flushes. */
import type { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { PackedFlush } from '../../../lib/log/packed-flush.js';
import { CallError, type ErrorDetails, toCallError } from '../../../lib/rpc/errors.js';
import type { ViewId } from '../../../lib/views/view.js';
import type { ProjectionFigures } from '../metrics.js';
import type { RetryRequest } from '../dead-letters/dead-letters.js';
import type {
  DeadLettersInfo,
  DeadLettersRequest,
  ProjectionInfo,
  ProjectionRequest,
  RetryInfo,
} from '../operations.js';

/** With what a thread begins. `P` is what its composition needs, as plain data. */
export interface ThreadStart<P> {
  readonly parts: P;
  /** Two 64-bit counters that the thread keeps: the events and the bytes of all flushes that it has received. */
  readonly received: SharedArrayBuffer;
  /** The projections that do not run until they are resumed. */
  readonly paused: readonly ViewId[];
}

/** What a thread can be asked, and what it answers. */
export interface Questions {
  readonly list: { readonly asked: undefined; readonly answer: readonly ProjectionInfo[] };
  readonly run: { readonly asked: ProjectionRequest; readonly answer: ProjectionInfo };
  readonly deadLetters: { readonly asked: DeadLettersRequest; readonly answer: DeadLettersInfo };
  readonly retry: { readonly asked: RetryRequest; readonly answer: RetryInfo };
  readonly figures: { readonly asked: undefined; readonly answer: readonly ProjectionFigures[] };
}

/** A question of one of these names. */
export type Question<K extends keyof Questions = keyof Questions> = {
  [P in K]: { readonly name: P; readonly asked: Questions[P]['asked'] };
}[K];

export type ToThread<P> =
  /** The log is there: the projections may begin. */
  | { readonly kind: 'start'; readonly start: ThreadStart<P> }
  | { readonly kind: 'flush'; readonly flush: PackedFlush }
  /** The log has more than was handed over. */
  | { readonly kind: 'grown' }
  /** A new epoch of the log begins with the next flush: what was read before may be lost. */
  | { readonly kind: 'forked' }
  | { readonly kind: 'question'; readonly id: number; readonly question: Question }
  | { readonly kind: 'stop' };

export type FromThread =
  /** Each projection was opened, or failed to be and is tried again. */
  | { readonly kind: 'started' }
  | { readonly kind: 'health'; readonly service: string; readonly isServing: boolean }
  /** A line of its log, as JSON. */
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure }
  /** The projections have ended, and all that they used is closed. */
  | { readonly kind: 'stopped' };

/** A CallError as plain data. */
export interface Failure {
  readonly reason: ErrorReason;
  readonly code: CallError['code'];
  readonly message: string;
  readonly details: ErrorDetails;
  readonly retryAfter_ms: number | undefined;
  /** What went wrong underneath, for the log. */
  readonly stack: string;
}

export function failureOf(error: unknown): Failure {
  const { reason, code, message, details, retryAfter_ms, cause, stack = '' } = toCallError(error);
  const underneath = cause instanceof Error ? (cause.stack ?? cause.message) : stack;
  return { reason, code, message, details, retryAfter_ms, stack: underneath };
}

export function errorOf({ reason, code, message, details, retryAfter_ms, stack }: Failure): CallError {
  const cause = new Error('in the thread of the projector');
  cause.stack = stack;
  return new CallError(reason, code, message, details, retryAfter_ms, cause);
}
