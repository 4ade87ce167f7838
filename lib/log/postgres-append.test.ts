/** The guard of the append: of writers that append after the same event at most one commits, also when they send different events. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { LedgerFixture, testId } from '../../test/ledger-fixture.js';
import { createTestDatabase, type TestDatabase } from '../../test/postgres.js';
import { storeEvents } from '../../test/stored-log.js';
import { newEventOf, type Tenure } from './append.js';
import { appendEvents } from './postgres-append.js';
import { createPool, KEYED_PLANS, type Pool } from './postgres-client.js';
import type { LeaseStore } from './lease/lease.js';
import { postgresLease } from './lease/postgres-lease.js';
import { postgresLogReader } from './postgres-log-reader.js';
import { migrateLog } from './postgres-migrate.js';
import type { RecordedEvent } from './recorded-event.js';
import { Wakeups } from './wakeups.js';

let database: TestDatabase;
let pools: Pool[];
let other: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  pools = [1, 2].map((n) =>
    createPool(database.config, { max: 1, name: `writer ${String(n)}`, options: KEYED_PLANS }),
  );
  other = new pg.Client(database.config);
  await other.connect();
  await migrateLog(firstOf(pools), 1n);
});

afterEach(async () => {
  await other.end();
  for (const pool of pools) await pool.end();
  await database.drop();
});

function firstOf<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new Error('the list is not empty');
  return first;
}

/** Histories that have the first `common` events in common, and then go on for `lengths` events each. */
function histories(common: number, lengths: readonly number[]): readonly (readonly RecordedEvent[])[] {
  return lengths.map((length, index) => {
    const fixture = new LedgerFixture();
    for (let n = 1; fixture.events.length < common + length; n++) {
      const own = fixture.events.length < common ? 0 : (index + 1) * 1_000;
      const value = { ledgerId: `ledger-${String(own + n)}`, requestId: testId(own + n) };
      fixture.run({ case: 'createLedger', value });
    }
    return fixture.events;
  });
}

async function positionsInLog(): Promise<readonly bigint[]> {
  const reader = postgresLogReader(firstOf(pools), new Wakeups());
  const page = { after: -1n, through: null, limit: 1_000, ledgerId: null, streamId: null };
  return (await reader.page(page)).map(({ position }) => position);
}

function appendTo(pool: Pool, end: RecordedEvent, events: readonly RecordedEvent[], tenure?: Tenure) {
  return appendEvents(pool, end.position, end.hash, events.map(newEventOf), tenure);
}

const BLOCKED_WITHIN_MS = 3_000;

async function untilBlocked(name: string): Promise<void> {
  const waiting = `select count(*)::integer as n from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`;
  for (const end_ms = performance.now() + BLOCKED_WITHIN_MS; performance.now() < end_ms;) {
    // Within a transaction the view shows what it showed first.
    await other.query('select pg_stat_clear_snapshot()');
    const { rows } = await other.query<{ n: number }>(waiting, [name]);
    if (rows[0]?.n === 1) return;
  }
  throw new Error(`${name} does not wait for the other`);
}

describe('two writers after the same event', () => {
  test.each([
    [1, 1],
    [1, 3],
    [3, 1],
    [2, 5],
  ])('never both commit, with %d and %d events that are sent at the same time', async (one, two) => {
    const [a = [], b = []] = histories(4, [one, two]);
    await storeEvents(firstOf(pools), a.slice(0, 4));
    const end = a[3];
    if (end === undefined) throw new Error('the histories have four events in common');
    // Both statements wait for this lock, and go on at once.
    await other.query('begin; lock table log.flushes in access exclusive mode');
    const appends = [a, b].map((events, index) =>
      appendTo(pools[index] ?? firstOf(pools), end, events.slice(4)),
    );
    await untilBlocked('writer 1');
    await untilBlocked('writer 2');
    await other.query('commit');
    const outcomes = (await Promise.all(appends)).map(({ outcome }) => outcome);
    expect([...outcomes].sort()).toEqual(['appended', 'behind']);
    const written = outcomes[0] === 'appended' ? one : two;
    expect(await positionsInLog()).toEqual(Array.from({ length: 4 + written }, (_, n) => BigInt(n)));
  });

  test.each([
    ['commits', 'commit', 'behind', 3],
    ['is rolled back', 'rollback', 'appended', 4],
  ])('the second waits for the first; when that %s, the outcome says so', async (_, end, outcome, count) => {
    const [events = []] = histories(2, [2]);
    await storeEvents(firstOf(pools), events.slice(0, 2));
    await other.query('begin');
    // What the first has inserted and not committed, a shorter flush.
    await other.query(
      `insert into log.flushes select 2, 2, epoch, recorded_time + 1, ends, hash, events from log.flushes where first = 1`,
    );
    const [, previous] = events;
    if (previous === undefined) throw new Error('the histories have two events in common');
    const second = appendTo(firstOf(pools), previous, events.slice(2));
    await untilBlocked('writer 1');
    await other.query(end);
    expect((await second).outcome).toBe(outcome);
    const { rows } = await other.query<{ count: number }>(
      'select (max(last) + 1)::integer as count from log.flushes',
    );
    expect(rows[0]?.count).toBe(count);
  });
});

