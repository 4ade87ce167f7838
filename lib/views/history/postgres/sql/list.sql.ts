/**
 * The lists: keyset pages in order of position. A list is built of the filters that it has, so that the planner sees no
 * others, and is planned anew for its values: which index is best depends on them.
 */
import { AccountStatus, AccountType } from '../../../../../gen/quittance/common/v1/account_pb.js';
import {
  Direction,
  TransactionKind,
  TransactionStatus,
} from '../../../../../gen/quittance/common/v1/transaction_pb.js';
import { checkpointColumns } from '../../../stores/postgres/sql/generations.sql.js';
import type {
  AccountListing,
  EntryListing,
  LedgerListing,
  TimeRange,
  TransactionListing,
} from '../../view.js';
import { accountColumns, entryColumns, transactionColumns } from './read.sql.js';

/** A statement and its parameters. */
export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** Conditions joined by AND, and the parameters they speak of. */
class Filter {
  readonly conditions: string[] = [];

  constructor(readonly values: unknown[] = []) {}

  /** A parameter; its place in the statement. */
  param(value: unknown): string {
    this.values.push(value);
    return `$${String(this.values.length)}`;
  }

  add(condition: string): void {
    this.conditions.push(condition);
  }

  get where(): string {
    return `where ${this.conditions.join(' and ')}`;
  }
}

const LAST = '9223372036854775807';

/** Ids are ASCII below this, so that the ids with a prefix are a range. */
const AFTER_IDS = '\x7f';
const ID_CHARACTERS = /^[A-Za-z0-9_.:@-]*$/;

/** Whether any id can begin so. Other texts never reach SQL: it could not even hold some. */
export function canBeginId(prefix: string): boolean {
  return ID_CHARACTERS.test(prefix);
}

/** Ledgers of a partition, in order of creation. */
export function listLedgers(schema: string, listing: LedgerListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  filter.add(`l.partition = ${partition}`);
  addThrough(filter, 'l.position', listing.through);
  if (listing.after !== null) filter.add(`l.position > ${filter.param(listing.after)}`);
  addPrefix(filter, 'l.ledger_id', listing.idPrefix);
  const limit = filter.param(listing.limit);
  const text = `
select ${checkpointColumns}, d.* from ${schema}.checkpoint c
left join lateral (
  select l.position, l.document from ${schema}.ledgers l
  ${filter.where}
  order by l.position limit ${limit}
) d on true
where c.partition = ${partition}
order by d.position`;
  return { text, values: filter.values };
}

/** Accounts with their last version, in order of opening. */
export function listAccounts(schema: string, listing: AccountListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  filter.add(`a.ledger_id = ${filter.param(listing.ledgerId)}`);
  addThrough(filter, 'a.opened_position', listing.through);
  if (listing.after !== null) filter.add(`a.opened_position > ${filter.param(listing.after)}`);
  addPrefix(filter, 'a.account_id', listing.idPrefix);
  if (listing.currency !== '') filter.add(`a.currency = ${filter.param(listing.currency)}`);
  if (listing.type !== AccountType.UNSPECIFIED) filter.add(`a.type = ${filter.param(listing.type)}`);
  if (listing.status !== AccountStatus.UNSPECIFIED) filter.add(`a.status = ${filter.param(listing.status)}`);
  if (listing.ownerReference !== '')
    filter.add(`a.owner_reference = ${filter.param(Buffer.from(listing.ownerReference))}`);
  const limit = filter.param(listing.limit);
  const text = `
select ${checkpointColumns}, d.* from ${schema}.checkpoint c
left join lateral (
  select ${accountColumns} from ${schema}.accounts a
  cross join lateral (
    select v.* from ${schema}.account_versions v
    where v.ledger_id = a.ledger_id and v.account_id = a.account_id
    order by v.position desc limit 1
  ) v
  ${filter.where}
  order by a.opened_position limit ${limit}
) d on true
where c.partition = ${partition}
order by d.opened_position`;
  return { text, values: filter.values };
}

