/** The rows of the log that hold events for ever: an append writes them as it did, and what was written is read. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createPool, KEYED_PLANS, type Pool } from '../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../lib/log/postgres-log-reader.js';
import { migrateLog } from '../../lib/log/postgres-migrate.js';
import type { RecordedEvent } from '../../lib/log/recorded-event.js';
import { decodeRecord } from '../../lib/log/shared-records.js';
import { Wakeups } from '../../lib/log/wakeups.js';
import { createTestDatabase, type TestDatabase } from '../postgres.js';
import { storeEvents } from '../stored-log.js';
import { goldenLives } from './golden.js';

/** Events per row. */
const FLUSH = 7;

const events = (goldenLives()['every command'] ?? []).map(({ bytes }, index) =>
  decodeRecord(BigInt(index), Buffer.from(bytes, 'hex')),
);

/** What a row says, as the contract of the table has it: bytes end to end, and where each of them ends. */
interface Row {
  readonly first: bigint;
  readonly last: bigint;
  readonly ends: string;
  readonly hash: string;
  readonly events: string;
}

function rowOf(flush: readonly RecordedEvent[]): Row {
  const [first, last] = [flush[0], flush.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a flush has an event');
  let end = 0;
  const ends = flush.map(({ bytes }) => (end += bytes.length));
  return {
    first: first.position,
    last: last.position,
    ends: `{${ends.join(',')}}`,
    hash: createHash('sha256').update(last.bytes).digest('hex'),
    events: Buffer.concat(flush.map(({ bytes }) => bytes)).toString('hex'),
  };
}

/** The first event has a row of its own: it is there before there is a command. */
const rows = [
  rowOf(events.slice(0, 1)),
  ...Array.from({ length: Math.ceil((events.length - 1) / FLUSH) }, (_, index) =>
    rowOf(events.slice(1 + index * FLUSH, 1 + (index + 1) * FLUSH)),
  ),
];

let database: TestDatabase;
let pool: Pool;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 2, name: 'test', options: KEYED_PLANS });
  await migrateLog(pool, 1n);
});

afterEach(async () => {
  await pool.end();
  await database.drop();
});

test('an append writes the bytes end to end, where each ends, and the hash of the last', async () => {
  await storeEvents(pool, events, FLUSH);
  const stored = await pool.query<Row & { epoch: number; recorded_time: bigint }>(
    `select first, last, ends::text as ends, encode(hash, 'hex') as hash, encode(events, 'hex') as events, epoch, recorded_time
     from log.flushes order by first`,
  );
  expect(stored.rows).toEqual(
    rows.map((row) => ({
      ...row,
      epoch: 0,
      recorded_time: events[Number(row.last)]?.event.recordedTimeMicros,
    })),
  );
});

test('rows that were written are read as the events that they hold', async () => {
  await pool.query('delete from log.flushes');
  for (const row of rows) {
    await pool.query(
      `insert into log.flushes (first, last, epoch, recorded_time, ends, hash, events)
       values ($1, $2, 0, $3, $4::integer[], decode($5, 'hex'), decode($6, 'hex'))`,
      [
        row.first,
        row.last,
        events[Number(row.last)]?.event.recordedTimeMicros,
        row.ends,
        row.hash,
        row.events,
      ],
    );
  }
  const reader = postgresLogReader(pool, new Wakeups());
  const page = { after: -1n, through: null, limit: events.length, ledgerId: null, streamId: null };
  const plain = (list: readonly RecordedEvent[]) =>
    list.map(({ position, event, bytes, hash }) => ({
      position,
      event,
      bytes: Buffer.from(bytes).toString('hex'),
      hash: Buffer.from(hash).toString('hex'),
    }));
  expect(plain(await reader.page(page))).toEqual(plain(events));
});
