/**
 * The periods of a ledger: that nothing was posted that was dated in a closed one, and that each close states what the entries
 * come to. The sums are kept from one end of a period to the next, so that each entry is counted once, however often the ledger
 * was closed. On purpose nothing of the write side is used here.
 */
import { hash as digestOf } from 'node:crypto';
import { Direction, TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Event, PeriodClosed, PeriodReopened } from '../../../gen/quittance/event/v1/event_pb.js';
import { hexOf } from '../../../lib/base/bytes.js';
import { microsOf } from '../../../lib/base/time.js';
import type { TransactionFacts } from './facts.js';
import { requestOf, UnreadableEventError } from './made-by.js';
import type { Complain } from './transaction-fold.js';

/** Rows that an event states at most. */
const STATED_ROWS = 1_000;

interface Sums {
  readonly currency: string;
  /** The number of the type of account. */
  readonly type: number;
  debits: bigint;
  credits: bigint;
}

export class PeriodFold {
  /** The ends of all periods that are closed sooner or later, ascending. UTC microseconds. */
  readonly #ends: readonly bigint[];
  /** What the entries come to that are dated up to each end and after the end before it. */
  readonly #sums: readonly Map<string, Sums>[];
  #closedThrough: bigint | null = null;

  constructor(ends: Iterable<bigint>) {
    this.#ends = [...new Set(ends)].sort((a, b) => (a < b ? -1 : 1));
    this.#sums = this.#ends.map(() => new Map<string, Sums>());
  }

  /** Takes in a transaction that was made. */
  made({ status, effectiveTime, entries }: TransactionFacts, complain: Complain): void {
    if (status !== TransactionStatus.POSTED) return;
    if (this.#closedThrough !== null && effectiveTime <= this.#closedThrough) {
      complain('effective_time', `after ${this.#closedThrough}, which is closed`, String(effectiveTime));
    }
    const index = this.#ends.findIndex((end) => effectiveTime <= end);
    const sums = this.#sums[index];
    if (sums === undefined) return;
    for (const { currency, type, direction, amount } of entries) {
      const key = `${currency} ${String(type)}`;
      const sum = sums.get(key) ?? { currency, type, debits: 0n, credits: 0n };
      if (direction === Direction.DEBIT) sum.debits += amount;
      else sum.credits += amount;
      sums.set(key, sum);
    }
  }

  /** Takes in any event of the ledger. @throws UnreadableEventError */
  apply(event: Event, complain: Complain): void {
    const { payload } = event;
    if (payload.case === 'periodClosed') this.#closed(event, payload.value, complain);
    else if (payload.case === 'periodReopened') this.#reopened(event, payload.value, complain);
  }

  #closed(event: Event, closed: PeriodClosed, complain: Complain): void {
    const command = requestOf(event);
    if (command.case !== 'closePeriod') throw new UnreadableEventError('a period closed by another command');
    const { closedThrough, description } = command.value;
    const asked = closedThrough === undefined ? 'nothing' : String(microsOf(closedThrough));
    const { closedThroughMicros: through } = closed;
    same('closed_through', asked, String(through), complain);
    same('description', description, closed.description, complain);
    const before = this.#closedThrough;
    if ((before !== null && through <= before) || through > event.recordedTimeMicros) {
      const expected = `after ${before ?? 'nothing'}, up to ${event.recordedTimeMicros}`;
      complain('closed_through', expected, String(through));
    }
    this.#closedThrough = through;
    this.#checkTotals(closed, complain);
  }

  #checkTotals(closed: PeriodClosed, complain: Complain): void {
    const lines = this.#linesThrough(closed.closedThroughMicros);
    const stated = closed.totals.map(({ currency, accountType, debits, credits }) =>
      lineOf(currency, accountType, debits, credits),
    );
    const expected = lines.slice(0, STATED_ROWS);
    for (let row = 0; row < Math.max(expected.length, stated.length); row += 1) {
      same('trial balance', expected[row] ?? 'no row', stated[row] ?? 'no row', complain);
    }
    same('total_count', String(lines.length), String(closed.totalCount), complain);
    const digest = digestOf('sha256', lines.map((line) => `${line}\n`).join(''), 'hex');
    same('totals_hash', digest, hexOf(closed.totalsHash), complain);
  }

  /** The rows of the trial balance through an end, as text, in order. */
  #linesThrough(through: bigint): string[] {
    const all = new Map<string, Sums>();
    for (const [index, end] of this.#ends.entries()) {
      if (end > through) break;
      for (const [key, { currency, type, debits, credits }] of this.#sums[index] ?? []) {
        const sum = all.get(key) ?? { currency, type, debits: 0n, credits: 0n };
        sum.debits += debits;
        sum.credits += credits;
        all.set(key, sum);
      }
    }
    return [...all.values()]
      .sort((a, b) => (a.currency === b.currency ? a.type - b.type : a.currency < b.currency ? -1 : 1))
      .map(({ currency, type, debits, credits }) => lineOf(currency, type, debits, credits));
  }

  #reopened(event: Event, reopened: PeriodReopened, complain: Complain): void {
    const command = requestOf(event);
    if (command.case !== 'reopenPeriod')
      throw new UnreadableEventError('a period reopened by another command');
    const { keepClosedThrough, reason } = command.value;
    const asked = keepClosedThrough === undefined ? 'nothing' : String(microsOf(keepClosedThrough));
    const after = reopened.closedThroughMicros ?? null;
    same('closed_through', asked, String(after ?? 'nothing'), complain);
    same('reason', reason, reopened.reason, complain);
    const before = this.#closedThrough;
    if (before === null || (after !== null && after >= before)) {
      complain('closed_through', `before ${before ?? 'what is closed, which is nothing'}`, String(after));
    }
    this.#closedThrough = after;
  }
}

function lineOf(currency: string, type: number, debits: bigint | string, credits: bigint | string): string {
  return `${currency} ${String(type)} ${String(debits)} ${String(credits)}`;
}

function same(entity: string, expected: string, actual: string, complain: Complain): void {
  if (expected !== actual) complain(entity, expected, actual);
}
