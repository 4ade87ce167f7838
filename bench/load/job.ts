/** The job of the load process, and its result. */
import type { RequestKind } from './requests.js';

/** A load on one method. */
export interface LoadJob {
  readonly host: string;
  readonly port: number;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly kind: RequestKind;
  /** Commands in a batch; 1 elsewhere. */
  readonly size: number;
  /** Calls, or on a stream commands, that wait for their answer at any time. */
  readonly inFlight: number;
  readonly accounts: number;
  readonly hot: boolean;
  readonly warmUp_ms: number;
  readonly measure_ms: number;
}

/** What came of it. */
export interface LoadResult {
  /** Answered calls (on a stream: commands) per second while it was measured. */
  readonly perSecond: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** Calls that ended without an answer. */
  readonly failed: number;
  /** CPU of the load process, microseconds per call. */
  readonly clientCpu_us: number;
  /** An answer of the run, base64. */
  readonly sample: string;
}
