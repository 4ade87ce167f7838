/** The event log in PostgreSQL, for readers. */
import { hash as digestOf } from 'node:crypto';
import { type LogPoint, type RecordedEvent, pointOf } from './recorded-event.js';
import { decodeEvent } from './codec.js';
import { textArray } from './postgres-arrays.js';
import type { Pool } from './postgres-client.js';
import type { LogPage, LogReader } from './reader.js';
import {
  readAt,
  readFlushAfterTime,
  readHead,
  readLastOfStream,
  readLedgerPage,
  readLedgerPageBack,
  readNow,
  readPage,
  readStreamPage,
  readStreamPageBack,
} from './sql/read.sql.js';
import { streamIdOf } from './stream-id.js';
import type { Wakeups } from './wakeups.js';
import { INT64_MAX } from '../base/bigints.js';

/** How long a reader waits for a wake-up before it looks for itself. */
const POLL_MS = 200;

/** One event. */
export interface EventRow {
  readonly position: bigint;
  readonly event: Buffer;
}

/** The events of a flush, or a part of them. */
interface FlushRow {
  /** The position of the first one here. */
  readonly first: bigint;
  /** Where it begins in the flush, in bytes. */
  readonly base: number;
  /** Where each ends in the flush, as PostgreSQL writes an array. */
  readonly ends: string;
  readonly events: Buffer;
  /** Of the last one; null where the flush goes on. */
  readonly hash: Buffer | null;
}

interface HeadRow {
  readonly epoch: number;
  readonly position: bigint;
  readonly recorded_time: bigint;
  readonly hash: Buffer;
}

/** Reads of a log. `wakeups` is woken by commits in this process, and by a listener for those of others. */
export function postgresLogReader(pool: Pool, wakeups: Wakeups, shard = 0): LogReader {
  let logId: Promise<Uint8Array> | undefined;
  const head = async (): Promise<LogPoint> => {
    const { rows } = await pool.query<HeadRow>({ name: 'read_head', text: readHead });
    const row = rows[0];
    if (row === undefined) throw new Error('the log is empty: it has no first event');
    const { epoch, position, hash, recorded_time: recordedTime } = row;
    return { epoch, position, hash, recordedTime };
  };
  const at = async (position: bigint): Promise<RecordedEvent | undefined> => {
    const { rows } = await pool.query<EventRow>({ name: 'read_at', text: readAt, values: [position] });
    return rows[0] === undefined ? undefined : decodedRow(rows[0]);
  };
  return {
    shard,
    head,
    at,
    logId: () => {
      logId ??= logIdOf(at).catch((error: unknown) => {
        logId = undefined;
        throw error;
      });
      return logId;
    },
    page: (page) => readPageOf(pool, page),
    lastOfStream: async (streamId, ledgerIds, through) => {
      const { rows } = await pool.query<EventRow>({
        name: 'read_last_of_stream',
        text: readLastOfStream,
        values: [textArray(ledgerIds), streamId, through],
      });
      return rows.map(decodedRow);
    },
    atTime: async (recordedTime) => {
      const { rows } = await pool.query<FlushRow>({
        name: 'read_flush_after_time',
        text: readFlushAfterTime,
        values: [recordedTime],
      });
      const flush = rows[0];
      if (flush === undefined) return head();
      const position = positionAtTime(flush, recordedTime);
      const found = await at(position);
      return found === undefined ? undefined : pointOf(found);
    },
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

/** The event of a row, which says its hash by its bytes. */
export function decodedRow({ position, event }: EventRow): RecordedEvent {
  return decodeEvent(position, event, digestOf('sha256', event, 'buffer'));
}

async function readPageOf(pool: Pool, page: LogPage): Promise<readonly RecordedEvent[]> {
  const { after, through, limit, ledgerId, streamId, isDescending = false } = page;
  // Watches that stand at the end of the log ask so.
  if (through !== null && after >= through) return [];
  const values: unknown[] = [after, through ?? INT64_MAX, limit];
  if (ledgerId === null) {
    const { rows } = await pool.query<FlushRow>({ name: 'read_page', text: readPage, values });
    return rows.flatMap(decodedFlush);
  }
  if (streamId === null) {
    values.push(ledgerId);
    const statement = isDescending
      ? { name: 'read_ledger_page_back', text: readLedgerPageBack, values }
      : { name: 'read_ledger_page', text: readLedgerPage, values };
    const { rows } = await pool.query<EventRow>(statement);
    return rows.map(decodedRow);
  }
  const { text, values: streamValues, takes } = streamPage(page);
  const name = isDescending ? 'read_stream_page_back' : 'read_stream_page';
  const { rows } = await pool.query<EventRow>({ name, text, values: streamValues });
  return rows
    .map(decodedRow)
    .filter(({ event }) => streamIdOf(event) === streamId)
    .slice(0, takes);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The statement that reads a page of a stream. A stream of transactions is named by the request id of its first command, but a
 * command with that id may be of another stream: one row more is read than the page takes, and the reader leaves that one out.
 */
export function streamPage(page: LogPage): {
  readonly text: string;
  readonly values: unknown[];
  readonly takes: number;
} {
  const { after, through, limit, ledgerId, streamId, isDescending = false } = page;
  const uuid = streamId !== null && UUID.test(streamId) ? streamId : null;
  return {
    text: isDescending ? readStreamPageBack : readStreamPage,
    values: [after, through ?? INT64_MAX, limit + 1, ledgerId, streamId, uuid],
    takes: limit,
  };
}

/** The events of a flush. The hash of each but the last stands in the event after it. */
function decodedFlush(row: FlushRow): RecordedEvent[] {
  const slices = slicesOf(row);
  const last = slices.at(-1);
  if (last === undefined) return [];
  const events: RecordedEvent[] = [];
  let hash: Uint8Array = row.hash ?? digestOf('sha256', last, 'buffer');
  for (const [index, bytes] of [...slices.entries()].reverse()) {
    const recorded = decodeEvent(row.first + BigInt(index), bytes, hash);
    events.push(recorded);
    hash = recorded.event.previousHash;
  }
  return events.reverse();
}

function slicesOf({ ends, events, base }: FlushRow): Buffer[] {
  let start = 0;
  return endsOf(ends).map((end) => {
    const slice = events.subarray(start, end - base);
    start = end - base;
    return slice;
  });
}

/** An array of integers as PostgreSQL writes it, such as `{1,2}`. */
export function endsOf(text: string): number[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',').map(Number);
}

/** The last position recorded at or before a time, where the flush is the first that ends after it: by bisection. */
function positionAtTime(row: FlushRow, recordedTime: bigint): bigint {
  const slices = slicesOf(row);
  let low = 0;
  let high = slices.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const bytes = slices[middle];
    if (bytes === undefined) throw new Error('the middle lies within the flush');
    const { event } = decodeEvent(row.first + BigInt(middle), bytes, bytes);
    if (event.recordedTimeMicros <= recordedTime) low = middle + 1;
    else high = middle;
  }
  return row.first + BigInt(low) - 1n;
}

async function logIdOf(at: (position: bigint) => Promise<RecordedEvent | undefined>): Promise<Uint8Array> {
  const payload = (await at(0n))?.event.payload;
  if (payload?.case !== 'logStarted') throw new Error('the log does not begin with LogStarted');
  return payload.value.logId;
}
