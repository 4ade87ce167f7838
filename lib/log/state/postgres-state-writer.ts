/**
 * Writes of the state tables: one transaction a batch, with the checkpoint. Only the command service imports
 * it.
 */
import { toBinary } from '@bufbuild/protobuf';
import { TransactionStateSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import type { Pool, PoolClient } from '../postgres-client.js';
import type { StateCheckpoint } from './rows.js';
import type { StateBatch, StateChanges } from './state-changes.js';
import * as sql from './write.sql.js';

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
  changesAfter: (checkpoint: StateCheckpoint) => StateBatch | undefined,
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
    const batch = changesAfter(checkpoint);
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

async function write(client: PoolClient, { changes, through }: StateBatch): Promise<void> {
  if (changes.ledgers.length > 0) {
    await client.query({
      name: 'upsert_ledgers',
      text: sql.upsertLedgers,
      values: [changes.ledgers.map((row) => row.ledgerId), changes.ledgers.map((row) => row.position)],
    });
  }
  if (changes.accounts.length > 0) {
    const values = accountColumns(changes.accounts);
    await client.query({ name: 'upsert_accounts', text: sql.upsertAccounts, values });
  }
  if (changes.transactions.length > 0) {
    const values = transactionColumns(changes.transactions);
    await client.query({ name: 'upsert_transactions', text: sql.upsertTransactions, values });
  }
  await client.query(sql.moveCheckpoint, [through.epoch, through.position, through.hash]);
}

function accountColumns(rows: StateChanges['accounts']): unknown[] {
  return [
    rows.map((row) => row.ledgerId),
    rows.map((row) => row.state.accountId),
    rows.map((row) => row.state.version),
    rows.map((row) => row.state.type),
    rows.map((row) => row.state.currency),
    rows.map((row) => row.state.status),
    rows.map((row) => row.state.freezeScope),
    rows.map((row) => row.state.overdraftLimit),
    rows.map((row) => row.state.credits),
    rows.map((row) => row.state.debits),
    rows.map((row) => row.state.held),
    rows.map((row) => row.profile?.profileVersion ?? 0n),
    rows.map((row) => row.profile?.name ?? ''),
    rows.map((row) => row.profile?.ownerReference ?? ''),
    rows.map((row) => JSON.stringify(row.profile?.metadata ?? {})),
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
    rows.map((row) => row.ledgerId),
    rows.map((row) => row.transactionId),
    rows.map((row) => row.state.version),
    Buffer.concat(states),
    states.map(({ length }) => length),
    starts,
    rows.map((row) => row.holdExpireTime),
  ];
}
