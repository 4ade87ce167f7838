import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AccountStatus, AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import {
  Direction,
  TransactionKind,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.js';
import { int8Array, textArray } from '../../../log/postgres-arrays.js';
import { createPool, type Pool } from '../../../log/postgres-client.js';
import { accountListing, entryListing, holdListing, transactionListing } from '../contract/listings.js';
import { HISTORY_PLANS, postgresHistory } from './history.js';
import { listAccounts } from './lists/accounts.js';
import { listAccountEntries } from './lists/entries.js';
import type { Statement } from './lists/filter.js';
import { listOpenHolds } from './lists/open-holds.js';
import { listPosted, listTransactions } from './lists/transactions.js';
import * as read from './sql/read.sql.js';
import { entryLines } from './sql/rows.sql.js';
import { statementByEffectiveTime, statementByRecordedTime } from './sql/statement.sql.js';
import type { AccountListing, EntryListing, OpenHoldListing, TransactionListing } from '../view.js';

const SCHEMA = 'history_1';
const ROWS = 20_000;
const LIMIT = 50;
/**
 * What a page may touch: some index entries for each row that it returns, never a part of the table that
 * grows with it.
 */
const MOST_ROWS = 20 * LIMIT;

/** A bisection takes a step more or less. The whole index of the hot account has some hundred pages. */
const SOME_PAGES = 40;

/** The effective time of transaction n; null: it is the recorded time. */
const datedAt = 'nullif(n * 1000000::bigint - n % 7 * 500000, n * 1000000::bigint)';

/**
 * Transaction n is at position 2n and moves 1 from account n % 1000 to `hot`; times are n seconds. The key of the
 * ledger is -1, of account n 2n + 1. Six of seven transactions are dated before they were recorded.
 */
const fill = `
insert into ${SCHEMA}.checkpoint (partition, event_offset, epoch, position, hash, recorded_time)
values (0, ${2 * ROWS}, 0, ${2 * ROWS}, '', 0);
insert into ${SCHEMA}.ledgers (ledger_id, partition, position, document) values ('main', 0, -1, '');
insert into ${SCHEMA}.accounts (ledger_id, account_id, opened_position, opened_time, changed_position, type, status,
  freeze_scope, currency, owner_reference, profile)
select 'main', case n when 0 then 'hot' else 'a' || n end, 2 * n + 1, 0, 2 * n + 1, case n % 500 when 1 then 2 else 1 end,
  case n % 500 when 2 then 3 else 1 end, 0, case n % 500 when 3 then 'JPY' else 'EUR' end,
  case when n % 2 = 0 then convert_to('owner' || n % 500, 'UTF8') end, ''
from generate_series(0, ${ROWS - 1}) n;
insert into ${SCHEMA}.lines (account, position, amount, credits, debits, version, effective_time, entry)
select x.account, 2 * n, x.amount, n, 0, n, ${datedAt}, x.entry
from generate_series(1, ${ROWS}) n
cross join lateral (values (0, 1, -1), (1, 2 * (n % 1000 + 1) + 1, 1)) x (entry, account, amount);
insert into ${SCHEMA}.lines (account, position, amount, credits, debits, version, entry)
select 2 * n + 1, 2 * n + 1, 0, 0, 0, 1, -1 from generate_series(1001, ${ROWS - 1}) n;
insert into ${SCHEMA}.transactions (position, recorded_time, ledger, effective_time, kind, transaction_id, payment_id,
  reference, event)
select 2 * n, n * 1000000::bigint, -1, ${datedAt}, case n % 500 when 1 then 8 when 2 then -3 when 4 then 4 else 3 end,
  ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid,
  case when n % 4 = 0 then ('00000000-0000-7000-8000-' || lpad((n / 8 * 8 + 1)::text, 12, '0'))::uuid end,
  case when n % 3 = 0 then convert_to('ref' || n % 5000, 'UTF8') end, repeat('x', 250)::bytea
from generate_series(1, ${ROWS}) n;
insert into ${SCHEMA}.changes (position, ledger, version, changed_position, status)
select 2 * n, -1, 1, 2 * n, case n % 5000 when 4 then 3 else 4 end from generate_series(4, ${ROWS}, 500) n;
insert into ${SCHEMA}.transaction_accounts (account, position, effective_time)
select 2 * (n % 300 + 5000) + 1, 2 * n, ${datedAt} from generate_series(2, ${ROWS}) n`;

/**
 * In the ledger `holds` (key -2) authorization n is at position 2n + 1. Every seventh is open and expires n % 4999 seconds after 1970,
 * the others were captured.
 */
const fillHolds = `
insert into ${SCHEMA}.ledgers (ledger_id, partition, position, document) values ('holds', 0, -2, '');
insert into ${SCHEMA}.transactions (position, recorded_time, ledger, kind, transaction_id, event)
select 2 * n + 1, n * 1000000::bigint, -2, 4, ('00000000-0000-7000-8001-' || lpad(n::text, 12, '0'))::uuid,
  repeat('x', 250)::bytea
from generate_series(1, ${ROWS}) n;
insert into ${SCHEMA}.changes (position, ledger, version, changed_position, status, expire_time)
select 2 * n + 1, -2, 1, 2 * n + 1, case n % 7 when 0 then 3 else 4 end,
  case n % 7 when 0 then n % 4999 * 1000000::bigint end
from generate_series(1, ${ROWS}) n`;

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, {
    max: 2,
    name: 'plans',
    options: HISTORY_PLANS,
    statementTimeout_ms: 60_000,
  });
  await postgresHistory(pool).migrate();
  // Else the server may come to analyze them before we have looked without statistics.
  for (const table of ['accounts', 'lines', 'transactions', 'changes', 'transaction_accounts'])
    await pool.query(`alter table ${SCHEMA}.${table} set (autovacuum_enabled = false)`);
  await pool.query(fill);
  await pool.query(fillHolds);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

