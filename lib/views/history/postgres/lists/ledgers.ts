/** Ledgers of a partition, in order of creation. */
import type { LedgerListing } from '../../view.js';
import { Filter, type Statement } from './filter.js';

export function listLedgers(schema: string, listing: LedgerListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  filter.add(`l.partition = ${partition}`);
  filter.through('l.position', listing.through);
  filter.after('l.position', listing.after);
  filter.prefix('l.ledger_id', listing.idPrefix);
  const rows = `
  select l.position, l.document from ${schema}.ledgers l
  ${filter.where}
  order by l.position limit ${filter.param(listing.limit)}`;
  return filter.page(schema, partition, rows, 'd.position');
}
