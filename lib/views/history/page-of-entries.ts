/** A page of the entries of a whole ledger, read from the transactions that have them. */
import { Direction } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { EntryListing, EntryRow } from './view.js';

/** How many transactions hold a page: each has an entry of either direction, and the page before may have ended in one. */
export function transactionsOfPage({ limit }: EntryListing): number {
  return limit + 1;
}

/** The entries of a page, out of all those of the transactions that hold it. */
export function pageOfEntries(posted: readonly EntryRow[][], listing: EntryListing): EntryRow[] {
  const { after, descending, direction, limit } = listing;
  const isBeyond = ({ position, entry }: EntryRow): boolean => {
    if (after === null || position !== after.position) return true;
    return descending ? entry.index < after.index : entry.index > after.index;
  };
  return posted
    .flatMap((entries) => (descending ? entries.reverse() : entries))
    .filter(
      (row) => isBeyond(row) && (direction === Direction.UNSPECIFIED || row.entry.direction === direction),
    )
    .slice(0, limit);
}
