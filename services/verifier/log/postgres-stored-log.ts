/** The log and the state tables in PostgreSQL, as VerifyLedger reads them. */
import type { Pool } from '../../../lib/log/postgres-client.js';
import {
  readAccountPage,
  readStateCheckpoint,
  readTransactionPage,
} from '../../../lib/log/state/postgres-state-reader.js';
import { uuidOrNull } from '../../../lib/log/postgres-log-reader.js';
import type { StateTables, StoredEvent, StoredLog, StoredPage } from '../ports.js';
import { readStored, readStoredEnd, readStoredLedger, readStoredStream } from './raw-log.sql.js';
import { INT64_MAX } from '../../../lib/base/bigints.js';

interface Columns {
  readonly position: bigint;
  readonly ledger_id: string;
  readonly stream_id: string;
  readonly request_id: string | null;
  readonly ordinal: number;
  readonly recorded_time: bigint;
  readonly event: Uint8Array;
  readonly hash: Uint8Array;
  readonly key_position: bigint | null;
}

/** The log as it is stored. `pool` is from createPool, with KEYED_PLANS. */
export function postgresStoredLog(pool: Pool, shard = 0): StoredLog {
  return {
    shard,
    end: async () => {
      const { rows } = await pool.query<Columns>({ name: 'read_stored_end', text: readStoredEnd });
      return rows[0] === undefined ? undefined : storedEvent(rows[0]);
    },
    page: async (page) => {
      const { rows } = await pool.query<Columns>(statementOf(page));
      return rows.map(storedEvent);
    },
  };
}

/** The state tables. `pool` is from createPool, with KEYED_PLANS. */
export function postgresStateTables(pool: Pool): StateTables {
  return {
    checkpoint: () => readStateCheckpoint(pool),
    accountPage: (ledgerId, after, limit) => readAccountPage(pool, ledgerId, after, limit),
    transactionPage: (ledgerId, after, limit) => readTransactionPage(pool, ledgerId, after, limit),
  };
}

function statementOf({ after, through, limit, ledgerId, streamId }: StoredPage) {
  const values: unknown[] = [after, through ?? INT64_MAX, limit];
  if (ledgerId === null) return { name: 'read_stored', text: readStored, values };
  values.push(ledgerId);
  if (streamId === null) return { name: 'read_stored_ledger', text: readStoredLedger, values };
  values.push(streamId, uuidOrNull(streamId));
  return { name: 'read_stored_stream', text: readStoredStream, values };
}

function storedEvent(row: Columns): StoredEvent {
  return {
    position: row.position,
    ledgerId: row.ledger_id,
    streamId: row.stream_id,
    requestId: row.request_id,
    ordinal: row.ordinal,
    recordedTime: row.recorded_time,
    bytes: row.event,
    hash: row.hash,
    keyPosition: row.key_position,
  };
}
