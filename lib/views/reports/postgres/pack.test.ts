/** What comes out of a pack is what went in. */
import { expect, test } from '@jest/globals';
import { clone } from '@bufbuild/protobuf';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { busyLedger, spread } from '../contract/busy-ledger.js';
import { type DeclineFact, type PostingFact, postingOf, reportFacts, ROLLUP_WIDTH } from '../fold.js';
import { PackBuilder, PackCursor, segmentOf } from './pack.js';

const LEDGER = 4_000_000_000;
const events = spread(busyLedger(5, 900).events, 41n);
/** A number for each account id: as large as a u32 may be. */
const numbers = new Map<string, number>();

function numberOf(accountId: string): number {
  const number = numbers.get(accountId) ?? 2 ** 32 - 1 - numbers.size;
  numbers.set(accountId, number);
  return number;
}

/** One pack per segment, packed from the events. */
function packed(of: readonly RecordedEvent[]): PackBuilder[] {
  const packs: PackBuilder[] = [];
  for (const { event } of of) {
    const { payload } = event;
    if (payload.case !== 'transactionPosted' && payload.case !== 'transactionDeclined') continue;
    const segment = segmentOf(event.position, event.recordedTimeMicros);
    let pack = packs.at(-1);
    if (pack?.segment.bucket !== segment.bucket || pack.segment.run !== segment.run) {
      pack = new PackBuilder(segment);
      packs.push(pack);
    }
    if (payload.case === 'transactionDeclined') {
      pack.addDecline(event, payload.value, LEDGER);
      continue;
    }
    const accounts = payload.value.accounts.map(({ accountId }) => numberOf(accountId));
    pack.addPosting(event, payload.value, LEDGER, [0, ...accounts], 1);
  }
  return packs;
}

/** What the record at which a cursor stands says, in the words of a fact. */
function said(cursor: PackCursor) {
  const { isDecline, ledger, what, currency } = cursor;
  const common = { position: BigInt(cursor.position), recordedTime: BigInt(cursor.recordedTime), ledger };
  if (isDecline) return { ...common, reason: what, currency, principal: cursor.principal };
  const entries = Array.from({ length: cursor.entries }, (_, index) => ({
    account: cursor.account(index),
    amount: cursor.amount(index),
  }));
  return { ...common, kind: what, effectiveTime: cursor.effectiveTime, entries, volumes: cursor.volumes() };
}

function expected(fact: PostingFact | DeclineFact) {
  const { position, recordedTime } = fact;
  const common = { position, recordedTime, ledger: LEDGER };
  if (!('entries' in fact)) {
    const { reason, currency, principal } = fact;
    return { ...common, reason, currency, principal };
  }
  const { kind, effectiveTime, volumes } = fact;
  const entries = fact.entries.map(({ accountId, amount }) => ({ account: numberOf(accountId), amount }));
  return { ...common, kind, effectiveTime, entries, volumes };
}

function allOf(packs: readonly PackBuilder[]) {
  return packs.flatMap((pack) => {
    const cursor = new PackCursor(pack.bytes());
    const records = [];
    while (cursor.next()) records.push(said(cursor));
    return records;
  });
}

const { postings, declines } = reportFacts(events);
const facts = [...postings, ...declines].sort((one, other) => (one.position < other.position ? -1 : 1));

test('a pack says what its events said, of postings in several currencies and off time too', () => {
  expect(postings.some(({ volumes }) => volumes.length > 1)).toBe(true);
  expect(postings.some(({ effectiveTime, recordedTime }) => effectiveTime !== recordedTime)).toBe(true);
  expect(declines.length).toBeGreaterThan(5);
  const packs = packed(events);
  expect(packs.length).toBeGreaterThan(3);
  expect(allOf(packs)).toEqual(facts.map(expected));
  expect(packs.reduce((sum, { records }) => sum + records, 0)).toBe(facts.length);
});

test('records are copied from pack to pack as they are', () => {
  const copies = packed(events).map((pack) => {
    const cursor = new PackCursor(pack.bytes());
    expect(cursor.segment).toEqual(pack.segment);
    const copy = new PackBuilder(cursor.segment);
    while (cursor.next()) copy.copy(cursor);
    return copy;
  });
  expect(allOf(copies)).toEqual(facts.map(expected));
});

test('a principal beyond int64 in a further currency keeps all its digits', () => {
  const journal = events.find(({ event }) => {
    const { payload } = event;
    if (payload.case !== 'transactionPosted') return false;
    return new Set(payload.value.accounts.map(({ currency }) => currency)).size > 1;
  });
  if (journal === undefined) throw new Error('the busy ledger has such a journal');
  const event = clone(EventSchema, journal.event);
  if (event.payload.case !== 'transactionPosted') throw new Error('it was one');
  const posted = event.payload.value;
  for (const entry of posted.entries) entry.amount = 2n ** 63n - 1n;
  // Three times each entry: the debits of the second currency are three times the greatest amount.
  posted.entries = [...posted.entries, ...posted.entries, ...posted.entries];
  const pack = new PackBuilder(segmentOf(event.position, event.recordedTimeMicros));
  const accounts = posted.accounts.map(({ accountId }) => numberOf(accountId));
  pack.addPosting(event, posted, LEDGER, accounts, 0);
  const cursor = new PackCursor(pack.bytes());
  expect(cursor.next()).toBe(true);
  expect(cursor.volumes()[1]?.principal).toBe(3n * (2n ** 63n - 1n));
  expect(said(cursor)).toEqual(expected(postingOf(event, posted)));
});

test('a decline in an asset keeps its unit of any length, and what follows it', () => {
  const declined = events.find(({ event }) => event.payload.case === 'transactionDeclined');
  if (declined?.event.payload.case !== 'transactionDeclined') throw new Error('no decline');
  const { event } = declined;
  const { value } = declined.event.payload;
  const pack = new PackBuilder(segmentOf(event.position, event.recordedTimeMicros));
  const units = ['A0#0', 'ABCDEFGH-IJKLM.P#18', 'EUR', 'BTC#8'];
  for (const currency of units) pack.addDecline(event, { ...value, currency }, LEDGER);
  const cursor = new PackCursor(pack.bytes());
  const read: string[] = [];
  while (cursor.next()) read.push(...cursor.volumes().map(({ currency }) => currency));
  expect(read).toEqual(units);
});

test('a unit that no currency has is refused', () => {
  const declined = events.find(({ event }) => event.payload.case === 'transactionDeclined');
  if (declined?.event.payload.case !== 'transactionDeclined') throw new Error('no decline');
  const { event } = declined;
  const pack = new PackBuilder(segmentOf(event.position, event.recordedTimeMicros));
  const value = { ...declined.event.payload.value, currency: 'EU' };
  expect(() => {
    pack.addDecline(event, value, 1);
  }).toThrow(RangeError);
  const long = { ...value, currency: 'ABCDEFGHIJKLMNOPQ#18' };
  expect(() => {
    pack.addDecline(event, long, 1);
  }).toThrow(RangeError);
});

test('a segment is 15 minutes and 65,536 positions', () => {
  const time = 1_000n * ROLLUP_WIDTH;
  expect(segmentOf(65_535n, time)).toEqual({ bucket: 1_000, run: 0 });
  expect(segmentOf(65_536n, time - 1n)).toEqual({ bucket: 999, run: 1 });
});
