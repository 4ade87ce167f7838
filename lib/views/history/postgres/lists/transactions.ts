/**
 * Transactions, in order of position. Some filters have a table or an index of their own that gives the
 * positions to look at (see `sourceOf`); the others are conditions on the transactions themselves.
 */
import { TransactionKind, TransactionStatus } from '../../../../../gen/quittance/common/v1/transaction_pb.js';
import type { TransactionListing } from '../../view.js';
import { transactionColumns } from '../sql/read.sql.js';
import { type Direction, directionOf, Filter, type Statement } from './filter.js';
import { type Bounds, positionBounds } from './positions.js';

export function listTransactions(schema: string, listing: TransactionListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  const ledger = filter.param(listing.ledgerId);
  const bounds = positionBounds(schema, filter, ledger, listing);
  const list: List = { schema, filter, ledger, bounds, direction: directionOf(listing) };
  const source = sourceOf(list, listing);
  filter.add(`t.ledger_id = ${ledger}`);
  filter.add(source === '' ? bounds('t.position') : 't.position = n.position');
  if (listing.accountId !== '' && listing.paymentId !== '') filter.add(names(list, listing.accountId));
  filter.range('t.effective_time', listing.effective);
  filter.equal('t.kind', listing.kind, TransactionKind.UNSPECIFIED);
  filter.equal('t.status', listing.status, TransactionStatus.UNSPECIFIED);
  filter.equalText('t.reference', listing.reference);
  const rows = `
  select ${transactionColumns}
  from ${source} ${schema}.transactions t
  ${filter.where}
  order by ${source === '' ? 't' : 'n'}.position ${list.direction} limit ${filter.param(listing.limit)}`;
  return filter.page(schema, partition, rows, `d.position ${list.direction}`);
}

/** What the parts of one list share. */
interface List {
  readonly schema: string;
  readonly filter: Filter;
  /** The parameter of the ledger id. */
  readonly ledger: string;
  readonly bounds: Bounds;
  readonly direction: Direction;
}

/**
 * Where to take the positions from. A payment has few transactions, so its index comes before that of an
 * account. Empty: the transactions themselves are read, in order of position or by an index of theirs.
 */
function sourceOf(list: List, { accountId, paymentId, effective }: TransactionListing): string {
  if (paymentId !== '') return ofPayment(list, paymentId);
  if (accountId === '') return '';
  const account = list.filter.param(accountId);
  const range = list.filter.inRange('x.effective_time', effective);
  return range === '' ? naming(list, account) : namingInRange(list, account, range);
}

/** The transactions of a payment. Its root has no payment_id, and is found by its own id. */
function ofPayment({ schema, filter, ledger, bounds }: List, paymentId: string): string {
  const id = filter.param(paymentId);
  const roots = [TransactionKind.PAYMENT, TransactionKind.AUTHORIZATION].join(', ');
  return `(
    select x.position from ${schema}.transactions x
    where x.ledger_id = ${ledger} and x.payment_id = ${id}::uuid and ${bounds('x.position')}
    union all
    select x.position from ${schema}.transactions x
    where x.ledger_id = ${ledger} and x.transaction_id = ${id}::uuid and x.kind in (${roots})
      and ${bounds('x.position')}
  ) n,`;
}

/**
 * Transactions that name an account: those that changed it, and those that only name it. PostgreSQL reads
 * each half by its key in order of position and merges them. `offset 0` makes it plan each half by itself:
 * without it, it does not see their order, and sorts the whole account for a page. Positions of account
 * events are among them; no transaction is there.
 */
function naming({ schema, ledger, bounds, direction }: List, account: string): string {
  const half = (table: string, only: string) =>
    `(select x.position from ${schema}.${table} x
    where x.ledger_id = ${ledger} and x.account_id = ${account} and ${only} and ${bounds('x.position')}
    order by x.position ${direction} offset 0)`;
  return `(select u.position from (
    ${half('account_versions', 'true')}
    union all
    ${half('transaction_accounts', 'not x.changed')}
  ) u order by u.position ${direction} offset 0) n,`;
}

/**
 * Those of them that are dated in a range, by the covering index of entries and by that of transactions
 * without entries. In order of position a page would search a busy account to its end for a narrow range.
 */
function namingInRange({ schema, ledger, bounds }: List, account: string, range: string): string {
  const half = (table: string) =>
    `select x.position from ${schema}.${table} x
    where ${range} and x.ledger_id = ${ledger} and x.account_id = ${account} and ${bounds('x.position')}`;
  return `(${half('entries')}
    union
    ${half('transaction_accounts')}
  ) n,`;
}

/**
 * Whether a transaction names an account. Not by `exists`: PostgreSQL may hash all that the account has for
 * it.
 */
function names({ schema, filter, ledger }: List, accountId: string): string {
  const account = filter.param(accountId);
  const half = (table: string) =>
    `(select true from ${schema}.${table} x
    where x.ledger_id = ${ledger} and x.account_id = ${account} and x.position = t.position limit 1)`;
  return `coalesce(${half('account_versions')}, ${half('transaction_accounts')}, false)`;
}
