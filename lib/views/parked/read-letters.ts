/** Reads the dead letters of a store that has no snapshots. */
import type { Checkpoint, DeadLetters } from '../view.js';
import type { DeadLetter } from './dead-letter.js';
import { parkedAt } from './parked.js';

/** How often they may change while they are read. */
const MOST_READS = 20;

/** The letters in order of position, as of a checkpoint that was the same before and after they were read. */
export async function readLetters(
  checkpoint: () => Promise<Checkpoint>,
  letters: () => Promise<readonly DeadLetter[]>,
): Promise<DeadLetters> {
  let parked = parkedAt(await checkpoint());
  for (let reads = 0; reads < MOST_READS; reads += 1) {
    const found = await letters();
    const now = parkedAt(await checkpoint());
    if (now.version === parked.version)
      return { parked, letters: [...found].sort((one, other) => (one.position < other.position ? -1 : 1)) };
    parked = now;
  }
  throw new Error('the dead letters of a partition change all the time');
}
