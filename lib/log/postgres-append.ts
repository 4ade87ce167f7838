/** The append to the event log in PostgreSQL. */
import pg from 'pg';
import { StoreUnavailable } from '../base/store-unavailable.js';
import type { AppendOutcome, NewEvent } from './append.js';
import { int4Array, int8Array, textArray, uuidArray } from './postgres-arrays.js';
import type { Pool } from './postgres-client.js';
import { append } from './sql/append.sql.js';

const UNIQUE_VIOLATION = '23505';
/** Classes of SQLSTATE that say: the server refused the statement as a whole, and rolled it back. */
const ROLLED_BACK = /^(22|23|25|40|42|53|54)/;

/**
 * Appends all events after `position` or none.
 * @throws Error if not all were written: never seen, and nothing to go on from.
 */
export async function appendEvents(
  pool: Pool,
  position: bigint,
  hash: Uint8Array,
  events: readonly NewEvent[],
): Promise<AppendOutcome> {
  try {
    const { rows } = await pool.query<{ appended: bigint }>({
      name: 'append',
      text: append,
      values: valuesOf(position, hash, events),
    });
    const appended = rows[0]?.appended;
    if (appended === BigInt(events.length)) return { outcome: 'appended' };
    if (appended === 0n) return { outcome: 'foreign_history' };
    throw new Error(`sent ${String(events.length)} events, ${String(appended)} were written`);
  } catch (error) {
    return outcomeOf(error);
  }
}

function outcomeOf(error: unknown): AppendOutcome {
  const reported = error instanceof StoreUnavailable ? error.cause : error;
  if (!(reported instanceof pg.DatabaseError)) return { outcome: 'unknown', cause: error };
  if (reported.code === UNIQUE_VIOLATION) {
    if (reported.constraint === 'events_pkey') return { outcome: 'behind' };
    if (reported.constraint === 'request_keys_pkey') return { outcome: 'duplicate_request' };
  }
  if (reported.code !== undefined && ROLLED_BACK.test(reported.code)) {
    return { outcome: 'refused', cause: error };
  }
  // 57014 (cancelled), 57P01 (shutting down) and the like: the server may have been past the commit.
  return { outcome: 'unknown', cause: error };
}

function valuesOf(position: bigint, hash: Uint8Array, events: readonly NewEvent[]): unknown[] {
  const lengths: number[] = [];
  const starts: number[] = [];
  let start = 1;
  for (const { bytes } of events) {
    lengths.push(bytes.length);
    starts.push(start);
    start += bytes.length;
  }
  return [
    position,
    hash,
    Buffer.concat(events.map(({ bytes }) => bytes)),
    int4Array(lengths),
    Buffer.concat(events.map((event) => event.hash)),
    textArray(events.map(({ ledgerId }) => ledgerId)),
    textArray(events.map(({ streamId }) => streamId)),
    uuidArray(events.map(({ requestId }) => requestId)),
    int4Array(events.map(({ ordinal }) => ordinal)),
    int8Array(events.map(({ recordedTime }) => recordedTime)),
    int4Array(starts),
  ];
}
