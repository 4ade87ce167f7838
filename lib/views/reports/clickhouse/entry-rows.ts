/** The rows that events add to the entries in ClickHouse. */
import type { RecordedEvent } from '../../../log/recorded-event.js';
import type { Inserted } from '../../stores/clickhouse/client.js';
import { type DeclineFact, type PostingFact, reportFacts } from '../fold.js';

export const ENTRY_COLUMNS = [
  'partition',
  'ledger_id',
  'position',
  'entry',
  'epoch',
  'account_id',
  'type',
  'currency',
  'kind',
  'reason',
  'amount',
  'principal',
  'transactions',
  'effective_time',
  'recorded_time',
] as const satisfies readonly [string, ...string[]];

/** A row in the order of ENTRY_COLUMNS. */
export type InsertedEntry = readonly Inserted[];

/** @throws as reportFacts does. */
export function entryRowsOf(partition: number, events: readonly RecordedEvent[]): InsertedEntry[] {
  const { postings, declines } = reportFacts(events);
  const epochs = new Map(events.map(({ position, event }) => [position, event.epoch]));
  const rows: InsertedEntry[] = [];
  for (const posting of postings) addPosting(rows, partition, epochs.get(posting.position) ?? 0, posting);
  for (const decline of declines)
    rows.push(declineRow(partition, epochs.get(decline.position) ?? 0, decline));
  return rows;
}

function addPosting(rows: InsertedEntry[], partition: number, epoch: number, posting: PostingFact): void {
  const { ledgerId, kind, entries, volumes } = posting;
  const position = String(posting.position);
  const times = [String(posting.effectiveTime), String(posting.recordedTime)];
  // What moved in a currency stands beside the first entry in it.
  const left = new Map(volumes.map(({ currency, principal }) => [currency, principal]));
  for (const [index, { accountId, type, currency, amount }] of entries.entries()) {
    const principal = left.get(currency);
    left.delete(currency);
    rows.push([
      partition,
      ledgerId,
      position,
      index,
      epoch,
      accountId,
      type,
      currency,
      kind,
      0,
      String(amount),
      String(principal ?? 0n),
      principal === undefined ? 0 : 1,
      ...times,
    ]);
  }
}

function declineRow(partition: number, epoch: number, decline: DeclineFact): InsertedEntry {
  const { ledgerId, reason, currency, principal } = decline;
  const time = String(decline.recordedTime);
  return [
    partition,
    ledgerId,
    String(decline.position),
    0,
    epoch,
    '',
    0,
    currency,
    0,
    reason,
    '0',
    String(principal),
    1,
    time,
    time,
  ];
}
