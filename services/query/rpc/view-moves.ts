/** How watches wait for a view to go on. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { CallError } from '../../../lib/rpc/errors.js';
import type { QueryContext } from '../context.js';
import type { ReadableView, ViewGetter } from '../serving-view.js';

/** Freshness fails this long before the deadline that it is given. */
const MARGIN_MS = 50;

/**
 * Resolves when the partition of a view is past a position, or when the wait is over. The log wakes it, so that a view is
 * asked for its checkpoint only while there is something for it to apply.
 * @throws the signal's reason.
 */
export async function viewMoved<V extends ReadableView>(
  context: QueryContext,
  getter: ViewGetter<V>,
  partition: number,
  position: bigint,
  wait_ms: number,
  signal: AbortSignal,
): Promise<void> {
  const due_ms = Date.now() + wait_ms;
  await logGrew(context, position, wait_ms, signal);
  signal.throwIfAborted();
  if (Date.now() >= due_ms) return;
  try {
    const deadline_ms = due_ms + MARGIN_MS;
    await context.freshness.reach(getter, partition, { position: position + 1n }, { deadline_ms, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CallError) || !MEANS_NOT_YET.has(error.reason)) throw error;
  }
}

/** The view is late, or the log was restored to an older end between the two waits: the watch will see. */
const MEANS_NOT_YET: ReadonlySet<ErrorReason> = new Set([
  ErrorReason.READ_MODEL_BEHIND,
  ErrorReason.POSITION_OUT_OF_RANGE,
]);

/** Resolves when the log has an event after the position, when the wait is over, or when the signal aborts. */
async function logGrew(
  context: QueryContext,
  position: bigint,
  wait_ms: number,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const enough = new AbortController();
  const stop = () => {
    enough.abort();
  };
  const timer = setTimeout(stop, wait_ms);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await context.log.changed(position, enough.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    // Whatever of the wait goes on when it failed.
    stop();
  }
}
