/** The dead letters of a projection, over all its partitions. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { DeadLetter } from '../../../lib/views/parked/dead-letter.js';
import type { ProjectorEntry } from '../projector-entry.js';
import { chooseLetters, type DeadLetterTarget } from './choose.js';

/** All of them, in order of position. @throws the error of the view's store */
export async function deadLettersOf({
  projection,
  generations,
  bus,
}: ProjectorEntry): Promise<readonly DeadLetter[]> {
  const view = projection.view ?? (await generations.current());
  const partitions = Array.from({ length: bus.partitions }, (_, partition) => partition);
  const found = await Promise.all(partitions.map((partition) => view.deadLetters(partition)));
  return found
    .flatMap(({ letters }) => letters)
    .sort((one, other) => (one.position < other.position ? -1 : 1));
}

/** What an operator asks to be tried again, as plain data. */
export interface RetryRequest {
  readonly projectionId: string;
  readonly target: DeadLetterTarget;
  readonly expectedCount: bigint;
  readonly validateOnly: boolean;
}

/** What became of it, as plain data. */
export interface RetryResult {
  readonly matched: number;
  readonly applied: number;
  readonly firstFailed: DeadLetter | undefined;
}

/**
 * Tries letters again in order of position.
 * @throws CallError DEAD_LETTER_NOT_FOUND, DEAD_LETTER_COUNT, DEAD_LETTER_WAITS
 */
export async function retryDeadLetters(entry: ProjectorEntry, request: RetryRequest): Promise<RetryResult> {
  const { target, validateOnly } = request;
  const chosen = chooseLetters(await deadLettersOf(entry), target);
  if (chosen.length === 0 && target.kind !== 'all') throw notFound(target);
  requireCount(request, chosen.length);
  let applied = 0;
  let firstFailed: DeadLetter | undefined;
  for (const letter of validateOnly ? [] : chosen) {
    const retried = await entry.projection.retryLetter(letter);
    if (retried.outcome === 'applied') applied += 1;
    else if (retried.outcome === 'failed') firstFailed ??= retried.letter;
    else if (target.kind === 'position') throw waits(letter, retried.behind);
  }
  return { matched: chosen.length, applied, firstFailed };
}

function requireCount({ target, expectedCount, validateOnly }: RetryRequest, count: number): void {
  const isCounted = target.kind !== 'position' || expectedCount > 0n;
  if (validateOnly || !isCounted || expectedCount === BigInt(count)) return;
  throw fail(
    ErrorReason.DEAD_LETTER_COUNT,
    `${String(count)} dead letters would be retried, and not ${String(expectedCount)}`,
    {
      metadata: { count: String(count) },
      precondition: [
        {
          type: 'DEAD_LETTER_COUNT',
          subject: 'expected_count',
          description: `it would have to be ${String(count)}`,
        },
      ],
    },
  );
}

function notFound(target: Exclude<DeadLetterTarget, { kind: 'all' }>) {
  const name =
    target.kind === 'position' ? `position ${String(target.position)}` : `stream ${target.streamId}`;
  return fail(ErrorReason.DEAD_LETTER_NOT_FOUND, `there is no dead letter of ${name}`, {
    resource: { type: 'dead letter', name },
  });
}

function waits({ position }: DeadLetter, behind: bigint) {
  const description = `waits behind the dead letter at position ${String(behind)}`;
  return fail(
    ErrorReason.DEAD_LETTER_WAITS,
    `the dead letter at position ${String(position)} ${description}`,
    {
      metadata: { behind_position: String(behind) },
      precondition: [{ type: 'DEAD_LETTER_WAITS', subject: `position ${String(position)}`, description }],
    },
  );
}