interface Cost {
  /** Rows that it reads from tables. */
  readonly read: number;
  /** Pages of tables and indexes that it looks at, each as often as it does. */
  readonly pages: number;
  /** The tables that it scans as a whole. */
  readonly whole: readonly string[];
  readonly plan: string;
}

/** What a statement reads. */
async function costOf({ text, values }: Statement): Promise<Cost> {
  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `explain (analyze, buffers, timing off, format json) ${text}`,
    values,
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  if (plan === undefined) throw new Error('no plan');
  let touched = 0;
  const whole: string[] = [];
  const visit = (node: PlanNode): void => {
    const table = node['Relation Name'];
    if (table !== undefined && node['Node Type'] === 'Seq Scan' && table !== 'checkpoint') whole.push(table);
    const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
    if (node['Node Type'].includes('Scan')) touched += (node['Actual Rows'] + removed) * node['Actual Loops'];
    node.Plans?.forEach(visit);
  };
  visit(plan);
  const pages = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  return { read: touched, pages, whole, plan: JSON.stringify(plan, undefined, 1) };
}

async function expectCheap(statement: Statement): Promise<void> {
  const { read: touched, whole, plan } = await costOf(statement);
  if (touched > MOST_ROWS || whole.length > 0) throw new Error(`reads ${String(touched)} rows by ${plan}`);
  expect(whole).toEqual([]);
}

const id = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const SECOND = 1_000_000n;

