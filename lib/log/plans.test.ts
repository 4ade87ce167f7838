/**
 * Every look-up of the write side goes by index, whether its plan was made on an empty table or on a million
 * rows.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/postgres.js';
import { createPool, KEYED_PLANS, type Pool } from './postgres-client.js';
import { migrateLog } from './postgres-migrate.js';
import { append } from './sql/append.sql.js';
import {
  readAt,
  readFlushAfterTime,
  readHead,
  readLastOfStream,
  readLedgerPage,
  readLedgerPageBack,
  readPage,
  readStreamPage,
  readStreamPageBack,
} from './sql/read.sql.js';
import * as state from './state/read.sql.js';

const MILLION = 1_000_000;

/** Statements with the types of their parameters: a generic plan is what a prepared one comes to. */
const STATEMENTS: readonly (readonly [name: string, types: string, args: string, sql: string])[] = [
  ['page', 'bigint, bigint, integer', '0, 100, 10', readPage],
  ['ledger_page', 'bigint, bigint, integer, text', `0, 100, 10, 'l'`, readLedgerPage],
  ['stream_page', 'bigint, bigint, integer, text, text, uuid', `0, 100, 10, 'l', 's', null`, readStreamPage],
  ['ledger_page_back', 'bigint, bigint, integer, text', `0, 100, 10, 'l'`, readLedgerPageBack],
  [
    'stream_page_back',
    'bigint, bigint, integer, text, text, uuid',
    `0, 100, 10, 'l', 's', null`,
    readStreamPageBack,
  ],
  ['last_of_stream', 'text[], text, bigint', `'{l}', 's', 100`, readLastOfStream],
  ['at', 'bigint', '1', readAt],
  ['head', '', '', readHead],
  ['flush_after_time', 'bigint', '1', readFlushAfterTime],
  ['ledgers', 'text[]', `'{l}'`, state.readLedgers],
  ['accounts', 'text[], text[]', `'{l}', '{a}'`, state.readAccounts],
  [
    'transactions',
    'text[], uuid[]',
    `'{l}', '{00000000-0000-0000-0000-000000000001}'`,
    state.readTransactions,
  ],
  ['requests', 'text[], uuid[]', `'{l}', '{00000000-0000-0000-0000-000000000001}'`, state.readRequests],
  ['open_holds', 'bigint, integer', '1, 10', state.readOpenHolds],
];

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  // One connection: the plans prepared on the empty tables are the ones used later.
  pool = createPool(database.config, {
    max: 1,
    name: 'plans',
    options: KEYED_PLANS,
    statementTimeout_ms: 120_000,
  });
  await migrateLog(pool, 1n);
  for (const [name, types, , sql] of STATEMENTS) {
    await pool.query(`prepare plan_${name}${types === '' ? '' : ` (${types})`} as ${sql}`);
  }
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** The nodes of a plan that read the log or state tables without an index. */
async function sequentialScans(name: string, args: string): Promise<string[]> {
  await pool.query('set plan_cache_mode = force_generic_plan');
  const call = args === '' ? `plan_${name}` : `plan_${name}(${args})`;
  const { rows } = await pool.query<Record<string, string>>(`explain (costs off) execute ${call}`);
  const lines = rows.map((row) => row['QUERY PLAN'] ?? '');
  return lines.filter((line) => /Seq Scan on (?!checkpoint)/.test(line));
}

describe.each([
  ['empty tables', 0],
  ['a million events', MILLION],
])('on %s', (_, count) => {
  beforeAll(async () => {
    if (count === 0) return;
    const flush = 100;
    await pool.query(
      `insert into log.flushes (first, last, epoch, recorded_time, ends, hash, events)
       select n, n + ${String(flush)} - 1, 0, 1000 + n, array(select generate_series(5, 5 * ${String(flush)}, 5)), 'hash',
         repeat('event', ${String(flush)})::bytea
       from generate_series(1, ${String(count)}, ${String(flush)}) n`,
    );
    await pool.query(
      `insert into log.ledger_flushes (ledger_id, first, indexes)
       select 'l' || l, first, array(select generate_series(l, ${String(flush)} - 1, 10)::smallint)
       from log.flushes cross join generate_series(0, 9) l where first > 0`,
    );
    await pool.query(
      `insert into log.request_keys (request_id, ledger_id, position)
       select gen_random_uuid(), 'l' || n % 10, n from generate_series(1, ${String(count)}) n`,
    );
    await pool.query(
      `insert into log.streams (ledger_id, stream_id, position)
       select 'l' || n % 10, 's' || n % 1000, n from generate_series(1, ${String(count)}, 10) n`,
    );
    await pool.query('analyze');
  }, 120_000);

  test.each(STATEMENTS.map(([name, , args]) => [name, args] as const))(
    '%s reads by index',
    async (name, args) => {
      expect(await sequentialScans(name, args)).toEqual([]);
    },
  );

  test('the append finds its guard and the request ids by index', async () => {
    const { rows } = await pool.query<Record<string, string>>(`explain (costs off, generic_plan) ${append}`);
    const lines = rows.map((row) => row['QUERY PLAN'] ?? '').join('\n');
    expect(lines).toContain('flushes_pkey');
    expect(lines).toContain('request_keys_pkey');
    expect(lines).not.toMatch(/Seq Scan on (flushes|request_keys)/);
  });
});
