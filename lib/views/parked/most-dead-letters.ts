/** How many dead letters a view may have: the same variable for the embedded process and for the projector. */
import { type Environment, wholeOf } from '../../base/environment.js';

export const DEAD_LETTERS_VARIABLE = 'QUITTANCE_DEAD_LETTERS_MAX';

/** What it means, for `--help`. */
export const DEAD_LETTERS_HELP =
  'how many events a partition of a view may park before its projection stops (default 1000)';

/** More are parked in no partition unless the operator says otherwise. */
export const MOST_DEAD_LETTERS = 1_000;
/** The letters of a partition are held in memory, some 1 KiB each. */
const LIMIT = 100_000;

/** 0: a projection stops at the first event that it cannot apply. @throws StartError */
export function readMostDeadLetters(env: Environment): number {
  const bounds = { least: 0, most: LIMIT, what: `a number up to ${String(LIMIT)}` };
  return wholeOf(env, DEAD_LETTERS_VARIABLE, MOST_DEAD_LETTERS, bounds);
}
