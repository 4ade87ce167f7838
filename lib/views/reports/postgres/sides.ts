/** Debits and credits, added up. */
import type { PackCursor } from './pack.js';

/** Up to here two numbers add up exactly. */
const MOST_EXACT = 2 ** 52;

/**
 * Of some entries. Adds numbers as long as they are exact, and bigint beyond: a bigint is an object more for
 * each entry.
 */
export class Sides {
  /** How many entries. */
  entries = 0;
  #debits = 0;
  #credits = 0;
  #wideDebits = 0n;
  #wideCredits = 0n;

  /** An entry of the record at which the cursor stands. */
  add(cursor: PackCursor, index: number): void {
    this.entries += 1;
    const amount = cursor.exactAmount(index);
    if (amount === undefined) {
      this.#addWide(cursor.amount(index));
    } else if (amount < 0) {
      this.#debits -= amount;
      if (this.#debits > MOST_EXACT) this.#carry();
    } else {
      this.#credits += amount;
      if (this.#credits > MOST_EXACT) this.#carry();
    }
  }

  get debits(): bigint {
    return this.#wideDebits + BigInt(this.#debits);
  }

  get credits(): bigint {
    return this.#wideCredits + BigInt(this.#credits);
  }

  #addWide(amount: bigint): void {
    if (amount < 0n) this.#wideDebits -= amount;
    else this.#wideCredits += amount;
  }

  #carry(): void {
    this.#wideDebits += BigInt(this.#debits);
    this.#wideCredits += BigInt(this.#credits);
    this.#debits = 0;
    this.#credits = 0;
  }
}
