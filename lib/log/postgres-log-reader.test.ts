import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/postgres.js';
import { LedgerFixture, testId } from '../../test/ledger-fixture.js';
import { smallerOf } from '../base/bigints.js';
import { hexOf } from '../base/bytes.js';
import { createPool, type Pool } from './postgres-client.js';
import { postgresLogReader } from './postgres-log-reader.js';
import { migrateLog } from './postgres-migrate.js';
import { appendEvents } from './postgres-append.js';
import { storeEvents } from '../../test/stored-log.js';
import { streamIdOf } from './stream-id.js';
import { Wakeups } from './wakeups.js';

let database: TestDatabase;
let pool: Pool;
const fixture = new LedgerFixture();
const amount = { currency: 'EUR', minorUnits: 100n };

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 2, name: 'test' });
  await migrateLog(pool, 1n);
  for (const ledgerId of ['one', 'two']) {
    const id = (n: number) => testId(ledgerId === 'one' ? n : 1000 + n);
    fixture.run({ case: 'createLedger', value: { ledgerId, requestId: id(1) } });
    for (const [n, accountId] of ['alice', 'bob'].entries()) {
      fixture.run({
        case: 'openAccount',
        value: { ledgerId, requestId: id(10 + n), accountId, currency: 'EUR' },
      });
    }
    fixture.run({ case: 'deposit', value: { ledgerId, requestId: id(20), accountId: 'alice', amount } });
    const parties = { payerAccountId: 'alice', payeeAccountId: 'bob' };
    fixture.run({ case: 'authorizePayment', value: { ledgerId, requestId: id(30), ...parties, amount } });
    for (const n of [31, 32]) {
      const part = { currency: 'EUR', minorUnits: 10n };
      fixture.run({
        case: 'capturePayment',
        value: { ledgerId, requestId: id(n), paymentId: id(30), amount: part },
      });
    }
  }
  // Flushes of three: pages, streams and times begin and end within them.
  await storeEvents(pool, fixture.events, 3);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

