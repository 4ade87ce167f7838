/** The statements of the reports go by index, with and without statistics, and read what they answer for. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.js';
import { createPool, type Pool } from '../../../log/postgres-client.js';
import { INT64_MAX, INT64_MIN } from '../../../base/bigints.js';
import { ROLLUP_WIDTH } from '../fold.js';
import { positionIntervals, timeIntervals } from './intervals.js';
import { postgresReports, REPORT_PLANS } from './reports.js';
import { cashFlowSql, declinesSql, rankSql, trialBalanceSql, volumeSql } from './sql/read.sql.js';
import { entrySumsSql, horizonSql, packsFromSql, sumsStandingSql } from './sql/rows.sql.js';
import { oldestSql, tailPageSql } from './sql/seal.sql.js';
import { offTimePacksSql, packsSql, standingSql } from './sql/standing.sql.js';
import { knownAccountsSql } from './sql/write.sql.js';

const SCHEMA = 'reports_1';
const ACCOUNTS = 250;
/** One segment in each 15 minutes, of 1,000 positions. */
const SEGMENTS = 200;
/** Every tenth sum is off time. */
const OFF_TIME = 10;

/** Segment n holds the positions from 1,000 n to 1,000 n + 999; its sums are of all accounts. */
const fill = `
insert into ${SCHEMA}.checkpoint (partition, event_offset, epoch, position, hash, recorded_time)
values (0, ${SEGMENTS * 1_000}, 0, ${SEGMENTS * 1_000}, '', 0);
insert into ${SCHEMA}.ledgers (partition, ledger_id) values (0, 'main'), (0, 'other');
insert into ${SCHEMA}.accounts (ledger, account_id, type, currency)
select 1 + n / ${ACCOUNTS}, 'a' || n, 1 + n % 2, 'EUR' from generate_series(0, ${2 * ACCOUNTS - 1}) n;
insert into ${SCHEMA}.segments (partition, through, after, from_time, to_time, recorded_bucket)
select 0, 1000 * n + 999, 1000 * n - 1, n::bigint * ${ROLLUP_WIDTH}, n::bigint * ${ROLLUP_WIDTH} + 899000000, n
from generate_series(0, ${SEGMENTS - 1}) n;
insert into ${SCHEMA}.entry_rollup
  (position, debits, credits, entries, ledger, account, effective_bucket, recorded_bucket, kind, on_time)
select 1000 * n + a % 1000, 1, 1, 1, 1 + a / ${ACCOUNTS}, a + 1, case when a % ${OFF_TIME} = 0 then n / 2 else n end, n, 3,
  a % ${OFF_TIME} <> 0
from generate_series(0, ${SEGMENTS - 1}) n, generate_series(0, ${2 * ACCOUNTS - 1}) a;
insert into ${SCHEMA}.volume_rollup
  (position, principal, transactions, ledger, effective_bucket, recorded_bucket, kind, on_time, currency)
select 1000 * n + 999, 1, 1, l, n, n, k, true, 'EUR'
from generate_series(0, ${SEGMENTS - 1}) n, generate_series(1, 2) l, generate_series(1, 8) k;
insert into ${SCHEMA}.decline_rollup
  (position, principal, declines, ledger, effective_bucket, recorded_bucket, reason, on_time, currency)
select 1000 * n + 999, 1, 1, l, n, n, r, true, 'EUR'
from generate_series(0, ${SEGMENTS - 1}) n, generate_series(1, 2) l, generate_series(1, 40) r;
insert into ${SCHEMA}.packs (ledger, through, rows)
select l, 1000 * n + 99 + 100 * p, '' from generate_series(0, ${SEGMENTS - 1}) n, generate_series(1, 2) l, generate_series(0, 9) p;
insert into ${SCHEMA}.off_time_packs (ledger, effective_bucket, through, rows)
select l, n / 100, 10 * n + 9, '' from generate_series(0, ${SEGMENTS * 100 - 1}) n, generate_series(1, 2) l;
insert into ${SCHEMA}.tail (partition, through, to_time, recorded_bucket, rows)
select p, ${SEGMENTS} * 1000 + 10 * n, ${SEGMENTS} * 900000000::bigint, ${SEGMENTS}, '' from generate_series(0, 3) p, generate_series(1, 500) n`;

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

