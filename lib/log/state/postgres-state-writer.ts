/**
 * Writes of the state tables: one transaction a batch, with the checkpoint. Only the command service imports
 * it.
 */
import { toBinary } from '@bufbuild/protobuf';
import { TransactionStateSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import { isSameBytes } from '../../base/bytes.js';
import { pause } from '../../base/pause.js';
import { uuidToBytes } from '../../base/uuid.js';
import { int2Array, int4Array, int8Array, textArray, uuidArray } from '../postgres-arrays.js';
import { limitsArray } from '../postgres-limits.js';
import type { Pool, PoolClient } from '../postgres-client.js';
import type { StateCheckpoint } from './rows.js';
import type { StateBatch, StateChanges } from './state-changes.js';
import * as sql from './write.sql.js';

/** Rows per statement: to bind them takes a millisecond or two, and all else in this process waits meanwhile. */
const ROWS_PER_STATEMENT = 500;
/** Between two statements, at most: the tables must keep up where every payment is of other accounts. */
const BREATH_MS = 5;

/** What a write-behind came to. */
export interface Written {
  /** The checkpoint that the tables hold now; another process may have moved it further. */
  readonly position: bigint;
  /** Where the server's own log ends: what was written is durable once that is flushed. */
  readonly lsn: string;
}

/**
 * Writes the changes after the tables' checkpoint, and moves it. `changesAfter` is called with the checkpoint
 * found, under its lock, and says what is newer; undefined if there is nothing.
 */
export async function writeState(
  pool: Pool,
  changesAfter: (checkpoint: StateCheckpoint) => Promise<StateBatch | undefined>,
): Promise<Written> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    // The tables may be written again from the log: a crash that loses the last moments costs nothing but
    // that.
    await client.query('set local synchronous_commit = off');
    const { rows } = await client.query<StateCheckpoint>(sql.lockCheckpoint);
    const checkpoint = rows[0];
    if (checkpoint === undefined) throw new Error('the state tables have no checkpoint');
    const batch = await changesAfter(checkpoint);
    if (batch !== undefined) await write(client, batch);
    await client.query('commit');
    const { rows: lsns } = await client.query<{ lsn: string }>(sql.readInsertLsn);
    return { position: batch?.through.position ?? checkpoint.position, lsn: lsns[0]?.lsn ?? '0/0' };
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/** Whether everything up to an insert position is on disk. */
export async function isDurable(pool: Pool, lsn: string): Promise<boolean> {
  const { rows } = await pool.query<{ flushed: boolean }>(sql.isFlushed, [lsn]);
  return rows[0]?.flushed === true;
}

/**
 * Empties the tables, if they are still at this checkpoint: it is of a history that the log does not have. They are to be written
 * again from the beginning of the log.
 */
export async function clearState(pool: Pool, lost: StateCheckpoint): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query<StateCheckpoint>(sql.lockCheckpoint);
    const [found] = rows;
    if (found?.position === lost.position && isSameBytes(found.hash, lost.hash)) {
      await client.query(sql.clear);
      await client.query(sql.resetCheckpoint);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/** @throws Error if the log does not have what the changes are of */
async function requireInLog(client: PoolClient, { position, hash }: StateCheckpoint): Promise<void> {
  const { rows } = await client.query<{ found: boolean }>({
    name: 'is_in_log',
    text: sql.isInLog,
    values: [position, hash],
  });
  if (rows[0]?.found === true) return;
  throw new Error(
    `the log does not have the event at ${String(position)} that the state tables were to hold`,
  );
}

async function write(client: PoolClient, { changes, through }: StateBatch): Promise<void> {
  await requireInLog(client, through);
  for await (const rows of slicesOf(changes.ledgers)) {
    const values = [
      textArray(rows.map((row) => row.ledgerId)),
      int8Array(rows.map((row) => row.position)),
      rows.map((row) => row.closedThrough),
    ];
    await client.query({ name: 'upsert_ledgers', text: sql.upsertLedgers, values });
  }
  for await (const rows of slicesOf(changes.accounts)) {
    await client.query({ name: 'upsert_accounts', text: sql.upsertAccounts, values: accountColumns(rows) });
  }
  for await (const rows of slicesOf(changes.transactions)) {
    const values = transactionColumns(rows);
    await client.query({ name: 'upsert_transactions', text: sql.upsertTransactions, values });
  }
  await client.query(sql.moveCheckpoint, [through.epoch, through.position, through.hash]);
}

/**
 * Some rows at a time. Between two slices as much time passes as the first one took, but no more than a breath: a write of 10,000
 * accounts is a quarter of a second of work, and commands and views need that processor too.
 */
async function* slicesOf<T>(rows: readonly T[]): AsyncGenerator<readonly T[]> {
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    const began_ms = performance.now();
    yield rows.slice(from, from + ROWS_PER_STATEMENT);
    if (from + ROWS_PER_STATEMENT >= rows.length) return;
    await pause(Math.min(performance.now() - began_ms, BREATH_MS));
  }
}

function accountColumns(rows: StateChanges['accounts']): unknown[] {
  return [
    textArray(rows.map((row) => row.ledgerId)),
    textArray(rows.map((row) => row.state.accountId)),
    int8Array(rows.map((row) => row.state.version)),
    int2Array(rows.map((row) => row.state.type)),
    textArray(rows.map((row) => row.state.currency)),
    int2Array(rows.map((row) => row.state.status)),
    int2Array(rows.map((row) => row.state.freezeScope)),
    int8Array(rows.map((row) => row.state.overdraftLimit)),
    int8Array(rows.map((row) => row.state.credits)),
    int8Array(rows.map((row) => row.state.debits)),
    int8Array(rows.map((row) => row.state.held)),
    int8Array(rows.map((row) => row.profile?.profileVersion ?? 0n)),
    textArray(rows.map((row) => row.profile?.name ?? '')),
    textArray(rows.map((row) => row.profile?.ownerReference ?? '')),
    textArray(rows.map((row) => JSON.stringify(row.profile?.metadata ?? {}))),
    limitsArray(rows.map((row) => row.state)),
  ];
}

function transactionColumns(rows: StateChanges['transactions']): unknown[] {
  const states = rows.map((row) => toBinary(TransactionStateSchema, row.state));
  let start = 1;
  const starts = states.map(({ length }) => {
    const at = start;
    start += length;
    return at;
  });
  return [
    textArray(rows.map((row) => row.ledgerId)),
    uuidArray(rows.map((row) => uuidToBytes(row.transactionId))),
    int8Array(rows.map((row) => row.state.version)),
    Buffer.concat(states),
    int4Array(states.map(({ length }) => length)),
    int4Array(starts),
    rows.map((row) => row.holdExpireTime),
  ];
}
