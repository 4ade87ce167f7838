/** Posted entries, in order of position and index. */
import { Direction, TransactionKind } from '../../../../../gen/quittance/common/v1/transaction_pb.js';
import type { EntryListing } from '../../view.js';
import { entryColumns } from '../sql/read.sql.js';
import { directionOf, Filter, type Statement } from './filter.js';
import { positionBounds, positionOf } from './positions.js';

export function listEntries(schema: string, listing: EntryListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  const ledger = filter.param(listing.ledgerId);
  const direction = directionOf(listing);
  const { accountId, effective } = listing;
  // The versions of an account have its positions in order; for a range of dates the covering index of
  // entries is better.
  const isByVersion = accountId !== '' && effective.from === null && effective.to === null;
  const position = isByVersion ? 'v.position' : 'e.position';
  filter.add(`e.ledger_id = ${ledger}`);
  filter.add(`t.ledger_id = ${ledger} and t.position = e.position`);
  if (accountId !== '') addAccount(filter, ledger, accountId, isByVersion);
  addPositions(schema, filter, ledger, listing, position);
  filter.range(accountId === '' ? 't.effective_time' : 'e.effective_time', effective);
  filter.equal('t.kind', listing.kind, TransactionKind.UNSPECIFIED);
  filter.equal('e.direction', listing.direction, Direction.UNSPECIFIED);
  if (listing.transactionId !== '')
    filter.add(`e.position = ${positionOf(schema, ledger, filter.param(listing.transactionId))}`);
  const rows = `
  select ${entryColumns(schema)}
  from ${isByVersion ? `${schema}.account_versions v,` : ''} ${schema}.entries e, ${schema}.transactions t
  ${filter.where}
  order by ${position} ${direction}, e.entry ${direction} limit ${filter.param(listing.limit)}`;
  return filter.page(schema, partition, rows, `d.position ${direction}, d.entry ${direction}`);
}

function addAccount(filter: Filter, ledger: string, accountId: string, isByVersion: boolean): void {
  const account = filter.param(accountId);
  filter.add(`e.account_id = ${account}`);
  if (isByVersion)
    filter.add(`v.ledger_id = ${ledger} and v.account_id = ${account} and e.position = v.position`);
}

function addPositions(
  schema: string,
  filter: Filter,
  ledger: string,
  listing: EntryListing,
  position: string,
): void {
  const { accountId, after, descending } = listing;
  // A page may end within a transaction: the next one begins at the same position.
  const bounds = positionBounds(schema, filter, ledger, { ...listing, after: after?.position ?? null }, '=');
  filter.add(bounds(position));
  // On both sides of the join: the planner infers equalities, but no bounds.
  if (accountId === '') filter.add(bounds('t.position'));
  if (after === null) return;
  const comparison = descending ? '<' : '>';
  const [lastPosition, lastIndex] = [filter.param(after.position), filter.param(after.index)];
  filter.add(`(${position}, e.entry) ${comparison} (${lastPosition}, ${lastIndex})`);
}
