/** Waits for views, and checks that checkpoints stand on events of this log. */
import { hash as digestOf } from 'node:crypto';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { VerifySubject } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import { type CallError, fail } from '../../../lib/rpc/errors.js';
import { wholeUpTo } from '../../../lib/views/parked/parked.js';
import { ViewAbsent } from '../../../lib/base/view-absent.js';
import type { View } from '../../../lib/views/view.js';
import { pause } from '../../../lib/base/pause.js';
import type { FindingSink } from './findings.js';
import type { StoredLog } from '../ports.js';
import { hexOf } from '../../../lib/base/bytes.js';

const POLL_MS = 10;

/**
 * Resolves when the view holds every event of the partition up to an end of the log; gives the generation that does. A view of a
 * history that the log has lost holds none of a later epoch: the generation that takes its place is waited for, and so is the one
 * that takes the place of a view that its store has lost.
 * @throws CallError READ_MODEL_BEHIND at the due time (milliseconds since 1970), NOT_SERVING if there is no view by then, or the
 * signal's reason.
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
    const found = await standOf(serving, partition);
    if ('view' in found && found.position >= position && found.epoch >= epoch) return found.view;
    if (Date.now() >= due_ms) {
      throw 'view' in found ? behind(found.view, found.position, position) : found.absent;
    }
    await pause(POLL_MS, signal);
  }
}

type Stand =
  ({ readonly view: View } & Pick<LogPoint, 'epoch' | 'position'>) | { readonly absent: ViewAbsent };

/** Up to where the generation that serves has the partition; or that there is none, since its store lost it or it was replaced now. */
async function standOf(serving: () => Promise<View>, partition: number): Promise<Stand> {
  try {
    const view = await serving();
    const { epoch, position } = await view.checkpoint(partition);
    return { view, epoch, position };
  } catch (error) {
    if (error instanceof ViewAbsent) return { absent: error };
    throw error;
  }
}

function behind({ id }: View, position: bigint, required: bigint): CallError {
  return fail(ErrorReason.READ_MODEL_BEHIND, `the ${id} view has not reached the log's end`, {
    metadata: { view: id, position: String(position), required: String(required) },
  });
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
