/** The event log in PostgreSQL, for readers. */
import { type LogPoint, type RecordedEvent, pointOf } from './recorded-event.js';
import { decodeEvent } from './codec.js';
import type { Pool } from './postgres-client.js';
import type { LogPage, LogReader } from './reader.js';
import {
  readAt,
  readAtTime,
  readHead,
  readLedgerPage,
  readNow,
  readPage,
  readStreamPage,
} from './sql/read.sql.js';
import type { Wakeups } from './wakeups.js';
import { INT64_MAX } from '../base/bigints.js';

/** How long a reader waits for a wake-up before it looks for itself. */
const POLL_MS = 200;

interface Row {
  readonly position: bigint;
  readonly event: Buffer;
  readonly hash: Buffer;
}

/** Reads of a log. `wakeups` is woken by commits in this process, and by a listener for those of others. */
export function postgresLogReader(pool: Pool, wakeups: Wakeups, shard = 0): LogReader {
  let logId: Promise<Uint8Array> | undefined;
  const one = async (name: string, text: string, values: unknown[]): Promise<RecordedEvent | undefined> => {
    const { rows } = await pool.query<Row>({ name, text, values });
    return rows[0] === undefined ? undefined : decoded(rows[0]);
  };
  const head = async (): Promise<LogPoint> => {
    const last = await one('read_head', readHead, []);
    if (last === undefined) throw new Error('the log is empty: it has no first event');
    return pointOf(last);
  };
  return {
    shard,
    head,
    logId: () => {
      logId ??= readLogId(pool).catch((error: unknown) => {
        logId = undefined;
        throw error;
      });
      return logId;
    },
    page: async (page) => {
      const { name, text, values } = statementOf(page);
      const { rows } = await pool.query<Row>({ name, text, values });
      return rows.map(decoded);
    },
    atTime: async (recordedTime) => {
      const found = await one('read_at_time', readAtTime, [recordedTime]);
      return found === undefined ? undefined : pointOf(found);
    },
    at: (position) => one('read_at', readAt, [position]),
    changed: async (position, signal) => {
      while (!signal.aborted) {
        const since = wakeups.count;
        if ((await head()).position > position) return;
        await wakeups.wait(POLL_MS, signal, since);
      }
    },
    now: async () => {
      const { rows } = await pool.query<{ now: bigint }>({ name: 'read_now', text: readNow, values: [] });
      return rows[0]?.now ?? 0n;
    },
  };
}

function decoded({ position, event, hash }: Row): RecordedEvent {
  return decodeEvent(position, event, hash);
}

async function readLogId(pool: Pool): Promise<Uint8Array> {
  const { rows } = await pool.query<Row>({ name: 'read_at', text: readAt, values: [0n] });
  const genesis = rows[0] === undefined ? undefined : decoded(rows[0]).event.payload;
  if (genesis?.case !== 'logStarted') throw new Error('the log does not begin with LogStarted');
  return genesis.value.logId;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A stream of transactions is named by the request id of its first. */
export function uuidOrNull(streamId: string): string | null {
  return UUID.test(streamId) ? streamId : null;
}

function statementOf({ after, through, limit, ledgerId, streamId }: LogPage) {
  const values: unknown[] = [after, through ?? INT64_MAX, limit];
  if (ledgerId === null) return { name: 'read_page', text: readPage, values };
  if (streamId === null) {
    return { name: 'read_ledger_page', text: readLedgerPage, values: [...values, ledgerId] };
  }
  return {
    name: 'read_stream_page',
    text: readStreamPage,
    values: [...values, ledgerId, streamId, uuidOrNull(streamId)],
  };
}