const transactionFilters: Record<string, Partial<TransactionListing>> = {
  none: {},
  'a quiet account': { accountId: 'a7' },
  'a hot account': { accountId: 'hot' },
  'an account that is only named': { accountId: 'a5000' },
  'a rare kind': { kinds: [TransactionKind.REVERSAL] },
  'the usual kind': { kinds: [TransactionKind.PAYMENT] },
  'a rare status': { status: TransactionStatus.DECLINED },
  'the usual status': { status: TransactionStatus.POSTED },
  'a status of few authorizations': { status: TransactionStatus.AUTHORIZED },
  'two usual kinds': { kinds: [TransactionKind.PAYMENT, TransactionKind.AUTHORIZATION] },
  'a usual and a rare kind': { kinds: [TransactionKind.PAYMENT, TransactionKind.REVERSAL] },
  'two kinds and a status of few authorizations': {
    kinds: [TransactionKind.PAYMENT, TransactionKind.AUTHORIZATION],
    status: TransactionStatus.AUTHORIZED,
  },
  'two kinds, declined': {
    kinds: [TransactionKind.PAYMENT, TransactionKind.AUTHORIZATION],
    status: TransactionStatus.DECLINED,
  },
  'a kind that is never declined': { kinds: [TransactionKind.REVERSAL], status: TransactionStatus.DECLINED },
  'a reference': { reference: 'ref300' },
  'a payment': { paymentId: id(801) },
  'a recorded range': { recorded: { from: 9000n * SECOND, to: 9100n * SECOND } },
  'an effective range': { effective: { from: 9000n * SECOND, to: 9100n * SECOND } },
  'an account and a recorded range': {
    accountId: 'hot',
    recorded: { from: 9000n * SECOND, to: 9100n * SECOND },
  },
  'a hot account and an effective range': {
    accountId: 'hot',
    effective: { from: 9000n * SECOND, to: 9100n * SECOND },
  },
  'an account and a payment': { accountId: 'hot', paymentId: id(801) },
  'a quiet account and an effective range': {
    accountId: 'a7',
    effective: { from: 9000n * SECOND, to: 9100n * SECOND },
  },
};

const entryFilters: Record<string, Partial<EntryListing>> = {
  none: {},
  'a quiet account': { accountId: 'a7' },
  'a hot account': { accountId: 'hot' },
  'a rare kind': { kinds: [TransactionKind.REVERSAL] },
  'two kinds': { kinds: [TransactionKind.PAYMENT, TransactionKind.REVERSAL] },
  'a direction': { direction: Direction.CREDIT },
  'a transaction': { transactionId: id(801) },
  'a recorded range': { recorded: { from: 9000n * SECOND, to: 9100n * SECOND } },
  'an effective range': { effective: { from: 9000n * SECOND, to: 9100n * SECOND } },
  'a hot account and an effective range': {
    accountId: 'hot',
    effective: { from: 9000n * SECOND, to: 9100n * SECOND },
  },
  'a hot account and a recorded range': {
    accountId: 'hot',
    recorded: { from: 9000n * SECOND, to: 9100n * SECOND },
  },
};

const holdFilters: Record<string, Partial<OpenHoldListing>> = {
  none: {},
  'a range of times': { expire: { from: 1000n * SECOND, to: 2000n * SECOND } },
  'a narrow range of times': { expire: { from: 1000n * SECOND, to: 1001n * SECOND } },
  'before a time': { expire: { from: null, to: 4000n * SECOND } },
};

const accountFilters: Record<string, Partial<AccountListing>> = {
  none: {},
  'a prefix': { idPrefix: 'a77' },
  'a rare currency': { currency: 'JPY' },
  'a rare type': { type: AccountType.ASSET },
  'a rare status': { status: AccountStatus.CLOSED },
  'an owner': { ownerReference: 'owner44' },
};

function transactions(change: Partial<TransactionListing>): Statement {
  return listTransactions(SCHEMA, { ...transactionListing('main'), limit: LIMIT, ...change });
}

function openHolds(change: Partial<OpenHoldListing>): Statement {
  return listOpenHolds(SCHEMA, { ...holdListing('holds'), limit: LIMIT, ...change });
}

function entries(change: Partial<EntryListing>): Statement {
  const listing = { ...entryListing('main'), limit: LIMIT, ...change };
  return listing.accountId === '' ? listPosted(SCHEMA, listing) : listAccountEntries(SCHEMA, listing);
}

function accounts(change: Partial<AccountListing>): Statement {
  return listAccounts(SCHEMA, { ...accountListing('main'), limit: LIMIT, ...change });
}

/**
 * Whether a range is narrow only statistics can say: that is a matter of the minute until the server has
 * analyzed.
 */
const needsStatistics = (filter: { readonly effective?: unknown }) => filter.effective !== undefined;

