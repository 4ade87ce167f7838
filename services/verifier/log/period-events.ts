/** The closes and reopenings of a ledger, found as readers find them: by their stream. */
import { closedThroughAfter, PERIODS_STREAM } from '../../../lib/log/periods.js';
import type { StoredLog } from '../ports.js';
import { decodeStored, type LogRecord } from './chain-walk.js';

const PAGE_EVENTS = 100;

/** Those at or before a position, in order. */
export async function* periodEvents(
  stored: StoredLog,
  ledgerId: string,
  through: bigint,
): AsyncGenerator<LogRecord> {
  for (let after = -1n; ;) {
    const page = { after, through, limit: PAGE_EVENTS, ledgerId, streamId: PERIODS_STREAM };
    const rows = await stored.page(page);
    for (const row of rows) {
      const record = decodeStored(row);
      if (record !== undefined) yield record;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_EVENTS) return;
    after = last.position;
  }
}

/** The ends of all periods that were closed at or before a position, UTC microseconds. */
export async function periodEnds(stored: StoredLog, ledgerId: string, through: bigint): Promise<bigint[]> {
  const ends: bigint[] = [];
  for await (const { event } of periodEvents(stored, ledgerId, through)) {
    if (event.payload.case === 'periodClosed') ends.push(event.payload.value.closedThroughMicros);
  }
  return ends;
}

/** What was closed at a position; null: nothing. */
export async function closedThroughAt(
  stored: StoredLog,
  ledgerId: string,
  position: bigint,
): Promise<bigint | null> {
  let closed: bigint | null = null;
  for await (const { event } of periodEvents(stored, ledgerId, position)) {
    closed = closedThroughAfter(event) ?? null;
  }
  return closed;
}
