/** The append to the event log in PostgreSQL. */
import pg from 'pg';
import { StoreUnavailable } from '../base/store-unavailable.js';
import type { AppendOutcome, NewEvent, Tenure } from './append.js';
import { int4Array, textArray, uuidArray } from './postgres-arrays.js';
import type { Pool } from './postgres-client.js';
import { append } from './sql/append.sql.js';

const UNIQUE_VIOLATION = '23505';
/** Classes of SQLSTATE that say: the server refused the statement as a whole, and rolled it back. */
const ROLLED_BACK = /^(22|23|25|40|42|53|54)/;

/**
 * Appends all events after `position` or none. `tenure` is absent where no other process may decide.
 * @throws Error if some were written and others not: never seen, and nothing to go on from.
 */
export async function appendEvents(
  pool: Pool,
  position: bigint,
  hash: Uint8Array,
  events: readonly NewEvent[],
  tenure?: Tenure,
): Promise<AppendOutcome> {
  // Outside of the try: what cannot be bound was never sent, so that its outcome is not unknown.
  const values = [...valuesOf(position, hash, events), ...tenureColumns(tenure)];
  let row: AppendRow | undefined;
  try {
    row = await queryKeepingConnection(pool, values);
  } catch (error) {
    return failureOf(error);
  }
  if (row?.appended === BigInt(events.length)) return { outcome: 'appended' };
  if (row?.appended !== 0n) {
    throw new Error(`sent ${String(events.length)} events, ${String(row?.appended)} were written`);
  }
  if (!row.is_held) return { outcome: 'lease_lost' };
  if (!row.is_ours) return { outcome: 'foreign_history' };
  return { outcome: row.is_behind ? 'behind' : 'duplicate_request' };
}

interface AppendRow {
  readonly is_held: boolean;
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
    if (rolledBack.constraint === 'flushes_pkey') return { outcome: 'behind' };
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
  const last = events.at(-1);
  if (last === undefined) throw new Error('an append has events');
  const ends: number[] = [];
  let end = 0;
  for (const { bytes } of events) ends.push((end += bytes.length));
  return [
    position,
    hash,
    Buffer.concat(events.map(({ bytes }) => bytes)),
    int4Array(ends),
    last.hash,
    last.recordedTime,
    last.epoch,
    ...requestColumns(events),
    ...ledgerColumns(events),
    ...streamColumns(events),
  ];
}

function requestColumns(events: readonly NewEvent[]): Buffer[] {
  const ids: Uint8Array[] = [];
  const ledgerIds: string[] = [];
  const indexes: number[] = [];
  for (const [index, { requestId, ledgerId, ordinal }] of events.entries()) {
    if (requestId === undefined || ordinal !== 0) continue;
    ids.push(requestId);
    ledgerIds.push(ledgerId);
    indexes.push(index);
  }
  return [uuidArray(ids), textArray(ledgerIds), int4Array(indexes)];
}

/** Nulls where no other process may decide. */
function tenureColumns(tenure: Tenure | undefined): unknown[] {
  return [tenure?.shard ?? null, tenure?.holder ?? null, tenure?.term ?? null];
}

/** The indexes of each ledger's events; events of no ledger are in no ledger's pages. */
function ledgerColumns(events: readonly NewEvent[]): Buffer[] {
  const byLedger = new Map<string, number[]>();
  for (const [index, { ledgerId }] of events.entries()) {
    if (ledgerId === '') continue;
    const known = byLedger.get(ledgerId);
    if (known === undefined) byLedger.set(ledgerId, [index]);
    else known.push(index);
  }
  const starts: number[] = [];
  const stops: number[] = [];
  const all: number[] = [];
  for (const indexes of byLedger.values()) {
    starts.push(all.length + 1);
    all.push(...indexes);
    stops.push(all.length);
  }
  return [textArray([...byLedger.keys()]), int4Array(starts), int4Array(stops), int4Array(all)];
}

function streamColumns(events: readonly NewEvent[]): Buffer[] {
  const ledgerIds: string[] = [];
  const streamIds: string[] = [];
  const indexes: number[] = [];
  for (const [index, { ledgerId, streamId }] of events.entries()) {
    if (streamId === undefined || ledgerId === '') continue;
    ledgerIds.push(ledgerId);
    streamIds.push(streamId);
    indexes.push(index);
  }
  return [textArray(ledgerIds), textArray(streamIds), int4Array(indexes)];
}