/** Transactions, in order of position. */
export function listTransactions(schema: string, listing: TransactionListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  const ledger = filter.param(listing.ledgerId);
  const { accountId, paymentId, descending } = listing;
  const bounds = positionBounds(schema, filter, ledger, listing);
  const source = sourceOf(schema, filter, ledger, listing, bounds);
  filter.add(`t.ledger_id = ${ledger}`);
  if (source === '') filter.add(bounds('t.position'));
  else filter.add('t.position = n.position');
  if (accountId !== '' && paymentId !== '') filter.add(naming(schema, filter, ledger, accountId));
  addRange(filter, 't.effective_time', listing.effective);
  if (listing.kind !== TransactionKind.UNSPECIFIED) filter.add(`t.kind = ${filter.param(listing.kind)}`);
  if (listing.status !== TransactionStatus.UNSPECIFIED)
    filter.add(`t.status = ${filter.param(listing.status)}`);
  if (listing.reference !== '') filter.add(`t.reference = ${filter.param(Buffer.from(listing.reference))}`);
  const limit = filter.param(listing.limit);
  const direction = descending ? 'desc' : 'asc';
  const text = `
select ${checkpointColumns}, d.* from ${schema}.checkpoint c
left join lateral (
  select ${transactionColumns}
  from ${source} ${schema}.transactions t
  ${filter.where}
  order by ${source === '' ? 't' : 'n'}.position ${direction} limit ${limit}
) d on true
where c.partition = ${partition}
order by d.position ${direction}`;
  return { text, values: filter.values };
}

type Bounds = (position: string) => string;

/**
 * The positions among which to look, where one of the filters has a key of its own: payments are small, so they come before
 * accounts. Empty: transactions themselves are read in order of position or by an index of theirs.
 */
function sourceOf(
  schema: string,
  filter: Filter,
  ledger: string,
  listing: TransactionListing,
  bounds: Bounds,
): string {
  const { accountId, paymentId, effective } = listing;
  if (paymentId !== '') return ofPayment(schema, filter, ledger, paymentId, bounds);
  if (accountId === '') return '';
  const isDated = effective.from !== null || effective.to !== null;
  return isDated
    ? namedAndDated(schema, filter, ledger, accountId, effective, bounds)
    : named(schema, filter, ledger, accountId, bounds, listing.descending);
}