describe('the log reader', () => {
  const reader = () => postgresLogReader(pool, new Wakeups());
  const all = { after: -1n, through: null, limit: 1000, ledgerId: null, streamId: null };

  test('gives back every event with its bytes and hash, in order', async () => {
    const events = await reader().page(all);
    expect(events.map(({ position }) => position)).toEqual(fixture.events.map(({ position }) => position));
    expect(events.map(({ hash }) => Buffer.from(hash).toString('hex'))).toEqual(
      fixture.events.map(({ hash }) => Buffer.from(hash).toString('hex')),
    );
  });

  test('a page begins and ends anywhere in a flush, with the hash of each event', async () => {
    for (let after = -1n; after < 20n; after++) {
      for (const limit of [1, 2, 3, 4, 7]) {
        for (const through of [null, after + 2n]) {
          const events = await reader().page({ ...all, after, through, limit });
          const end = through === null ? after + BigInt(limit) : smallerOf(through, after + BigInt(limit));
          const expected = fixture.events.filter(({ position }) => position > after && position <= end);
          expect(events.map(({ position, hash }) => [position, hexOf(hash)])).toEqual(
            expected.map(({ position, hash }) => [position, hexOf(hash)]),
          );
        }
      }
    }
  });

  test('finds each event by its position, and none beyond the end', async () => {
    for (const { position, hash } of fixture.events) {
      const found = await reader().at(position);
      expect([found?.position, hexOf(found?.hash ?? hash.subarray(1))]).toEqual([position, hexOf(hash)]);
    }
    expect(await reader().at(BigInt(fixture.events.length))).toBeUndefined();
    expect(await reader().at(-1n)).toBeUndefined();
  });

  test('a ledger is read from and to any position', async () => {
    const own = fixture.events.filter(({ event }) => event.ledgerId === 'two');
    for (let after = -1n; after < BigInt(fixture.events.length); after++) {
      const events = await reader().page({ ...all, ledgerId: 'two', after, through: after + 5n, limit: 4 });
      const expected = own.filter(({ position }) => position > after && position <= after + 5n);
      expect(events.map(({ position }) => position)).toEqual(
        expected.slice(0, 4).map(({ position }) => position),
      );
    }
  });

  test('the id of a command that belongs to another stream takes no place in a page of that stream', async () => {
    // A capture belongs to the stream of its payment.
    expect(await reader().page({ ...all, ledgerId: 'one', streamId: testId(31), limit: 1 })).toEqual([]);
    const [root] = await reader().page({ ...all, ledgerId: 'one', streamId: testId(30), limit: 1 });
    expect(root?.event.payload.case).toBe('paymentAuthorized');
  });

  test('reads a stream whole, whether its events are found by request id or by the index of streams', async () => {
    for (const streamId of new Set(fixture.events.map(({ event }) => streamIdOf(event)))) {
      const expected = fixture.events
        .filter(({ event }) => event.ledgerId === 'one' && streamIdOf(event) === streamId)
        .map(({ position }) => position);
      const found = await reader().page({ ...all, ledgerId: 'one', streamId });
      expect(found.map(({ position }) => position)).toEqual(expected);
    }
  });

  test('pages a stream and a ledger by position', async () => {
    for (const page of [
      { ledgerId: 'two', streamId: null },
      { ledgerId: 'two', streamId: testId(1030) },
    ]) {
      const whole = await reader().page({ ...all, ...page });
      const paged = [];
      for (let after = -1n; ;) {
        const [next] = await reader().page({ ...all, ...page, after, limit: 1 });
        if (next === undefined) break;
        paged.push(next.position);
        after = next.position;
      }
      expect(paged).toEqual(whole.map(({ position }) => position));
    }
  });

  test('pages a stream and a ledger back from any position', async () => {
    for (const page of [
      { ledgerId: 'two', streamId: null },
      { ledgerId: 'two', streamId: testId(1030) },
    ]) {
      const whole = await reader().page({ ...all, ...page });
      for (let through = -1n; through < BigInt(fixture.events.length); through++) {
        const back = { after: through - 6n, through, limit: 4, isDescending: true };
        const found = await reader().page({ ...page, ...back });
        const expected = whole.filter(({ position }) => position > through - 6n && position <= through);
        expect(found.map(({ position }) => position)).toEqual(
          expected
            .map(({ position }) => position)
            .reverse()
            .slice(0, 4),
        );
      }
    }
  });

  test('finds the last event recorded at or before a time', async () => {
    const times = fixture.events.map(({ event }) => event.recordedTimeMicros);
    const asked = times.flatMap((time) => [time - 1n, time, time + 1n]);
    for (const time of asked) {
      const expected = fixture.events.findLast(({ event }) => event.recordedTimeMicros <= time)?.position;
      expect((await reader().atTime(time))?.position).toBe(expected);
    }
  });

  test('a request id that is in the log is told from an append after someone else', async () => {
    const last = fixture.events.at(-1);
    if (last === undefined) throw new Error('no events');
    const again = {
      bytes: last.bytes,
      hash: last.hash,
      epoch: 0,
      ledgerId: 'one',
      streamId: 's',
      ordinal: 0,
      recordedTime: 9n,
      requestId: Buffer.from(testId(20).replaceAll('-', ''), 'hex'),
    };
    const head = await reader().head();
    expect(await appendEvents(pool, head.position, head.hash, [again])).toEqual({
      outcome: 'duplicate_request',
    });
    const fresh = { ...again, requestId: Buffer.from(randomUUID().replaceAll('-', ''), 'hex') };
    expect(
      await appendEvents(pool, head.position - 1n, fixture.events.at(-2)?.hash ?? head.hash, [fresh]),
    ).toEqual({
      outcome: 'behind',
    });
    expect(await appendEvents(pool, head.position, Buffer.alloc(32), [fresh])).toEqual({
      outcome: 'foreign_history',
    });
    expect((await reader().head()).position).toBe(head.position);
  });
});
