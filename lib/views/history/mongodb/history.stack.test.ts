import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type JsonValue, toJson } from '@bufbuild/protobuf';
import type { Db, MongoClient } from 'mongodb';
import { TransactionSchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { LedgerFixture, testId } from '../../../../test/ledger-fixture.js';
import { stackServer } from '../../../../test/stack-servers.js';
import { createMongodb } from '../../stores/mongodb/client.js';
import { removeDatabase } from '../../stores/mongodb/test/remove-database.js';
import type { ViewRow } from '../../view.js';
import { holdListing } from '../contract/listings.js';
import { historyContract } from '../contract/suite.js';
import { mongodbHistory } from './history.js';
import { collectionsOf } from './documents.js';
import { writeHistory } from './writer.js';
import type { HistoryView } from '../view.js';

let databases = 0;
const ONE = { partitions: 12, partitionOf: () => 0 };

const URL = stackServer('MONGODB');

function open(): { client: MongoClient; database: Db } {
  const client = createMongodb(URL, 'test');
  return { client, database: client.db(`test_${String(process.pid)}_${String(++databases)}`) };
}

historyContract('MongoDB', async () => {
  const { client, database } = open();
  return {
    generations: mongodbHistory(database, ONE),
    close: async () => {
      await client.close();
      await removeDatabase(database);
    },
  };
});

/** What a view shows. */
interface Seen {
  readonly rows: readonly ViewRow[];
  /** Open holds, in order of expiry. */
  readonly holds: readonly JsonValue[];
}

describe('data ahead of the checkpoint, as a crash between the two leaves it', () => {
  const { client, database } = open();
  const generations = mongodbHistory(database, ONE);
  const fixture = aLife();

  beforeAll(() => generations.migrate());
  afterAll(async () => {
    await client.close();
    await removeDatabase(database);
  });

  const all = async (view: HistoryView): Promise<Seen> => {
    const rows = await view.rows({ ledgerId: null, afterKey: null, limit: 10_000 });
    const { value: holds } = await view.openHolds(holdListing('main'));
    return { rows, holds: holds.map((hold) => toJson(TransactionSchema, hold)) };
  };
  const wholes = new Map<bigint, Promise<Seen>>();
  /** Works with a generation that is gone afterwards: the server that stands in is slow when it holds many collections. */
  const withView = async <T>(work: (view: HistoryView) => Promise<T>): Promise<T> => {
    const view = await generations.create();
    const done = await work(view);
    await generations.drop(view.generation);
    return done;
  };
  const filled = (through: bigint) =>
    withView(async (view) => {
      await view.apply(fixture.batch(0n, through));
      return all(view);
    });
  const whole = (through: bigint) => {
    const rows = wholes.get(through) ?? filled(through);
    wholes.set(through, rows);
    return rows;
  };
  const last = fixture.events.at(-1)?.position ?? 0n;

  test.each(fixture.events.slice(1, -1).map(({ position }) => position))(
    'is not seen at position %s, whatever comes then, and however it is cut',
    (stopped) =>
      withView(async (view) => {
        await view.apply(fixture.batch(0n, stopped));
        const before = await all(view);
        const collections = collectionsOf(database, `history_${String(view.generation)}`);
        await writeHistory(
          collections,
          0,
          fixture.events.filter(({ position }) => position > stopped),
        );
        expect(await all(view)).toEqual(before);
        expect(before).toEqual(await whole(stopped));
        // It comes again in other pieces; at each of them the view is exactly what it was then.
        const next = stopped + 1n;
        await view.apply(fixture.batch(next, next));
        expect(await all(view)).toEqual(await whole(next));
        await view.apply(fixture.batch(next, last));
        expect(await all(view)).toEqual(await whole(last));
      }),
  );
});

/** A payment from its authorization to its refund and its end, and an account from its opening to its freezing. */
function aLife(): LedgerFixture {
  const fixture = new LedgerFixture();
  let id = 0;
  const next = () => testId(++id);
  const ledgerId = 'main';
  const amount = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
  fixture.run({ case: 'createLedger', value: { ledgerId, requestId: next() } });
  for (const accountId of ['alice', 'bob']) {
    fixture.run({ case: 'openAccount', value: { ledgerId, accountId, requestId: next(), currency: 'EUR' } });
  }
  fixture.run({
    case: 'deposit',
    value: { ledgerId, requestId: next(), accountId: 'alice', amount: amount(1_000n) },
  });
  const paymentId = next();
  const parties = { ledgerId, payerAccountId: 'alice', payeeAccountId: 'bob' };
  fixture.run({
    case: 'authorizePayment',
    value: { ...parties, requestId: paymentId, amount: amount(300n) },
  });
  fixture.run({
    case: 'capturePayment',
    value: { ledgerId, requestId: next(), paymentId, amount: amount(100n) },
  });
  fixture.run({
    case: 'capturePayment',
    value: { ledgerId, requestId: next(), paymentId, amount: amount(150n) },
  });
  fixture.run({
    case: 'refundPayment',
    value: { ledgerId, requestId: next(), paymentId, amount: amount(50n) },
  });
  fixture.run({ case: 'voidPayment', value: { ledgerId, requestId: next(), paymentId } });
  fixture.run({ case: 'freezeAccount', value: { ledgerId, requestId: next(), accountId: 'bob' } });
  return fixture;
}
