/**
 * How far ahead of the answers an account's movements may be sent. They are decided in the order in which they are sent: what
 * is sent behind a movement that turns out to be declined is booked all the same. So a movement waits where that may be.
 */
import type { Outcome } from './answers.js';

/** What is known of an account before its movements are sent. */
export interface QueueStart {
  /** How many of its first movements are in the ledger: sent again, they change nothing. */
  readonly booked: number;
  /** What it can pay, in minor units; undefined: without limit. */
  readonly available: bigint | undefined;
  /** Whether the first movement that is not in the ledger may be declined, whatever the account can pay. */
  readonly isDoubtful: boolean;
}

/** A movement that is in flight. */
export interface Ticket {
  readonly amount: bigint;
  /** Whether it was known to be in the ledger. */
  readonly isKnown: boolean;
}

/** One account while its movements are sent. */
export class AccountQueue {
  #booked: number;
  #inFlight = 0;
  /** The sum of the withdrawals in flight that are not known to be in the ledger, in minor units. */
  #outgoing = 0n;
  /** What the account could pay at the last answer; undefined: without limit. */
  #available: bigint | undefined;
  #isDoubtful: boolean;

  constructor({ booked, available, isDoubtful }: QueueStart) {
    this.#booked = booked;
    this.#available = available;
    this.#isDoubtful = isDoubtful;
  }

  /** Whether a movement of this amount (below zero: out of the account) may be sent now. */
  mayGo(amount: bigint): boolean {
    if (this.#booked > 0 || this.#inFlight === 0) return true;
    if (this.#isDoubtful) return false;
    return amount > 0n || this.#available === undefined || this.#available - this.#outgoing + amount >= 0n;
  }

  sent(amount: bigint): Ticket {
    const isKnown = this.#booked > 0;
    this.#inFlight += 1;
    if (isKnown) this.#booked -= 1;
    else if (amount < 0n) this.#outgoing -= amount;
    return { amount, isKnown };
  }

  answered({ amount, isKnown }: Ticket, outcome: Outcome): void {
    this.#inFlight -= 1;
    if (!isKnown && amount < 0n) this.#outgoing += amount;
    if (isKnown && outcome.kind !== 'declined') return;
    this.#isDoubtful = outcome.kind !== 'posted' || outcome.replayed;
    if (outcome.kind === 'posted' && !outcome.replayed) this.#available = outcome.available;
  }
}
