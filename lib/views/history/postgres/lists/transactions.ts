/**
 * Transactions, in order of position. Some filters have a table or an index of their own that gives the
 * positions to look at (see `sourceOf`); the others are conditions on the transactions themselves.
 */
import { TransactionKind } from '../../../../../gen/quittance/common/v1/transaction_pb.js';
import type { EntryListing, TimeRange, TransactionListing } from '../../view.js';
import { transactionsOfPage } from '../../page-of-entries.js';
import { accountKey, ledgerKey } from '../sql/keys.sql.js';
import { lastChange, transactionColumns } from '../sql/read.sql.js';
import { type Direction, directionOf, Filter, type Statement } from './filter.js';
import { kindFilter, ofOneKind, postedKinds } from './kinds.js';
import { type Bounds, positionBounds, recordedIn } from './positions.js';

export function listTransactions(schema: string, listing: TransactionListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  const ledgerId = filter.param(listing.ledgerId);
  const ledger = ledgerKey(schema, ledgerId);
  const { kinds, status } = kindFilter(listing);
  const list: List = {
    schema,
    filter,
    ledgerId,
    ledger,
    bounds: positionBounds(schema, filter, ledger, listing),
    direction: directionOf(listing),
    limit: filter.param(listing.limit),
    kinds,
  };
  const source = sourceOf(list, listing, status);
  if (listing.accountId !== '' && listing.paymentId !== '') filter.add(names(list, listing.accountId));
  filter.range('coalesce(t.effective_time, t.recorded_time)', listing.effective);
  if (status !== undefined) filter.add(`h.status = ${filter.param(status)}`);
  filter.equalText('t.reference', listing.reference);
  return pageOf(list, partition, source, transactionColumns);
}

/**
 * The posted transactions whose entries make a page of a ledger's entries, where no account is asked for: as
 * the events that made them. Each has an entry of either direction, so that as many transactions as entries
 * are enough, and the one that the page before may have ended in.
 */
export function listPosted(schema: string, listing: EntryListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  const ledgerId = filter.param(listing.ledgerId);
  const ledger = ledgerKey(schema, ledgerId);
  const positions = { ...listing, after: listing.after?.position ?? null };
  const list: List = {
    schema,
    filter,
    ledgerId,
    ledger,
    bounds: positionBounds(schema, filter, ledger, positions, '='),
    direction: directionOf(listing),
    limit: filter.param(transactionsOfPage(listing)),
    kinds: postedKinds(listing.kinds),
  };
  const { transactionId, effective } = listing;
  if (transactionId !== '') filter.add(`t.transaction_id = ${filter.param(transactionId)}::uuid`);
  const source = transactionId === '' ? ofKinds(list, effective) : '';
  filter.range('coalesce(t.effective_time, t.recorded_time)', effective);
  return pageOf(list, partition, source, 't.position, t.event');
}

/** What the parts of one list share. */
interface List {
  readonly schema: string;
  readonly filter: Filter;
  /** The parameter of the ledger id. */
  readonly ledgerId: string;
  /** The key of the ledger. */
  readonly ledger: string;
  readonly bounds: Bounds;
  readonly direction: Direction;
  /** The parameter of the limit. */
  readonly limit: string;
  /** Values of the column; null: any. */
  readonly kinds: readonly number[] | null;
}

/**
 * The page; the positions of `source` are looked up, or without one the transactions read in order. `+ 0` keeps PostgreSQL from
 * reading all of the kinds by their index for a page of positions: without statistics it takes them for few.
 */
function pageOf(list: List, partition: string, source: string, columns: string): Statement {
  const { schema, filter, ledger, bounds, direction, kinds, limit } = list;
  filter.add(`t.ledger = ${ledger}`);
  filter.add(source === '' ? bounds('t.position') : 't.position = n.position');
  if (kinds !== null) filter.add(ofOneKind(source === '' ? 't.kind' : '(t.kind + 0)', kinds));
  const rows = `
  select ${columns}
  from ${source} ${schema}.transactions t ${lastChange(schema)}
  ${filter.where}
  order by ${source === '' ? 't' : 'n'}.position ${direction} limit ${limit}`;
  return filter.page(schema, partition, rows, `d.position ${direction}`);
}

/**
 * Where to take the positions from. A payment has few transactions, so its index comes before that of an
 * account. Empty: the transactions themselves are read, in order of position or by an index of theirs.
 */
function sourceOf(list: List, listing: TransactionListing, status: number | undefined): string {
  const { accountId, paymentId, effective, reference } = listing;
  if (paymentId !== '') return ofPayment(list, paymentId);
  if (accountId !== '') {
    const account = accountKey(list.schema, list.ledgerId, list.filter.param(accountId));
    return isOpen(effective) ? naming(list, account) : namingInRange(list, account, effective);
  }
  if (reference !== '') return '';
  if (status !== undefined) return ofStatus(list, status);
  return ofKinds(list, effective);
}

function isOpen({ from, to }: TimeRange): boolean {
  return from === null && to === null;
}