// A generation has no statistics until it is switched to or the server comes to analyze it.
describe.each([
  ['without statistics', false],
  ['with statistics', true],
])('over 20,000 transactions %s', (_name, analyzed) => {
  beforeAll(async () => {
    if (analyzed) await pool.query('analyze');
  });
  const casesOf = <F extends { readonly effective?: unknown }>(filters: Record<string, F>) =>
    Object.entries(filters).filter(([, filter]) => analyzed || !needsStatistics(filter));

  test.each(casesOf(transactionFilters))('a page of transactions reads little: %s', async (_, filter) => {
    await expectCheap(transactions(filter));
    await expectCheap(transactions({ ...filter, descending: true }));
    await expectCheap(transactions({ ...filter, after: BigInt(ROWS), through: BigInt(2 * ROWS - 100) }));
    await expectCheap(transactions({ ...filter, after: BigInt(ROWS), descending: true }));
  });

  test.each(casesOf(entryFilters))('a page of entries reads little: %s', async (_, filter) => {
    await expectCheap(entries(filter));
    await expectCheap(entries({ ...filter, descending: true }));
    await expectCheap(entries({ ...filter, after: { position: BigInt(ROWS), index: 0 } }));
    await expectCheap(entries({ ...filter, after: { position: BigInt(ROWS), index: 1 }, descending: true }));
  });

  test.each(Object.entries(holdFilters))('a page of open holds reads little: %s', async (_, filter) => {
    const after = { expireTime: 1500n * SECOND, position: BigInt(ROWS) };
    await expectCheap(openHolds(filter));
    await expectCheap(openHolds({ ...filter, descending: true }));
    await expectCheap(openHolds({ ...filter, after, through: BigInt(2 * ROWS - 100) }));
    await expectCheap(openHolds({ ...filter, after, descending: true }));
  });

  test.each(Object.entries(accountFilters))('a page of accounts reads little: %s', async (_, filter) => {
    await expectCheap(accounts(filter));
    await expectCheap(accounts({ ...filter, after: BigInt(ROWS) }));
  });

  test('reads of one thing read one thing', async () => {
    const account = [0, 'main', 'hot'];
    await expectCheap({ text: read.readAccount(SCHEMA), values: account });
    await expectCheap({ text: read.readVersion(SCHEMA), values: [...account, BigInt(ROWS)] });
    await expectCheap({ text: read.readTransaction(SCHEMA), values: [0, 'main', id(801)] });
    await expectCheap({ text: read.readEffective(SCHEMA), values: [0, 'main', 'a7', 9000n * SECOND] });
  });

  test('the entries of transactions are found one by one, in a hot account too', async () => {
    const positions = Array.from({ length: LIMIT }, (_, n) => BigInt(ROWS + 2 * n));
    const ledgers = textArray(positions.map(() => 'main'));
    const hot = textArray(positions.map(() => 'hot'));
    await expectCheap({ text: entryLines(SCHEMA), values: [ledgers, hot, int8Array(positions)] });
  });

  test('a statement that begins late in an account does not pass over what is before', async () => {
    const beginningAt = (from: bigint) => [0, 'main', 'hot', null, from * SECOND, null, null, null, LIMIT];
    const text = statementByRecordedTime(SCHEMA);
    const early = await costOf({ text, values: beginningAt(100n) });
    const late = await costOf({ text, values: beginningAt(19_000n) });
    expect(late.pages).toBeLessThan(early.pages + SOME_PAGES);
  });

  test('a statement of a hot account by recorded time reads its page, by effective time the index up to its end', async () => {
    const values = [0, 'main', 'hot', null, 9000n * SECOND, null, 19_000n, 0, LIMIT];
    await expectCheap({ text: statementByRecordedTime(SCHEMA), values });
    const early = [0, 'main', 'hot', null, 100n * SECOND, 200n * SECOND, null, null, LIMIT, null];
    await expectCheap({ text: statementByEffectiveTime(SCHEMA), values: early });
    const further = [0, 'main', 'hot', null, 100n * SECOND, 200n * SECOND, 300n, 0, LIMIT, 150n * SECOND];
    await expectCheap({ text: statementByEffectiveTime(SCHEMA), values: further });
  });
});
