/** The trial balance of a ledger through a time, kept up with the log event by event. */
import type { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import { Direction } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type * as log from '../../../gen/quittance/event/v1/event_pb.js';
import { effectiveTimeOf } from '../../../lib/log/effective-time.js';
import type { AtCheckpoint, TotalRow } from '../../../lib/log/state/rows.js';
import { inOrder, type PeriodTotal, type TrialBalance } from '../domain/trial-balance.js';
import { nameOf, TYPES } from './decode.js';

interface Sums {
  readonly currency: string;
  readonly type: AccountType;
  debits: bigint;
  credits: bigint;
}

export class TrackedBalance {
  readonly ledgerId: string;
  /** Entries dated at or before it count, UTC microseconds. */
  readonly through: bigint;
  readonly #sums = new Map<string, Sums>();
  #position: bigint;

  /** Begins with what all entries come to at a checkpoint: those that are dated later are to be left out. */
  constructor(ledgerId: string, through: bigint, { checkpoint, rows }: AtCheckpoint<TotalRow>) {
    this.ledgerId = ledgerId;
    this.through = through;
    this.#position = checkpoint;
    for (const { currency, type, debits, credits } of rows) {
      const sums = this.#sumsOf(currency, type);
      sums.debits = debits;
      sums.credits = credits;
    }
  }

  /** Every event up to here is in it. */
  get position(): bigint {
    return this.#position;
  }

  /** Takes out of what was begun with an event that is in it and is dated later. */
  leaveOut(event: log.Event): void {
    this.#count(event, -1n, (effectiveTime) => effectiveTime > this.through);
  }

  /** Takes in the event, unless it is in it. */
  add(event: log.Event): void {
    if (event.position <= this.#position) return;
    this.#position = event.position;
    if (event.ledgerId !== this.ledgerId) return;
    this.#count(event, 1n, (effectiveTime) => effectiveTime <= this.through);
  }

  /** Every event of the ledger up to here was taken in. */
  reached(position: bigint): void {
    if (position > this.#position) this.#position = position;
  }

  balance(): TrialBalance {
    const totals = [...this.#sums.values()].map(({ currency, type, debits, credits }): PeriodTotal => {
      return { currency, type: nameOf(TYPES, type), debits, credits };
    });
    return inOrder(totals);
  }

  #count(event: log.Event, sign: bigint, isMeant: (effectiveTime: bigint) => boolean): void {
    const { payload } = event;
    if (payload.case !== 'transactionPosted' || !isMeant(effectiveTimeOf(event))) return;
    const { accounts, entries } = payload.value;
    for (const { account, direction, amount } of entries) {
      const state = accounts[account];
      if (state === undefined) throw new Error('an entry names an account that its event carries');
      const sums = this.#sumsOf(state.currency, state.type);
      if (direction === Direction.DEBIT) sums.debits += sign * amount;
      else sums.credits += sign * amount;
    }
  }

  #sumsOf(currency: string, type: AccountType): Sums {
    const key = `${currency} ${String(type)}`;
    let sums = this.#sums.get(key);
    if (sums === undefined) {
      sums = { currency, type, debits: 0n, credits: 0n };
      this.#sums.set(key, sums);
    }
    return sums;
  }
}
