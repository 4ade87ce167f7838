/** How batches get into a view in PostgreSQL, shown on one that only notes which positions it was given. */
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { LedgerFixture, testId } from '../../../../test/ledger-fixture.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.js';
import { int8Array } from '../../../log/postgres-arrays.js';
import { createPool, type Pool } from '../../../log/postgres-client.js';
import type { BusBatch } from '../../../log/bus.js';
import { PostgresApplier } from './apply.js';
import { readCheckpoint } from './generations.js';
import { createCheckpoint } from './sql/generations.sql.js';
import { MissedEventsError } from '../../view-errors.js';
import { rowsOfArrays, type WriteStatement } from './table-write.js';

const LAST = 30n;
const fixture = new LedgerFixture();

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 4, name: 'test' });
  for (let position = 1n; position <= LAST; position += 1n) {
    const requestId = testId(position);
    fixture.run({ case: 'createLedger', value: { ledgerId: `l${String(position)}`, requestId } });
  }
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

beforeEach(async () => {
  await pool.query(`drop schema if exists notes_1 cascade`);
  await pool.query(`${createCheckpoint('notes_1')}; create table notes_1.seen (position bigint primary key)`);
});

const note: WriteStatement = {
  name: 'seen',
  rows: (first) => rowsOfArrays(first, 'bigint'),
  change: { into: 'notes_1.seen', columns: 'position' },
};

function applier(onForget?: () => void): PostgresApplier {
  return new PostgresApplier(
    pool,
    'notes_1',
    (events) => [
      {
        statement: note,
        count: events.length,
        values: [int8Array(events.map(({ position }) => position))],
      },
    ],
    onForget,
  );
}

/** Of the positions in a range; it goes on from the event before. */
function batch(from: bigint, through: bigint): BusBatch {
  return { ...fixture.batch(from, through), after: from - 1n };
}

async function seen(): Promise<bigint[]> {
  const { rows } = await pool.query<{ position: bigint }>(
    'select position from notes_1.seen order by position',
  );
  return rows.map(({ position }) => position);
}

const upTo = (last: bigint) => Array.from({ length: Number(last) + 1 }, (_, position) => BigInt(position));

test('once it knows where the view is, a batch is one statement', async () => {
  const own = applier();
  await own.apply(batch(0n, 3n));
  const query = jest.spyOn(pg.Client.prototype, 'query');
  try {
    await own.apply(batch(4n, 9n));
    expect(query).toHaveBeenCalledTimes(1);
    // What is in already needs none.
    await own.apply(batch(2n, 7n));
    expect(query).toHaveBeenCalledTimes(1);
  } finally {
    query.mockRestore();
  }
  expect(await seen()).toEqual(upTo(9n));
  expect(await readCheckpoint(pool, 'notes_1', 0)).toMatchObject({ offset: 9n, ...fixture.point(9n) });
});

test('two that apply the same partition at the same time let each event through once', async () => {
  const run = async (own: PostgresApplier, size: bigint) => {
    for (let from = 0n; from <= LAST; from += size) {
      const through = from + size - 1n;
      await own.apply(batch(from, through < LAST ? through : LAST));
    }
  };
  await Promise.all([run(applier(), 1n), run(applier(), 2n), run(applier(), 3n)]);
  expect(await seen()).toEqual(upTo(LAST));
  expect(await readCheckpoint(pool, 'notes_1', 0)).toMatchObject({ offset: LAST, position: LAST });
});

test('what another one applied meanwhile is neither missed nor applied again', async () => {
  const [own, other] = [applier(), applier()];
  await own.apply(batch(0n, 3n));
  await other.apply(batch(4n, 9n));
  // At what it remembers this would be a gap.
  await own.apply(batch(10n, 12n));
  await other.apply(batch(8n, 14n));
  expect(await seen()).toEqual(upTo(14n));
});

test('a database that went back behind what it had said is noticed, and nothing is written over the gap', async () => {
  let forgotten = 0;
  const own = applier(() => (forgotten += 1));
  await own.apply(batch(0n, 3n));
  const { rows } = await pool.query<{ event_offset: bigint }>('select * from notes_1.checkpoint');
  expect(rows).toMatchObject([{ event_offset: 3n }]);
  await pool.query('create table notes_1.older as select * from notes_1.checkpoint');
  await own.apply(batch(4n, 9n));
  const before = forgotten;
  await pool.query('delete from notes_1.seen where position > 3');
  await pool.query(
    'update notes_1.checkpoint set (event_offset, position, hash) = (select event_offset, position, hash from notes_1.older)',
  );
  // As a fill has them: it does not say what it goes on from.
  await expect(own.apply(fixture.batch(10n, 12n))).rejects.toThrow(MissedEventsError);
  expect(forgotten).toBeGreaterThan(before);
  expect(await seen()).toEqual(upTo(3n));
  await own.apply(batch(4n, 12n));
  expect(await seen()).toEqual(upTo(12n));
});

test('a write that fails moves nothing, and the connection is not used again', async () => {
  const own = applier();
  await own.apply(batch(0n, 3n));
  await pool.query('insert into notes_1.seen values (5)');
  await expect(own.apply(batch(4n, 9n))).rejects.toThrow(/duplicate key/);
  expect(await readCheckpoint(pool, 'notes_1', 0)).toMatchObject({ position: 3n });
  await pool.query('delete from notes_1.seen where position = 5');
  await own.apply(batch(4n, 9n));
  expect(await seen()).toEqual(upTo(9n));
});