/** The root is found by its own id. */
function ofPayment(
  schema: string,
  filter: Filter,
  ledger: string,
  paymentId: string,
  bounds: Bounds,
): string {
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
 * Transactions that name an account: those that changed it and those that only name it, each half read by its key in order
 * of position and merged. (`offset 0` has each planned by itself: only so is its order seen, and not made by a sort of the
 * whole account.) Positions of account events are among them; no transaction is there.
 */
function named(
  schema: string,
  filter: Filter,
  ledger: string,
  accountId: string,
  bounds: Bounds,
  descending: boolean,
): string {
  const account = filter.param(accountId);
  const direction = descending ? 'desc' : 'asc';
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
 * Those that also are dated in a range: from the covering index of entries, and the same for those without entries. (In order
 * of position, a narrow range in the life of a busy account would be searched for to its end.)
 */
function namedAndDated(
  schema: string,
  filter: Filter,
  ledger: string,
  accountId: string,
  effective: TimeRange,
  bounds: Bounds,
): string {
  const account = filter.param(accountId);
  const range = new Filter(filter.values);
  addRange(range, 'x.effective_time', effective);
  const half = (table: string) =>
    `select x.position from ${schema}.${table} x
    ${range.where} and x.ledger_id = ${ledger} and x.account_id = ${account} and ${bounds('x.position')}`;
  return `(${half('entries')}
    union
    ${half('transaction_accounts')}
  ) n,`;
}

/** Whether a transaction names an account. (Not `exists`: that may be planned as a hash of all that the account has.) */
function naming(schema: string, filter: Filter, ledger: string, accountId: string): string {
  const account = filter.param(accountId);
  const half = (table: string) =>
    `(select true from ${schema}.${table} x
    where x.ledger_id = ${ledger} and x.account_id = ${account} and x.position = t.position limit 1)`;
  return `coalesce(${half('account_versions')}, ${half('transaction_accounts')}, false)`;
}

/** Posted entries, in order of position and index. */
export function listEntries(schema: string, listing: EntryListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  const ledger = filter.param(listing.ledgerId);
  const { accountId, after, descending, effective } = listing;
  filter.add(`e.ledger_id = ${ledger}`);
  filter.add(`t.ledger_id = ${ledger} and t.position = e.position`);
  // By account the order is that of its versions; with a range of dates the covering index of entries is better.
  const byVersion = accountId !== '' && effective.from === null && effective.to === null;
  if (accountId !== '') addAccountOfEntries(filter, ledger, accountId, byVersion);
  const bounds = positionBounds(schema, filter, ledger, { ...listing, after: after?.position ?? null }, '=');
  const position = byVersion ? 'v.position' : 'e.position';
  // Said of both sides of a join: the planner infers equalities, but no bounds.
  filter.add(bounds(position));
  if (accountId === '') filter.add(bounds('t.position'));
  if (after !== null) addAfterEntry(filter, position, after.position, after.index, descending);
  addRange(filter, accountId === '' ? 't.effective_time' : 'e.effective_time', effective);
  if (listing.kind !== TransactionKind.UNSPECIFIED) filter.add(`t.kind = ${filter.param(listing.kind)}`);
  if (listing.direction !== Direction.UNSPECIFIED)
    filter.add(`e.direction = ${filter.param(listing.direction)}`);
  if (listing.transactionId !== '')
    filter.add(`e.position = ${positionOf(schema, ledger, filter.param(listing.transactionId))}`);
  const limit = filter.param(listing.limit);
  const direction = descending ? 'desc' : 'asc';
  const text = `
select ${checkpointColumns}, d.* from ${schema}.checkpoint c
left join lateral (
  select ${entryColumns(schema)}
  from ${byVersion ? `${schema}.account_versions v,` : ''} ${schema}.entries e, ${schema}.transactions t
  ${filter.where}
  order by ${position} ${direction}, e.entry ${direction} limit ${limit}
) d on true
where c.partition = ${partition}
order by d.position ${direction}, d.entry ${direction}`;
  return { text, values: filter.values };
}

function addAccountOfEntries(filter: Filter, ledger: string, accountId: string, byVersion: boolean): void {
  const account = filter.param(accountId);
  filter.add(`e.account_id = ${account}`);
  if (byVersion)
    filter.add(`v.ledger_id = ${ledger} and v.account_id = ${account} and e.position = v.position`);
}

function addAfterEntry(
  filter: Filter,
  position: string,
  after: bigint,
  index: number,
  descending: boolean,
): void {
  const comparison = descending ? '<' : '>';
  filter.add(`(${position}, e.entry) ${comparison} (${filter.param(after)}, ${filter.param(index)})`);
}

/**
 * What a position must be: at or before the end, beyond the page before, and in the range of recorded_time, which rises with
 * position.
 */
function positionBounds(
  schema: string,
  filter: Filter,
  ledger: string,
  listing: Pick<TransactionListing, 'through' | 'after' | 'descending' | 'recorded'>,
  orAt: '=' | '' = '',
): Bounds {
  const { through, after, descending, recorded } = listing;
  const bounds: [comparison: string, value: string][] = [];
  if (through !== null) bounds.push(['<=', filter.param(through)]);
  if (after !== null) bounds.push([`${descending ? '<' : '>'}${orAt}`, filter.param(after)]);
  if (recorded.from !== null) bounds.push(['>=', firstAt(schema, ledger, filter.param(recorded.from))]);
  if (recorded.to !== null) bounds.push(['<', firstAt(schema, ledger, filter.param(recorded.to))]);
  return (position) =>
    ['true', ...bounds.map(([comparison, value]) => `${position} ${comparison} ${value}`)].join(' and ');
}

/**
 * Nothing in a snapshot is after its checkpoint, so that the checkpoint itself is no bound here. As one, not known when the
 * statement is planned, it would make any range of positions look small, and a union of two orders be sorted.
 */
function addThrough(filter: Filter, position: string, through: bigint | null): void {
  if (through !== null) filter.add(`${position} <= ${filter.param(through)}`);
}

function addPrefix(filter: Filter, id: string, prefix: string): void {
  if (prefix === '') return;
  filter.add(`${id} >= ${filter.param(prefix)} and ${id} < ${filter.param(prefix + AFTER_IDS)}`);
}

function addRange(filter: Filter, time: string, { from, to }: TimeRange): void {
  if (from !== null) filter.add(`${time} >= ${filter.param(from)}`);
  if (to !== null) filter.add(`${time} < ${filter.param(to)}`);
}

/** The position of the ledger's first transaction recorded at or after a time; beyond all positions if there is none. */
export function firstAt(schema: string, ledger: string, time: string): string {
  return `coalesce((select x.position from ${schema}.transactions x
    where x.ledger_id = ${ledger} and x.recorded_time >= ${time} order by x.recorded_time limit 1), ${LAST})`;
}

function positionOf(schema: string, ledger: string, transactionId: string): string {
  return `(select x.position from ${schema}.transactions x
    where x.ledger_id = ${ledger} and x.transaction_id = ${transactionId}::uuid)`;
}
