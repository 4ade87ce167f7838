/** Events of a fixture in the log of a test's database. */
import { newEventOf } from '../lib/log/append.js';
import { appendEvents } from '../lib/log/postgres-append.js';
import type { Pool, Queries } from '../lib/log/postgres-client.js';
import type { RecordedEvent } from '../lib/log/recorded-event.js';

const insertGenesis = `
insert into log.flushes (first, last, epoch, recorded_time, ends, hash, events)
values (0, 0, 0, $1, array[length($2::bytea)], $3, $2)`;

const readEnd = 'select last as position, hash from log.flushes order by first desc limit 1';

/**
 * Appends events in flushes of at most `flush`. An event at position 0 takes the place of the one that the migration wrote.
 * @throws Error if they do not follow the end of the log
 */
export async function storeEvents(pool: Pool, events: readonly RecordedEvent[], flush = 200): Promise<void> {
  const [first] = events;
  if (first?.position === 0n) await storeGenesis(pool, first);
  const rest = first?.position === 0n ? events.slice(1) : events;
  for (let from = 0; from < rest.length; from += flush) {
    const part = rest.slice(from, from + flush);
    const end = await endOf(pool);
    if (part[0]?.position !== end.position + 1n) throw new Error(`the log ends at ${String(end.position)}`);
    const result = await appendEvents(pool, end.position, end.hash, part.map(newEventOf));
    if (result.outcome !== 'appended') throw new Error(`the append was ${result.outcome}`);
  }
}

async function storeGenesis(pool: Queries, { event, bytes, hash }: RecordedEvent): Promise<void> {
  await pool.query('delete from log.flushes');
  await pool.query(insertGenesis, [event.recordedTimeMicros, bytes, hash]);
}

async function endOf(pool: Queries): Promise<{ readonly position: bigint; readonly hash: Buffer }> {
  const { rows } = await pool.query<{ position: bigint; hash: Buffer }>(readEnd);
  if (rows[0] === undefined) throw new Error('the log is empty');
  return rows[0];
}
