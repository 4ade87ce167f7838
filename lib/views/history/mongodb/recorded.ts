/**
 * Ranges of recorded times as ranges of positions: recorded_time rises with position. By bisection, as in PostgreSQL: an index of
 * recorded_time would cost every payment, this costs a read that asks for such a range some 25 look-ups.
 */
import type { Collection } from 'mongodb';
import type { TimeRange } from '../view.js';
import type { TransactionDocument } from './documents.js';

/** Positions from `from` on, and before `to`. */
export interface PositionRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** Where the transactions of a ledger stand that were recorded in a range, up to a position. */
export async function recordedPositions(
  transactions: Collection<TransactionDocument>,
  ledger: string,
  { from, to }: TimeRange,
  through: bigint,
): Promise<PositionRange> {
  const end = through + 1n;
  const [first, last] = await Promise.all([
    from === null ? 0n : firstSince(transactions, ledger, from, end),
    to === null ? end : firstSince(transactions, ledger, to, end),
  ]);
  return { from: first, to: last };
}

/** The position of the ledger's first transaction that was recorded at or after a time; `end` if there is none before it. */
async function firstSince(
  transactions: Collection<TransactionDocument>,
  ledger: string,
  time: bigint,
  end: bigint,
): Promise<bigint> {
  let found = end;
  let low = 0n;
  let high = end;
  while (low < high) {
    const middle = (low + high) / 2n;
    const next = await transactions
      .find({ ledger, position: { $gte: middle, $lt: high } })
      .project<Pick<TransactionDocument, 'position' | 'recorded'>>({ position: 1, recorded: 1 })
      .sort({ position: 1 })
      .limit(1)
      .next();
    if (next !== null && next.recorded < time) {
      low = next.position + 1n;
      continue;
    }
    if (next !== null) found = next.position;
    high = middle;
  }
  return found;
}
