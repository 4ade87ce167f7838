import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPool, type Pool } from '../../../lib/log/postgres-client.js';
import { scenario } from '../../../lib/views/history/contract/logs.js';
import { HISTORY_PLANS, postgresHistory } from '../../../lib/views/history/postgres/history.js';
import type { HistoryView } from '../../../lib/views/history/view.js';
import type { View } from '../../../lib/views/view.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { compareViews, emptyComparison } from '../compare.js';

const signal = new AbortController().signal;
/** An event in the middle of the log, up to which both generations are compared. */
const MIDDLE = 150n;

let database: TestDatabase;
let pool: Pool;
const fixture = scenario(31, 300);
const { events } = fixture;
const end = events.at(-1)?.position ?? 0n;
/** Holds the whole log. */
let fresh: HistoryView;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 5, name: 'compare-test', options: HISTORY_PLANS });
  await postgresHistory(pool).migrate();
  fresh = await generation(1_000n, end);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** A generation that has the log up to a position, applied in batches of a size. */
async function generation(size: bigint, through: bigint): Promise<HistoryView> {
  const view = await postgresHistory(pool).create();
  for (let from = 0n; from <= through; from += size) {
    const last = from + size - 1n;
    await view.apply(fixture.batch(from, last < through ? last : through));
  }
  return view;
}

/** Counts the rows that are read of a view that has a comparison of what is stored. */
function counted(view: View) {
  const { compareStored } = view;
  if (compareStored === undefined) throw new Error('the view compares no stored rows');
  let rows = 0;
  const read = async (page: Parameters<View['rows']>[0]) => {
    const found = await view.rows(page);
    rows += found.length;
    return found;
  };
  return {
    generation: view.generation,
    rows: read,
    compareStored: compareStored.bind(view),
    get read() {
      return rows;
    },
  };
}

async function compare(serving: HistoryView, fresh: HistoryView, through: bigint) {
  const ours = counted(serving);
  const found = emptyComparison();
  await compareViews(ours, fresh, through, found, signal);
  return { found, read: ours.read };
}

/** As it was before there was a comparison of what is stored: every row. */
async function compareRows(serving: HistoryView, fresh: HistoryView, through: bigint) {
  const found = emptyComparison();
  const rows = ({ generation: number, rows: read }: ReturnType<typeof counted>) => ({
    generation: number,
    rows: read,
  });
  await compareViews(rows(counted(serving)), rows(counted(fresh)), through, found, signal);
  return found;
}

test('equal generations are compared without a row, however they were filled', async () => {
  const serving = await generation(7n, end);
  const { found, read } = await compare(serving, fresh, end);
  expect(found).toMatchObject({ different: 0, examples: [], changedMeanwhile: [] });
  expect(read).toBe(0);
  expect(found.compared).toBeGreaterThan(events.length);
});

test('what later events changed is set aside, and what they made is no difference', async () => {
  const older = await generation(50n, MIDDLE);
  const { found } = await compare(fresh, older, MIDDLE);
  expect(found.different).toBe(0);
  const changed = (await compareRows(fresh, older, MIDDLE)).changedMeanwhile.map(({ key }) => key);
  const things = changed.filter((key) => {
    const [kind, , position = ''] = key.split(' ');
    return kind === 'account' || (kind === 'transaction' && BigInt(position) <= MIDDLE);
  });
  expect(things.length).toBeGreaterThan(0);
  const setAside = found.changedMeanwhile.map(({ key }) => key);
  expect(setAside).toEqual(expect.arrayContaining(things));
  expect(setAside).toEqual([...setAside].sort((one, other) => (one < other ? -1 : 1)));
});

test.each([
  [
    'an amount',
    `update SCHEMA.lines set amount = amount + 1 where entry = 0 and position = (select max(position) from SCHEMA.lines where entry = 0)`,
  ],
  [
    'a missing version',
    `delete from SCHEMA.lines where ctid = (select ctid from SCHEMA.lines where entry = -1 order by position limit 1)`,
  ],
  [
    'an event',
    `update SCHEMA.transactions t set event = (select u.event from SCHEMA.transactions u where u.ledger = t.ledger and u.kind = 3 and u.position > t.position order by u.position limit 1) where t.position = (select min(position) from SCHEMA.transactions where kind = 3)`,
  ],
  [
    'a missing transaction',
    `delete from SCHEMA.transactions where position = (select max(position) from SCHEMA.transactions)`,
  ],
  [
    'a change',
    `update SCHEMA.changes set change = null where change is not null and position = (select min(position) from SCHEMA.changes where change is not null)`,
  ],
  [
    'a change that is gone',
    `delete from SCHEMA.changes where position = (select max(position) from SCHEMA.changes where change is not null)`,
  ],
  [
    'an account',
    `update SCHEMA.accounts set status = 3 - status % 2 where ledger_id = 'main-B' and account_id = 'shop'`,
  ],
  ['a missing account', `delete from SCHEMA.accounts where ledger_id = 'main' and account_id = 'unused'`],
  [
    'the key of an account',
    `update SCHEMA.accounts set opened_position = opened_position + 100000 where ledger_id = 'main' and account_id = 'unused'`,
  ],
  [
    'a ledger',
    `update SCHEMA.ledgers set document = (select document from SCHEMA.ledgers where ledger_id = 'main.a') where ledger_id = 'main'`,
  ],
])('%s that differs is reported as a comparison of all rows reports it', async (_name, change) => {
  const serving = await generation(1_000n, end);
  await pool.query(change.replaceAll('SCHEMA', `history_${String(serving.generation)}`));
  const { found } = await compare(serving, fresh, end);
  const expected = await compareRows(serving, fresh, end);
  expect(expected.different).toBeGreaterThan(0);
  expect(found).toMatchObject({ different: expected.different, examples: expected.examples });
});
