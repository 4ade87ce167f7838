/** Sums of the tail do not depend on the order in which PostgreSQL gives its packs. */
import { expect, test } from '@jest/globals';
import { busyLedger, spread } from '../contract/busy-ledger.js';
import { ROLLUP_WIDTH } from '../fold.js';
import { PackBuilder, PackCursor, segmentOf } from './pack.js';
import { RecordSums } from './record-sums.js';

const LEDGER = 1;
const { events } = busyLedger(7, 400);
const accounts = new Map<string, number>();

function numberOf(accountId: string): number {
  const number = accounts.get(accountId) ?? accounts.size + 1;
  accounts.set(accountId, number);
  return number;
}

/** A pack for each event: the smallest batches that there are. */
const packs = spread(events, 1n).flatMap(({ event }) => {
  const { payload, position, recordedTimeMicros } = event;
  if (payload.case !== 'transactionPosted' && payload.case !== 'transactionDeclined') return [];
  const pack = new PackBuilder(segmentOf(position, recordedTimeMicros));
  if (payload.case === 'transactionDeclined') pack.addDecline(event, payload.value, LEDGER);
  else {
    const numbers = payload.value.accounts.map(({ accountId }) => numberOf(accountId));
    pack.addPosting(event, payload.value, LEDGER, [0, ...numbers], 1);
  }
  return [pack];
});

/** The sums of each 15 minutes, with all that a row says of them. */
function sumsOf(inOrder: readonly PackBuilder[]) {
  const buckets = new Map<number, RecordSums>();
  for (const pack of inOrder) {
    const cursor = new PackCursor(pack.bytes());
    while (cursor.next()) {
      const bucket = Math.floor(cursor.recordedTime / Number(ROLLUP_WIDTH));
      const sums = buckets.get(bucket) ?? new RecordSums();
      buckets.set(bucket, sums);
      sums.add(cursor, bucket);
    }
  }
  return [...buckets.values()].flatMap(({ entries, volumes, declines }) =>
    [...entries, ...volumes, ...declines].map(([key, { position }]) => `${String(key)} ${String(position)}`),
  );
}

test('a sum is of its last record, also where the packs come in another order', () => {
  const sums = sumsOf(packs);
  expect(sums.length).toBeGreaterThan(50);
  expect(sumsOf(packs.toReversed()).toSorted()).toEqual(sums.toSorted());
});
