/** Authorizations whose hold is open, in order of expiry: by the index of such holds alone. */
import type { OpenHoldListing } from '../../view.js';
import { ledgerKey } from '../sql/keys.sql.js';
import { transactionColumns } from '../sql/read.sql.js';
import { directionOf, Filter, type Statement } from './filter.js';

export function listOpenHolds(schema: string, listing: OpenHoldListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  const ledger = ledgerKey(schema, filter.param(listing.ledgerId));
  const direction = directionOf(listing);
  filter.add(`h.ledger = ${ledger} and h.expire_time is not null`);
  filter.range('h.expire_time', listing.expire);
  filter.through('h.position', listing.through);
  if (listing.after !== null) {
    const key = `(${filter.param(listing.after.expireTime)}, ${filter.param(listing.after.position)})`;
    filter.add(`(h.expire_time, h.position) ${listing.descending ? '<' : '>'} ${key}`);
  }
  filter.add(`t.ledger = ${ledger} and t.position = h.position`);
  const rows = `
  select ${transactionColumns}, h.expire_time
  from ${schema}.changes h cross join ${schema}.transactions t
  ${filter.where}
  order by h.expire_time ${direction}, h.position ${direction} limit ${filter.param(listing.limit)}`;
  return filter.page(schema, partition, rows, `d.expire_time ${direction}, d.position ${direction}`);
}
