/** A log in the bytes of earlier versions, through everything that reads a log. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeEvent } from '../../../lib/log/codec.js';
import type { HistoryView } from '../../../lib/views/history/view.js';
import { LedgerFixture } from '../../../test/ledger-fixture.js';
import { touchedBy } from '../../command/application/decode.js';
import { Books } from './books.js';

const LEDGER = 'main';
let books: Books;

beforeAll(async () => {
  const golden = JSON.parse(readFileSync('lib/log/golden/events.json', 'utf8')) as readonly {
    bytes: string;
  }[];
  const fixture = new LedgerFixture();
  const events = golden.map(({ bytes }, position) => {
    const stored = Buffer.from(bytes, 'hex');
    return decodeEvent(BigInt(position), stored, createHash('sha256').update(stored).digest());
  });
  fixture.events.splice(0, fixture.events.length, ...events);
  books = await Books.open(fixture);
  await books.settle();
});

afterAll(() => books.close());

test('the books of an old log are proved', async () => {
  const { findings, verdict } = await books.verify(LEDGER);
  expect(findings).toEqual([]);
  expect(verdict).toMatchObject({ ok: true, position: BigInt(books.fixture.events.length - 1) });
});

test('its ledger is in the view, and in the memory of the write side', async () => {
  const { value } = await (books.views.history as HistoryView).ledger(0, LEDGER);
  expect(value).toMatchObject({ ledgerId: LEDGER, description: 'Shop', metadata: { a: '1', b: '2' } });
  const created = books.fixture.events.filter(({ event }) => touchedBy(event).ledger !== null);
  expect(created.map(({ position }) => position)).toEqual([1n]);
});
