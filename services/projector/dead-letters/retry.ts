/** Tries a dead letter again: applies it and takes it from the letters in one step, so that order is restored. */
import type { Clock } from '../../../lib/base/time.js';
import { StoreUnavailable } from '../../../lib/base/store-unavailable.js';
import type { LogReader } from '../../../lib/log/reader.js';
import { assertKnown } from '../../../lib/views/known-event.js';
import type { DeadLetter } from '../../../lib/views/parked/dead-letter.js';
import type { Unparking, View } from '../../../lib/views/view.js';
import { GenerationGoneError, ParkedChangedError } from '../../../lib/views/view-errors.js';
import { refusalText } from '../apply-batch.js';
import type { ParkedMemory } from '../parked-memory.js';
import type { ProjectorLog } from '../projector-log.js';

export interface RetryDeps {
  readonly view: View;
  readonly parked: ParkedMemory;
  readonly log: Pick<LogReader, 'at'>;
  readonly clock: Clock;
  readonly logger: ProjectorLog;
}

/** What became of a letter. */
export type Retried =
  /** It is in the view, by this try or by another process. */
  | { readonly outcome: 'applied' }
  /** It waits behind another letter. */
  | { readonly outcome: 'waits'; readonly behind: bigint }
  /** It failed again, and stays. */
  | { readonly outcome: 'failed'; readonly letter: DeadLetter };

/** How often in a row another process may park or apply something meanwhile. */
const MOST_CHANGES = 20;

/** Must run while this process applies no batch. @throws the error of a store that is away */
export async function retryLetter(deps: RetryDeps, { partition, position }: DeadLetter): Promise<Retried> {
  const { view, parked, log, clock, logger } = deps;
  for (let changes = 0; ; changes += 1) {
    const streams = await parked.of(view, partition);
    const letter = streams.letter(position);
    if (letter === undefined) return { outcome: 'applied' };
    const behind = streams.blockedBy(letter);
    if (behind !== undefined) return { outcome: 'waits', behind };
    const record = await log.at(position);
    if (record === undefined) throw new Error('a dead letter is of an event that the log does not have');
    try {
      assertKnown(record);
      await write(deps, streams.apply(letter, record));
      return { outcome: 'applied' };
    } catch (error) {
      if (error instanceof ParkedChangedError && changes < MOST_CHANGES) continue;
      if (error instanceof StoreUnavailable || error instanceof GenerationGoneError) throw error;
      logger.warn(
        { projection: view.id, position: String(position), err: error },
        'a dead letter failed again',
      );
      const failure = refusalText(error);
      const tried = { ...letter, behind: undefined, tries: letter.tries + 1, failure, parkedTime: clock() };
      const again = await parked.of(view, partition);
      await write(deps, again.note(tried));
      return { outcome: 'failed', letter: tried };
    }
  }
}

/** What is parked is read again after it. */
async function write({ view, parked }: RetryDeps, unparking: Unparking): Promise<void> {
  try {
    await view.unpark(unparking);
  } finally {
    parked.forget(unparking.partition);
  }
}