interface Cost {
  /** Rows read, by table. */
  readonly read: ReadonlyMap<string, number>;
  /** Tables read as a whole, that are not small by nature. */
  readonly whole: readonly string[];
}

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, {
    max: 2,
    name: 'plans',
    options: REPORT_PLANS,
    statementTimeout_ms: 60_000,
  });
  await postgresReports(pool).migrate();
  const { rows } = await pool.query<{ table: string }>(
    `select tablename as table from pg_tables where schemaname = '${SCHEMA}'`,
  );
  // Else the server may come to analyze them before we have looked without statistics.
  for (const { table } of rows) {
    await pool.query(`alter table ${SCHEMA}.${table} set (autovacuum_enabled = false)`);
  }
  await pool.query(fill);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** `generic`: as a prepared statement is planned that has run for a while. */
async function costOf(text: string, values: readonly unknown[], generic = false): Promise<Cost> {
  const client = await pool.connect();
  try {
    await client.query(`set plan_cache_mode = ${generic ? 'force_generic_plan' : 'force_custom_plan'}`);
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `explain (analyze, timing off, format json) ${text}`,
      [...values],
    );
    const plan = rows[0]?.['QUERY PLAN'][0].Plan;
    if (plan === undefined) throw new Error('no plan');
    return costIn(plan);
  } finally {
    client.release();
  }
}

function costIn(plan: PlanNode): Cost {
  const read = new Map<string, number>();
  const whole: string[] = [];
  const visit = (node: PlanNode): void => {
    const table = node['Relation Name'];
    if (table !== undefined) {
      if (node['Node Type'] === 'Seq Scan' && !SMALL.includes(table)) whole.push(table);
      const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
      const rows = (node['Actual Rows'] + removed) * node['Actual Loops'];
      read.set(table, (read.get(table) ?? 0) + rows);
    }
    node.Plans?.forEach(visit);
  };
  visit(plan);
  return { read, whole };
}

/** A row per partition or per ledger; and accounts, which reports of all accounts look at as a whole. */
const SMALL = ['checkpoint', 'ledgers', 'accounts'];

const NOTHING = ['{}', '{}', '{}', '{}', '{}', '{}'];

/** The parameters of a report over the 15 minutes from `first` to `last`, of the ledger `main`. */
function reportValues(first: number, last: number, basis: 'effective' | 'recorded', arrays: number) {
  const bounds = [BigInt(first) * ROLLUP_WIDTH, BigInt(last + 1) * ROLLUP_WIDTH];
  const holding = bounds.map((bound) => {
    const number = bound / ROLLUP_WIDTH;
    return { after: 1_000n * number - 1n, through: 1_000n * number + 999n, fromTime: bound };
  });
  const positions = positionIntervals(bounds, holding, BigInt(SEGMENTS) * 1_000n - 1n);
  const times = timeIntervals(bounds);
  const array = (values: readonly (bigint | number)[]) => `{${values.join(',')}}`;
  return {
    sealed: [1, BigInt(SEGMENTS) * 1_000n - 1n, '', array(positions.edges), array(positions.buckets)],
    arrays: NOTHING.slice(0, arrays),
    times: [basis === 'recorded', array(times.edges), array(times.buckets)],
  };
}

const BUCKETS = 4;
const movementValues = (basis: 'effective' | 'recorded') => {
  const { sealed, arrays, times } = reportValues(50, 50 + BUCKETS - 1, basis, 6);
  return [...sealed, ...arrays, ...times];
};

function reports(basis: 'effective' | 'recorded') {
  const volumes = reportValues(50, 50 + BUCKETS - 1, basis, 5);
  return [
    ['trial balance', trialBalanceSql(SCHEMA, 'account'), [...movementValues(basis), '', '', 10]],
    [
      'trial balance by two parts of the id',
      trialBalanceSql(SCHEMA, { prefix: 2 }),
      [...movementValues(basis), '', '', 10],
    ],
    ['cash flow', cashFlowSql(SCHEMA, false), movementValues(basis)],
    ['ranking', rankSql(SCHEMA, 'debits'), [...movementValues(basis), 10]],
    ['volume', volumeSql(SCHEMA), [...volumes.sealed, ...volumes.arrays, ...volumes.times]],
    ['declines', declinesSql(SCHEMA), [...volumes.sealed, ...volumes.arrays]],
  ] as const;
}

/** Rows of a rollup that a report over BUCKETS buckets of one ledger may touch: what it sums up, and the off time ones of both halves. */
const MOST_SUMS = 3 * BUCKETS * ACCOUNTS;

