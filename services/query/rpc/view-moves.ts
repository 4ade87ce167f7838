/** How watches wait for a view to go on. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { withTimeLimit } from '../../../lib/base/pause.js';
import { CallError } from '../../../lib/rpc/errors.js';
import { READ_MARGIN_MS } from '../consistency.js';
import type { QueryContext } from '../context.js';
import type { ReadableView, ViewGetter } from '../serving-view.js';

/**
 * Resolves when a ledger of a view is past a position, or when the wait is over. The log wakes it, so
 * that a view is asked for its checkpoint only while there is something for it to apply.
 * @throws the signal's reason.
 */
export async function viewMoved<V extends ReadableView>(
  context: QueryContext,
  getter: ViewGetter<V>,
  { partition, ledgerId }: { readonly partition: number; readonly ledgerId: string },
  position: bigint,
  wait_ms: number,
  signal: AbortSignal,
): Promise<void> {
  const due_ms = Date.now() + wait_ms;
  await withTimeLimit(wait_ms, signal, (limited) => context.log.changed(position, limited));
  signal.throwIfAborted();
  if (Date.now() >= due_ms) return;
  try {
    const deadline_ms = due_ms + READ_MARGIN_MS;
    // A watch waits for what is parked too: it may be applied any time.
    const need = { ledgerId, position: position + 1n, waitsForParked: true };
    await context.freshness.reach(getter, partition, need, { deadline_ms, signal });
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