describe('an append under a lease', () => {
  const ONE = { id: testId(1), address: 'one:1' };
  const TWO = { id: testId(2), address: 'two:1' };
  const LEASE_MS = 60_000;
  let leasePool: Pool;
  let lease: LeaseStore;

  beforeEach(() => {
    leasePool = createPool(database.config, { max: 2, name: 'lease', options: KEYED_PLANS });
    lease = postgresLease(leasePool, 0);
  });

  afterEach(() => leasePool.end());

  /** A log that ends at its second event, and what may follow. */
  async function aLog(): Promise<{ readonly end: RecordedEvent; readonly next: readonly RecordedEvent[] }> {
    const [events = []] = histories(2, [1]);
    await storeEvents(firstOf(pools), events.slice(0, 2));
    const [, end] = events;
    if (end === undefined) throw new Error('the history has three events');
    return { end, next: events.slice(2) };
  }

  async function take(candidate: typeof ONE): Promise<Tenure> {
    const term = await lease.take(candidate, LEASE_MS);
    if (term === undefined) throw new Error('another process has the lease');
    return { shard: 0, holder: candidate.id, term };
  }

  test("commits while the lease is the holder's, also if it has expired and no other process has taken it", async () => {
    const { end, next } = await aLog();
    const tenure = await take(ONE);
    await lease.release(ONE, tenure.term);
    expect(await appendTo(firstOf(pools), end, next, tenure)).toEqual({ outcome: 'appended' });
  });

  test('is refused when another process has taken it, with the same end of the log', async () => {
    const { end, next } = await aLog();
    const tenure = await take(ONE);
    await lease.release(ONE, tenure.term);
    const later = await take(TWO);
    expect(await appendTo(firstOf(pools), end, next, tenure)).toEqual({ outcome: 'lease_lost' });
    expect(await positionsInLog()).toHaveLength(2);
    // A number alone is not enough: after a restore another process may have the same.
    const other = { ...later, holder: ONE.id };
    expect(await appendTo(firstOf(pools), end, next, other)).toEqual({ outcome: 'lease_lost' });
    expect(await appendTo(firstOf(pools), end, next, later)).toEqual({ outcome: 'appended' });
  });

  test('that is under way is waited for by the process that takes the lease', async () => {
    const { end, next } = await aLog();
    const tenure = await take(ONE);
    await lease.release(ONE, tenure.term);
    // Holds the append back after it has looked at the lease: another append, which is not committed.
    await other.query('begin');
    await other.query(
      `insert into log.flushes select 2, 2, epoch, recorded_time + 1, ends, hash, events from log.flushes where first = 1`,
    );
    const append = appendTo(firstOf(pools), end, next, tenure);
    await untilBlocked('writer 1');
    const taken = lease.take(TWO, LEASE_MS);
    await untilBlocked('lease');
    await other.query('rollback');
    expect(await append).toEqual({ outcome: 'appended' });
    expect(await taken).toBe(tenure.term + 1n);
  });
});

test('a writer whose last event is followed by another in the same flush is behind', async () => {
  const [events = []] = histories(1, [5]);
  await storeEvents(firstOf(pools), events);
  const [, , within] = events;
  if (within === undefined) throw new Error('the history has six events');
  const [fresh = []] = histories(3, [1]);
  const renamed = fresh.slice(3).map((event) => ({ ...newEventOf(event), requestId: Buffer.alloc(16, 9) }));
  expect(await appendEvents(firstOf(pools), within.position, within.hash, renamed)).toEqual({
    outcome: 'behind',
  });
  expect(await positionsInLog()).toHaveLength(6);
});

test('a flush may have more events of a ledger than a smallint counts', async () => {
  const reader = postgresLogReader(firstOf(pools), new Wakeups());
  const { position, hash } = await reader.head();
  const [history = []] = histories(0, [2]);
  const event = newEventOf(firstOf(history.slice(1)));
  // As when a thousand holds of each of many accounts have ended: only the first has a request id here.
  const events = Array.from({ length: 33_000 }, (_, index) => ({ ...event, ordinal: index }));
  expect(await appendEvents(firstOf(pools), position, hash, events)).toEqual({ outcome: 'appended' });
  const { rows } = await other.query<{ last: number; count: number }>(
    'select indexes[cardinality(indexes)] as last, cardinality(indexes) as count from log.ledger_flushes',
  );
  expect(rows).toEqual([{ last: 32_999, count: 33_000 }]);
});