describe.each(['without statistics', 'with statistics'])('%s', (statistics) => {
  beforeAll(async () => {
    if (statistics === 'with statistics') await pool.query('analyze');
  });

  test('a report reads the sums of its range by index', async () => {
    for (const basis of ['effective', 'recorded'] as const) {
      for (const [name, text, values] of reports(basis)) {
        const { read, whole } = await costOf(text, values);
        expect([name, whole]).toEqual([name, []]);
        for (const table of ['entry_rollup', 'volume_rollup', 'decline_rollup']) {
          expect(read.get(table) ?? 0).toBeLessThanOrEqual(MOST_SUMS);
        }
      }
    }
  });

  test('cash flow of one account does not read the sums of all accounts', async () => {
    const values = [...movementValues('effective'), 7];
    const { read, whole } = await costOf(cashFlowSql(SCHEMA, true), values);
    expect(whole).toEqual([]);
    // Its own in every segment, or the few that are off time in the range.
    expect(read.get('entry_rollup')).toBeLessThan((BUCKETS * ACCOUNTS) / 2);
  });

  test('where a ledger stands takes a row for each bound, and the tail of its partition', async () => {
    const bounds = `{${[INT64_MIN, 7_777n, 50n * ROLLUP_WIDTH, 60n * ROLLUP_WIDTH + 5n, INT64_MAX].join(',')}}`;
    for (const generic of [false, true]) {
      const { read, whole } = await costOf(standingSql(SCHEMA), [0, 'main', null, bounds, 'a7'], generic);
      expect(whole).toEqual([]);
      expect(read.get('segments')).toBeLessThanOrEqual(10);
      expect(read.get('tail')).toBe(500);
      const past = await costOf(standingSql(SCHEMA), [0, 'main', 77_777n, bounds, null], generic);
      expect(past.whole).toEqual([]);
      expect(past.read.get('tail') ?? 0).toBe(0);
    }
  });

  test('packs are read by position, a page at a time', async () => {
    for (const generic of [false, true]) {
      const packs = await costOf(packsSql(SCHEMA), [1, 50_000n, 59_999n, 32], generic);
      expect(packs.whole).toEqual([]);
      expect(packs.read.get('packs')).toBeLessThanOrEqual(32);
      const from = await costOf(packsFromSql(SCHEMA), [1, 0, 50_000n, 4], generic);
      expect(from.whole).toEqual([]);
      expect(from.read.get('packs')).toBeLessThanOrEqual(4);
      const offTime = await costOf(offTimePacksSql(SCHEMA), [1, '{7,8}', 199_999n, -1, -1n, 32], generic);
      expect(offTime.whole).toEqual([]);
      expect(offTime.read.get('off_time_packs')).toBeLessThanOrEqual(32);
    }
  });

  test('sealing reads the beginning of the tail', async () => {
    const oldest = await costOf(oldestSql(SCHEMA), [0, SEGMENTS + 1, 10n ** 9n]);
    expect(oldest.read.get('tail')).toBeLessThanOrEqual(1);
    const page = await costOf(tailPageSql(SCHEMA), [0, SEGMENTS, 10n ** 9n, 0n, 64]);
    expect(page.whole).toEqual([]);
    expect(page.read.get('tail')).toBeLessThanOrEqual(64);
  });

  test('a page of canonical sums reads the sums of its 15 minutes', async () => {
    const horizon = await costOf(horizonSql(SCHEMA, 'entry_rollup'), [1, 0, 50, 100]);
    expect(horizon.whole).toEqual([]);
    expect(horizon.read.get('entry_rollup')).toBeLessThanOrEqual(101);
    const standing = await costOf(sumsStandingSql(SCHEMA), [0, 50, 50]);
    expect(standing.read.get('segments')).toBeLessThanOrEqual(2);
    const values = [1, 49_999n, 50_999n, 100, '', ...Array.from({ length: 10 }, () => '{}')];
    const sums = await costOf(entrySumsSql(SCHEMA), values);
    expect(sums.whole).toEqual([]);
    expect(sums.read.get('entry_rollup')).toBeLessThanOrEqual(ACCOUNTS);
  });

  test('numbers of accounts are looked up by key', async () => {
    for (const generic of [false, true]) {
      const { read } = await costOf(knownAccountsSql(SCHEMA), ['{1,1}', '{a1,a2}'], generic);
      expect(read.get('accounts')).toBe(2);
    }
  });
});