/** The transactions of a payment. Its root has no payment_id, and is found by its own id. */
function ofPayment({ schema, filter, ledger, bounds }: List, paymentId: string): string {
  const id = filter.param(paymentId);
  const roots = [TransactionKind.PAYMENT, TransactionKind.AUTHORIZATION].flatMap((kind) => [kind, -kind]);
  return `(
    select x.position from ${schema}.transactions x
    where x.ledger = ${ledger} and x.payment_id = ${id}::uuid and ${bounds('x.position')}
    union all
    select x.position from ${schema}.transactions x
    where x.ledger = ${ledger} and x.transaction_id = ${id}::uuid and ${ofOneKind('x.kind', roots)}
      and ${bounds('x.position')}
  ) n cross join`;
}

/** Authorizations by their status. */
function ofStatus({ schema, filter, ledger, bounds, direction }: List, status: number): string {
  return `(select x.position from ${schema}.changes x
    where x.ledger = ${ledger} and x.status = ${filter.param(status)} and ${bounds('x.position')}
    order by x.position ${direction} offset 0) n cross join`;
}

/**
 * Transactions by kind, by the date, or by both. What is dated when it was recorded is in order of position in
 * the index of each kind, so that a page of each has the page of all; what is dated otherwise has an index of
 * its dates. Empty: no such index is better than the order of position.
 */
function ofKinds(list: List, effective: TimeRange): string {
  const { schema, filter, ledger, bounds, direction, kinds, limit } = list;
  if (kinds?.length === 0 || (isOpen(effective) && (kinds === null || kinds.length < 2))) return '';
  const branch = (condition: string) => `
    (select x.position from ${schema}.transactions x
    where x.ledger = ${ledger} and ${bounds('x.position')} and ${condition}
    order by x.position ${direction} limit ${limit})`;
  const onTime = isOpen(effective)
    ? 'true'
    : `x.effective_time is null and ${recordedIn(schema, filter, ledger, effective)('x.position')}`;
  const branches =
    kinds === null
      ? [branch(onTime)]
      : kinds.map((kind) => branch(`${ofOneKind('x.kind', [kind])} and ${onTime}`));
  if (!isOpen(effective)) {
    const dated = filter.inRange('x.effective_time', effective);
    branches.push(branch(kinds === null ? dated : `${dated} and ${ofOneKind('x.kind', kinds)}`));
  }
  if (branches.length === 1) return `${branches.join('')} n cross join`;
  return `(select u.position from (${branches.join(' union all ')}) u
    order by u.position ${direction} limit ${limit}) n cross join`;
}

/**
 * Transactions that name an account: those that have an entry of it, and those that only name it. PostgreSQL
 * reads each half by its key in order of position and merges them. `offset 0` makes it plan the halves
 * apart: without it, it does not see their order, and sorts the whole account for a page.
 */
function naming(list: List, account: string): string {
  return merged(list, [
    half(list, 'lines', account, 'x.entry >= 0'),
    half(list, 'transaction_accounts', account, 'true'),
  ]);
}

/**
 * Those of them that are dated in a range: what is dated when it was recorded is a range of positions, and what
 * is dated otherwise has an index of its dates. In order of position a page would search a busy account to
 * its end for a narrow range.
 */
function namingInRange(list: List, account: string, effective: TimeRange): string {
  const { schema, filter, ledger } = list;
  const onTime = `x.effective_time is null and ${recordedIn(schema, filter, ledger, effective)('x.position')}`;
  const dated = filter.inRange('x.effective_time', effective);
  return merged(list, [
    half(list, 'lines', account, `x.entry >= 0 and ${onTime}`),
    half(list, 'transaction_accounts', account, onTime),
    datedHalf(list, 'lines', account, dated),
    datedHalf(list, 'transaction_accounts', account, dated),
  ]);
}

function half({ schema, bounds, direction }: List, table: string, account: string, only: string): string {
  return `(select x.position from ${schema}.${table} x
    where x.account = ${account} and ${only} and ${bounds('x.position')}
    order by x.position ${direction} offset 0)`;
}

/** `+ 0` keeps PostgreSQL from reading the account in order of position instead of the index by date. */
function datedHalf({ schema, bounds }: List, table: string, account: string, dated: string): string {
  return `(select x.position from ${schema}.${table} x
    where x.account = ${account} and ${dated} and ${bounds('(x.position + 0)')} offset 0)`;
}

/** In order, each position once: an account may have several entries of a transaction. */
function merged({ direction }: List, halves: readonly string[]): string {
  return `(select distinct u.position from (
    ${halves.join(' union all ')}
  ) u order by u.position ${direction} offset 0) n cross join`;
}

/**
 * Whether a transaction names an account. Not by `exists`: PostgreSQL may hash all that the account has for
 * it.
 */
function names({ schema, filter, ledgerId }: List, accountId: string): string {
  const account = accountKey(schema, ledgerId, filter.param(accountId));
  const one = (table: string, only: string) =>
    `(select true from ${schema}.${table} x
    where x.account = ${account} and x.position = t.position and ${only} limit 1)`;
  return `coalesce(${one('lines', 'x.entry >= 0')}, ${one('transaction_accounts', 'true')}, false)`;
}
