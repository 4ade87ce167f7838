/** Waits for views, and checks that checkpoints stand on events of this log. */
import { hash as digestOf } from 'node:crypto';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { VerifySubject } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import { fail } from '../../../lib/rpc/errors.js';
import { wholeUpTo } from '../../../lib/views/parked/parked.js';
import type { View } from '../../../lib/views/view.js';
import { pause } from '../../../lib/base/pause.js';
import type { FindingSink } from './findings.js';
import type { StoredLog } from '../ports.js';
import { hexOf } from '../../../lib/base/bytes.js';

const POLL_MS = 10;

/**
 * Resolves when the view holds every event of the partition up to an end of the log; gives the generation that does. A view of a
 * history that the log has lost holds none of a later epoch: the generation that takes its place is waited for.
 * @throws CallError READ_MODEL_BEHIND at the due time (milliseconds since 1970), or the signal's reason.
 */
export async function waitForView(
  serving: () => Promise<View>,
  partition: number,
  { epoch, position }: Pick<LogPoint, 'epoch' | 'position'>,
  due_ms: number,
  signal: AbortSignal,
): Promise<View> {
  for (;;) {
    signal.throwIfAborted();
    const view = await serving();
    const checkpoint = await view.checkpoint(partition);
    if (checkpoint.position >= position && checkpoint.epoch >= epoch) return view;
    if (Date.now() >= due_ms) {
      throw fail(ErrorReason.READ_MODEL_BEHIND, `the ${view.id} view has not reached the log's end`, {
        metadata: { view: view.id, position: String(checkpoint.position), required: String(position) },
      });
    }
    await pause(POLL_MS, signal);
  }
}

/**
 * Whether a view has all of a ledger up to a position, although events may be parked in it; if not, that is a finding:
 * its rows lack what the parked events say, and are not compared.
 */
export async function isWhole(
  view: View,
  { partition, ledgerId, through }: { partition: number; ledgerId: string; through: bigint },
  subject: VerifySubject,
  findings: FindingSink,
): Promise<boolean> {
  const { position } = wholeUpTo(await view.checkpoint(partition), ledgerId);
  if (position >= through) return true;
  const { letters } = await view.deadLetters(partition);
  const own = letters.filter((letter) => letter.ledgerId === ledgerId && letter.position <= through);
  const [first] = own;
  // They were retried meanwhile.
  if (first === undefined) return isWhole(view, { partition, ledgerId, through }, subject, findings);
  findings.add({
    subject,
    position: first.position,
    entity: 'dead letters',
    expected: `every event up to position ${String(through)}`,
    actual: `${String(own.length)} dead letters, see ListDeadLetters; the view is not compared`,
  });
  return false;
}

/**
 * A checkpoint must stand on an event of this log: else the log lost events that its reader has seen, which a
 * hash chain alone does not show.
 */
export async function checkCheckpoint(
  stored: StoredLog,
  subject: VerifySubject,
  point: Pick<LogPoint, 'position' | 'hash'>,
  findings: FindingSink,
): Promise<void> {
  const { position } = point;
  if (position < 0n) return;
  const found = await stored.at(position);
  const expected =
    found === undefined ? 'no event: the log ends before' : digestOf('sha256', found.bytes, 'hex');
  const actual = hexOf(point.hash);
  if (expected !== actual) findings.add({ subject, position, entity: 'checkpoint', expected, actual });
}
