/** Open holds in order of expiry. */
import type { Collection } from 'mongodb';
import type { OpenHoldListing } from '../view.js';
import { type HoldDocument, LAST } from './documents.js';
import { holdFilter } from './lists.js';

/**
 * The first open holds as of `at`: by the index those that no version follows, and then the few that a version
 * beyond `at` follows. A writer may give a hold its end between the two reads; the second one finds it then.
 */
export async function readOpenHolds(
  holds: Collection<HoldDocument>,
  listing: OpenHoldListing,
  at: bigint,
): Promise<HoldDocument[]> {
  const direction = listing.descending ? -1 : 1;
  const firstOf = (until: Parameters<typeof holdFilter>[2]) =>
    holds
      .find(holdFilter(listing, at, until))
      .sort({ expire: direction, position: direction })
      .limit(listing.limit)
      .toArray();
  const lasting = await firstOf(LAST);
  const followed = await firstOf({ $gt: at, $lt: LAST });
  const all = new Map([...lasting, ...followed].map((hold) => [hold._id, hold]));
  return [...all.values()].sort((one, other) => direction * compared(one, other)).slice(0, listing.limit);
}

function compared(one: HoldDocument, other: HoldDocument): number {
  if (one.expire !== other.expire) return one.expire < other.expire ? -1 : 1;
  if (one.position === other.position) return 0;
  return one.position < other.position ? -1 : 1;
}
