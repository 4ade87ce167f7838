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
 * @throws Error if some were written and others not: never seen, and nothing to go on from.
 */
export async function appendEvents(
  pool: Pool,
  position: bigint,
  hash: Uint8Array,
  events: readonly NewEvent[],
): Promise<AppendOutcome> {
  let row: AppendRow | undefined;
  try {
    row = await queryKeepingConnection(pool, valuesOf(position, hash, events));
  } catch (error) {
    return failureOf(error);
  }
  if (row?.appended === BigInt(events.length)) return { outcome: 'appended' };
  if (row?.appended !== 0n) {
    throw new Error(`sent ${String(events.length)} events, ${String(row?.appended)} were written`);
  }
  if (!row.is_ours) return { outcome: 'foreign_history' };
  return { outcome: row.is_behind ? 'behind' : 'duplicate_request' };
}

interface AppendRow {
  readonly is_ours: boolean;
  readonly is_behind: boolean;
  readonly is_duplicate: boolean;
  readonly appended: bigint;
}

/** The pool's own `query` ends the connection at any error, also at one that the server answered as a matter of course. */
async function queryKeepingConnection(pool: Pool, values: unknown[]): Promise<AppendRow | undefined> {
  const client = await pool.connect();
  let isBroken = true;
  try {
    const { rows } = await client.query<AppendRow>({ name: 'append', text: append, values });
    isBroken = false;
    return rows[0];
  } catch (error) {
    isBroken = rollbackIn(error) === undefined;
    throw error;
  } finally {
    client.release(isBroken);
  }
}

/** Unique violations are left for two writers that append at the same time: the statement itself looks for what is there. */
function failureOf(error: unknown): AppendOutcome {
  const rolledBack = rollbackIn(error);
  // 57014 (cancelled), 57P01 (shutting down) and the like: the server may have been past the commit.
  if (rolledBack === undefined) return { outcome: 'unknown', cause: error };
  if (rolledBack.code === UNIQUE_VIOLATION) {
    if (rolledBack.constraint === 'events_pkey') return { outcome: 'behind' };
    if (rolledBack.constraint === 'request_keys_pkey') return { outcome: 'duplicate_request' };
  }
  return { outcome: 'refused', cause: error };
}

/** The server's report that it refused the statement and rolled it back; undefined if the error says anything else. */
function rollbackIn(error: unknown): pg.DatabaseError | undefined {
  const reported = error instanceof StoreUnavailable ? error.cause : error;
  if (!(reported instanceof pg.DatabaseError) || reported.code === undefined) return undefined;
  return ROLLED_BACK.test(reported.code) ? reported : undefined;
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
