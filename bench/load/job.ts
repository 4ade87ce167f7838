/** The job of the load process, and its result. */
import type { AccountSpread, RequestKind } from './requests.js';

/** A load on one method. */
export interface LoadJob {
  readonly host: string;
  readonly port: number;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Sent as bearer with every call. */
  readonly token?: string | undefined;
  readonly kind: RequestKind;
  /** Commands in a batch; 1 elsewhere. */
  readonly size: number;
  /**
   * Closed loop: calls, or on a stream commands, that wait for their answer at any time. Open loop: the most that may
   * wait; what is due beyond it counts as failed.
   */
  readonly inFlight: number;
  /** Calls per second, sent when they are due, whether or not others were answered. Undefined: closed loop. */
  readonly rate?: number;
  readonly accounts: number;
  readonly spread: AccountSpread;
  readonly warmUp_ms: number;
  readonly measure_ms: number;
}

/** What came of it. */
export interface LoadResult {
  /** Answered calls (on a stream: commands) per second while it was measured. */
  readonly perSecond: number;
  /** From sending, or in an open loop from when the call was due, to the end of the answer. */
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  /** Calls that ended without an answer, or that an open loop could not send. */
  readonly failed: number;
  /** Calls answered from the beginning of the measuring to the end of the load. */
  readonly answered: number;
  /** CPU of the load process, microseconds per call. */
  readonly clientCpu_us: number;
  /** An answer of the run, base64. */
  readonly sample: string;
}

/** What the load process prints, a line each. */
export type LoadLine = { readonly measuring: true } | LoadResult;
