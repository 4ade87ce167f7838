import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPool, type Pool } from '../../../lib/log/postgres-client.js';
import { batchOf, busyLedger, spread } from '../../../lib/views/reports/contract/busy-ledger.js';
import { postgresReports, REPORT_PLANS } from '../../../lib/views/reports/postgres/reports.js';
import type { ReportsView } from '../../../lib/views/reports/view.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { compareViews, emptyComparison } from '../compare.js';

const signal = new AbortController().signal;
/** Over many segments, so that most are sealed. */
const events = spread(busyLedger(5, 300).events, 997n);

let database: TestDatabase;
let pool: Pool;
/** Holds the whole log. */
let fresh: ReportsView;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 5, name: 'compare-test', options: REPORT_PLANS });
  await postgresReports(pool).migrate();
  fresh = await generation(200);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** A generation that has the first events. Accounts get their numbers batch by batch, so by its size. */
async function generation(size: number, count = events.length): Promise<ReportsView> {
  const view = await postgresReports(pool).create();
  for (let from = 0; from < count; from += size) {
    await view.apply(batchOf(events.slice(from, Math.min(from + size, count))));
  }
  return view;
}

interface Compared {
  readonly different: number;
  readonly examples: readonly string[];
  readonly rows: number;
}

/** What a comparison finds, and how many rows of the serving generation it reads. */
async function compare(serving: ReportsView, other: ReportsView, byRows: boolean): Promise<Compared> {
  let rows = 0;
  const read: ReportsView['rows'] = async (page) => {
    const found = await serving.rows(page);
    rows += found.length;
    return found;
  };
  const { compareStored } = serving;
  if (compareStored === undefined) throw new Error('the view compares no stored rows');
  const counted = { generation: serving.generation, rows: read };
  const found = emptyComparison();
  const { position: through } = await other.checkpoint(0);
  await compareViews(
    byRows ? counted : { ...counted, compareStored: compareStored.bind(serving) },
    other,
    through,
    found,
    signal,
  );
  return { different: found.different, examples: found.examples, rows };
}

test('equal generations that number accounts otherwise are compared by records and sums', async () => {
  const serving = await generation(7);
  const numbers = async (number: number) => {
    const { rows } = await pool.query<{ ids: string[] }>(
      `select array_agg(account_id order by account) as ids from reports_${String(number)}.accounts`,
    );
    return rows[0]?.ids;
  };
  expect(await numbers(serving.generation)).not.toEqual(await numbers(fresh.generation));
  const all = await compare(serving, fresh, true);
  const found = await compare(serving, fresh, false);
  expect(found).toMatchObject({ different: 0, examples: [] });
  // At most sums of what only one of them has sealed by now.
  expect(found.rows).toBeLessThan(all.rows / 2);
});

test('what later events made is no difference', async () => {
  const older = await generation(40, Math.floor(events.length / 2));
  expect(await compare(fresh, older, false)).toMatchObject({ different: 0, examples: [] });
});

test.each([
  [
    'a sum',
    `update SCHEMA.entry_rollup set debits = debits + 1 where ctid = (select min(ctid) from SCHEMA.entry_rollup)`,
  ],
  [
    'a sum that is missing',
    `delete from SCHEMA.volume_rollup where ctid = (select min(ctid) from SCHEMA.volume_rollup)`,
  ],
  [
    'an amount',
    `update SCHEMA.packs set rows = set_byte(rows, length(rows) - 1, (get_byte(rows, length(rows) - 1) + 1) % 256) where (ledger, through) = (select ledger, min(through) from SCHEMA.packs group by ledger order by ledger limit 1)`,
  ],
  [
    'a missing pack',
    `delete from SCHEMA.packs where (ledger, through) = (select ledger, max(through) from SCHEMA.packs group by ledger order by ledger limit 1)`,
  ],
  ['the type of an account', `update SCHEMA.accounts set type = 6 - type where account_id = 'user:a.EUR'`],
])('%s that differs is reported as a comparison of all rows reports it', async (_name, change) => {
  const serving = await generation(200);
  await pool.query(change.replaceAll('SCHEMA', `reports_${String(serving.generation)}`));
  const [found, expected] = [await compare(serving, fresh, false), await compare(serving, fresh, true)];
  expect(expected.different).toBeGreaterThan(0);
  expect(found).toMatchObject({ different: expected.different, examples: expected.examples });
});
