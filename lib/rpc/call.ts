/** What a method knows of the call that runs it, whichever door it came through. */

import type { Message } from '@bufbuild/protobuf';
import type { SpanPoint } from '../observe/tracing.js';
import type { CallError } from './errors.js';
import type { Caller } from './guard.js';

/** The context of one call. A method reads it and passes it on; only a door makes one. */
export interface Call {
  /**
   * When the caller wants the answer, in milliseconds since 1970, or the server's own limit if that is earlier. Undefined
   * if the caller set no deadline: a unary call is then aborted at the server's limit, a stream may stay open.
   */
  readonly deadline_ms: number | undefined;
  /** Aborts at the deadline, at the server's own limit, and when the caller leaves. Its reason is a CallError. */
  readonly signal: AbortSignal;
  /** The reason of the abort, undefined as long as there was none. Cheaper than the signal. */
  readonly aborted: CallError | undefined;
  /** Calls back at the abort, at once if it has happened. Cheaper than the signal. Returns how to stop that. */
  onAbort(listener: (reason: CallError) => void): () => void;
  /** Who calls; `anonymous` as long as no authentication is configured. */
  readonly actor: string;
  /** What the caller may do; absent as long as no authentication is configured: everything. */
  readonly caller?: Caller | undefined;
  /** The W3C trace id: 32 lower-case hexadecimal characters, the caller's or a new one. */
  readonly traceId: string;
  /** The span of the call; absent where traces are off, or this one is not recorded. */
  readonly span?: SpanPoint | undefined;
  /** The full name of the method, as in `quittance.query.v1.AccountQueryService/GetBalance`. */
  readonly method: string;
  /**
   * Whether the door can send this answer: in the encoding of the caller it is at most as large as a message may be. The
   * answer is a message of the method's response type. A command whose answer may be too large asks before it answers.
   */
  fits(answer: Message): boolean;
}
