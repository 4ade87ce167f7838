/** Posted entries of an account, in order of position and index: its lines, without those that have no entry. */
import { Direction } from '../../../../../gen/quittance/common/v1/transaction_pb.js';
import type { EntryListing } from '../../view.js';
import { accountKey, ledgerKey } from '../sql/keys.sql.js';
import { entryColumns } from '../sql/read.sql.js';
import { directionOf, Filter, type Statement } from './filter.js';
import { ofOneKind } from './kinds.js';
import { positionBounds, positionOf, recordedIn } from './positions.js';

export function listAccountEntries(schema: string, listing: EntryListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  const ledgerId = filter.param(listing.ledgerId);
  const accountId = filter.param(listing.accountId);
  const ledger = ledgerKey(schema, ledgerId);
  const direction = directionOf(listing);
  const account = accountKey(schema, ledgerId, accountId);
  const conditions = lineConditions(schema, filter, { ledger, account }, listing);
  filter.add(`a.ledger_id = ${ledgerId} and a.account_id = ${accountId}`);
  filter.add(`t.ledger = ${ledger} and t.position = l.position`);
  if (listing.kinds.length > 0) filter.add(ofOneKind('(t.kind + 0)', listing.kinds));
  const order = `l.position ${direction}, l.entry ${direction}`;
  const lines = linesOf(schema, filter, ledger, listing, conditions);
  const rows = `
  select ${entryColumns}, a.account_id, a.currency
  from (${lines}) l, ${schema}.transactions t, ${schema}.accounts a
  ${filter.where}
  order by ${order} limit ${filter.param(listing.limit)}`;
  return filter.page(schema, partition, rows, `d.position ${direction}, d.entry ${direction}`);
}

/** What a line of any date must be. */
type LineConditions = (position: string) => string;

/** What the lines must be, by the column of their positions. */
function lineConditions(
  schema: string,
  filter: Filter,
  { ledger, account }: { readonly ledger: string; readonly account: string },
  listing: EntryListing,
): LineConditions {
  const { after, descending, transactionId } = listing;
  // A page may end within a transaction: the next one begins at the same position.
  const positions = { ...listing, after: after?.position ?? null };
  const bounds = positionBounds(schema, filter, ledger, positions, '=');
  const fixed = [`x.account = ${account}`, 'x.entry >= 0'];
  if (listing.direction !== Direction.UNSPECIFIED)
    fixed.push(listing.direction === Direction.DEBIT ? 'x.amount < 0' : 'x.amount > 0');
  const key = after === null ? '' : `(${filter.param(after.position)}, ${filter.param(after.index)})`;
  const only = transactionId === '' ? '' : positionOf(schema, ledger, filter.param(transactionId));
  return (position) => {
    const conditions = [...fixed, bounds(position)];
    if (key !== '') conditions.push(`(${position}, x.entry) ${descending ? '<' : '>'} ${key}`);
    if (only !== '') conditions.push(`${position} = ${only}`);
    return conditions.join(' and ');
  };
}

/**
 * The lines, in order. Of a range of dates those that are dated when they were recorded are a range of
 * positions, and the others have an index of their dates; `offset 0` makes PostgreSQL merge the two orders,
 * and `+ 0` take the index by date. All that are dated so are looked at for each page, so that their keys are
 * read from that index alone, and lines only for the page.
 */
function linesOf(
  schema: string,
  filter: Filter,
  ledger: string,
  { effective, descending }: EntryListing,
  conditions: LineConditions,
): string {
  const direction = directionOf({ descending });
  const inOrder = (columns: string, only: string) => `(select ${columns} from ${schema}.lines x
    where ${conditions('x.position')} and ${only}
    order by x.position ${direction}, x.entry ${direction} offset 0)`;
  if (effective.from === null && effective.to === null) return inOrder('x.*', 'true');
  const onTime = recordedIn(schema, filter, ledger, effective)('x.position');
  const keys = 'x.account, x.position, x.entry';
  return `select l.* from (select u.* from (
    ${inOrder(keys, `x.effective_time is null and ${onTime}`)}
    union all
    (select ${keys} from ${schema}.lines x
    where ${conditions('(x.position + 0)')} and ${filter.inRange('x.effective_time', effective)} offset 0)
  ) u order by u.position ${direction}, u.entry ${direction} offset 0) k
  cross join ${schema}.lines l
  where l.account = k.account and l.position = k.position and l.entry = k.entry
  order by k.position ${direction}, k.entry ${direction} offset 0`;
}
