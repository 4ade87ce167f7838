/** Counts what came of the movements, and compares the balances that the file prints with the ledger's. */
import { moneyText } from './fields.js';
import type { Movement } from './movement.js';

/** A movement whose balance is not the printed one, or that was not booked. */
export interface Mismatch {
  readonly movement: Movement;
  /** A sentence. */
  readonly problem: string;
}

/** The counts. */
export interface TallyCounts {
  /** Booked by this run. */
  readonly booked: number;
  /** Booked by an earlier run. */
  readonly replayed: number;
  /** Movements after or before which a balance is printed, and that were booked. */
  readonly compared: number;
  readonly matches: number;
  /** Movements that were declined or refused. */
  readonly refused: number;
  /** The first ones. */
  readonly mismatches: readonly Mismatch[];
  readonly mismatchCount: number;
}

const MAX_KEPT = 100;

/** Takes what came of each movement. */
export class Tally {
  readonly #mismatches: Mismatch[] = [];
  #mismatchCount = 0;
  #booked = 0;
  #replayed = 0;
  #refused = 0;
  #compared = 0;
  #matches = 0;

  /** @param posted the account's balance right after the movement, in minor units. */
  posted(movement: Movement, posted: bigint | undefined, replayed: boolean): void {
    if (replayed) this.#replayed += 1;
    else this.#booked += 1;
    this.#compare(movement, posted);
  }

  /** @param problem why the movement is not booked as the file has it. */
  refused(movement: Movement, problem: string): void {
    this.#refused += 1;
    this.#mismatch(movement, problem);
  }

  counts(): TallyCounts {
    return {
      booked: this.#booked,
      replayed: this.#replayed,
      compared: this.#compared,
      matches: this.#matches,
      refused: this.#refused,
      mismatches: this.#mismatches,
      mismatchCount: this.#mismatchCount,
    };
  }

  #compare(movement: Movement, posted: bigint | undefined): void {
    const { amount, balanceAfter, balanceBefore, currency } = movement;
    if (balanceAfter === undefined && balanceBefore === undefined) return;
    this.#compared += 1;
    const before = posted === undefined ? undefined : posted - amount;
    const money = (units: bigint | undefined): string =>
      units === undefined ? 'nothing' : moneyText(units, currency);
    if (balanceAfter !== undefined && balanceAfter !== posted)
      this.#mismatch(movement, `printed ${money(balanceAfter)}, posted ${money(posted)}`);
    else if (balanceBefore !== undefined && balanceBefore !== before)
      this.#mismatch(movement, `printed ${money(balanceBefore)} before it, the ledger had ${money(before)}`);
    else this.#matches += 1;
  }

  #mismatch(movement: Movement, problem: string): void {
    this.#mismatchCount += 1;
    if (this.#mismatches.length < MAX_KEPT) this.#mismatches.push({ movement, problem });
  }
}
