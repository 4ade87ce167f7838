/** The log and the state tables in PostgreSQL, as VerifyLedger reads them. */
import { uuidToBytes } from '../../../lib/base/uuid.js';
import { INT64_MAX } from '../../../lib/base/bigints.js';
import { int8Array, textArray, uuidArray } from '../../../lib/log/postgres-arrays.js';
import type { Pool } from '../../../lib/log/postgres-client.js';
import { endsOf, type EventRow, streamPage } from '../../../lib/log/postgres-log-reader.js';
import { readAt, readLedgerPage } from '../../../lib/log/sql/read.sql.js';
import {
  readAccountPage,
  readLedgerRows,
  readStateCheckpoint,
  readTransactionPage,
} from '../../../lib/log/state/postgres-state-reader.js';
import type {
  Copies,
  StateTables,
  StoredCopies,
  StoredEvent,
  StoredFlush,
  StoredLog,
  StoredPage,
} from '../ports.js';
import {
  readStoredEnd,
  readStoredFlushes,
  readStoredLedgers,
  readStoredRequests,
  readStoredStreams,
} from './raw-log.sql.js';

interface FlushColumns {
  readonly first: bigint;
  readonly last: bigint;
  readonly epoch: number;
  readonly recorded_time: bigint;
  readonly ends: string;
  readonly hash: Uint8Array;
  readonly events: Uint8Array;
}

/** The log as it is stored. `pool` is from createPool, with KEYED_PLANS. */
export function postgresStoredLog(pool: Pool, shard = 0): StoredLog {
  return {
    shard,
    end: async () => {
      const { rows } = await pool.query<FlushColumns>({ name: 'read_stored_end', text: readStoredEnd });
      return rows[0] === undefined ? undefined : storedFlush(rows[0]);
    },
    flushes: async (after, through) => {
      const { rows } = await pool.query<FlushColumns>({
        name: 'read_stored_flushes',
        text: readStoredFlushes,
        values: [after, through],
      });
      return rows.map(storedFlush);
    },
    copies: (asked) => readCopies(pool, asked),
    page: (page) => readEvents(pool, page),
    at: async (position) => {
      const { rows } = await pool.query<EventRow>({ name: 'read_at', text: readAt, values: [position] });
      return rows.map(storedEvent)[0];
    },
  };
}

/** The state tables. `pool` is from createPool, with KEYED_PLANS. */
export function postgresStateTables(pool: Pool): StateTables {
  return {
    checkpoint: () => readStateCheckpoint(pool),
    ledger: (ledgerId) => readLedgerRows(pool, [ledgerId]),
    accountPage: (ledgerId, after, limit) => readAccountPage(pool, ledgerId, after, limit),
    transactionPage: (ledgerId, after, limit) => readTransactionPage(pool, ledgerId, after, limit),
  };
}

async function readEvents(pool: Pool, page: StoredPage): Promise<readonly StoredEvent[]> {
  const { after, through, limit, ledgerId, streamId } = page;
  if (streamId === null) {
    const values = [after, through ?? INT64_MAX, limit, ledgerId];
    const { rows } = await pool.query<EventRow>({ name: 'read_ledger_page', text: readLedgerPage, values });
    return rows.map(storedEvent);
  }
  const { text, values } = streamPage(page);
  const { rows } = await pool.query<EventRow>({ name: 'read_stream_page', text, values });
  return rows.map(storedEvent);
}

async function readCopies(pool: Pool, { requests, ledgers, streams }: Copies): Promise<StoredCopies> {
  const [keys, flushes, found] = await Promise.all([
    pool.query<{ position: bigint | null }>({
      name: 'read_stored_requests',
      text: readStoredRequests,
      values: [
        uuidArray(requests.map(({ requestId }) => uuidToBytes(requestId))),
        textArray(requests.map(({ ledgerId }) => ledgerId)),
      ],
    }),
    pool.query<{ indexes: string | null }>({
      name: 'read_stored_ledgers',
      text: readStoredLedgers,
      values: [
        textArray(ledgers.map(({ ledgerId }) => ledgerId)),
        int8Array(ledgers.map(({ first }) => first)),
      ],
    }),
    pool.query<{ found: boolean }>({
      name: 'read_stored_streams',
      text: readStoredStreams,
      values: [
        textArray(streams.map(({ ledgerId }) => ledgerId)),
        textArray(streams.map(({ streamId }) => streamId)),
        int8Array(streams.map(({ position }) => position)),
      ],
    }),
  ]);
  return {
    requests: keys.rows.map(({ position }) => position),
    ledgers: flushes.rows.map(({ indexes }) => (indexes === null ? null : endsOf(indexes))),
    streams: found.rows.map((row) => row.found),
  };
}

function storedFlush(row: FlushColumns): StoredFlush {
  return {
    first: row.first,
    last: row.last,
    epoch: row.epoch,
    recordedTime: row.recorded_time,
    ends: endsOf(row.ends),
    hash: row.hash,
    events: row.events,
  };
}

function storedEvent({ position, event }: EventRow): StoredEvent {
  return { position, bytes: event };
}
