/**
 * How far ahead of the answers an account's movements may be sent. They are decided in the order in which they are sent: what
 * is sent behind a movement that turns out to be declined is booked all the same. So a movement waits where that may be.
 */
import type { Outcome } from './answers.js';

/** What is known of an account before its movements are sent. */
export interface QueueStart {
  /** What it can pay, in minor units; undefined: without limit. */
  readonly available: bigint | undefined;
  /** Whether the first movement may be declined, whatever the account can pay. */
  readonly isDoubtful: boolean;
}

/** One account while its movements are sent. */
export class AccountQueue {
  #inFlight = 0;
  /** The sum of the withdrawals in flight, in minor units. */
  #outgoing = 0n;
  /** What the account could pay at the last answer; undefined: without limit. */
  #available: bigint | undefined;
  #isDoubtful: boolean;

  constructor({ available, isDoubtful }: QueueStart) {
    this.#available = available;
    this.#isDoubtful = isDoubtful;
  }

  /** Whether a movement of this amount (below zero: out of the account) may be sent now. */
  mayGo(amount: bigint): boolean {
    if (this.#inFlight === 0) return true;
    if (this.#isDoubtful) return false;
    return amount > 0n || this.#available === undefined || this.#available - this.#outgoing + amount >= 0n;
  }

  sent(amount: bigint): void {
    this.#inFlight += 1;
    if (amount < 0n) this.#outgoing -= amount;
  }

  answered(amount: bigint, outcome: Outcome): void {
    this.#inFlight -= 1;
    if (amount < 0n) this.#outgoing += amount;
    this.#isDoubtful = outcome.kind !== 'posted' || outcome.replayed;
    if (outcome.kind === 'posted' && !outcome.replayed) this.#available = outcome.available;
  }
}
