/** Calls that are tried again while the server is away or busy. */
import { status } from '@grpc/grpc-js';
import { pause } from '../../lib/base/pause.js';
import { callErrorOf, isCallError } from '../client/errors.js';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;

// google.rpc.Status carries codes as plain numbers.
const TEMPORARY: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
]);

/** Whether the same call may succeed later. */
export function isTemporary(error: unknown): boolean {
  if (!isCallError(error)) return false;
  const { code, reason } = callErrorOf(error);
  return TEMPORARY.has(code) && reason !== 'MESSAGE_TOO_LARGE';
}

/** Whether no server is at the address: it is wrong, or the server was not started. */
export function isUnreachable(error: unknown): boolean {
  return (
    isCallError(error) && /ECONNREFUSED|ENOENT|Name resolution failed|ENOTFOUND|EAI_AGAIN/.test(error.details)
  );
}

export interface Persistence {
  /** For how long to try, in all. */
  readonly patience_ms: number;
  readonly signal: AbortSignal;
  /** Before each pause: why, and how many attempts there were. */
  onRetry(error: unknown, attempts: number): void;
}

/**
 * Calls until there is an answer. Where the first attempt finds no server there is no second one; after that a server that is
 * away is waited for, since it was there. `call` gets how long an attempt may take.
 */
export async function persist<T>(
  { patience_ms, signal, onRetry }: Persistence,
  call: (left_ms: number) => Promise<T>,
): Promise<T> {
  const end_ms = performance.now() + patience_ms;
  for (let attempts = 1, pause_ms = FIRST_PAUSE_MS; ; attempts += 1, pause_ms *= 2) {
    try {
      return await call(end_ms - performance.now());
    } catch (error) {
      const isHopeless = !isTemporary(error) || (attempts === 1 && isUnreachable(error));
      if (isHopeless || signal.aborted || performance.now() + pause_ms > end_ms) throw error;
      onRetry(error, attempts);
    }
    await pause(Math.min(pause_ms, MAX_PAUSE_MS), signal);
  }
}
