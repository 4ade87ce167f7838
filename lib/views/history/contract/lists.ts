/** Lists: their filters, their order and their pages. */
import { expect, test } from '@jest/globals';
import { toJson } from '@bufbuild/protobuf';
import { AccountSchema } from '../../../../gen/quittance/common/v1/account_pb.js';
import { TransactionKind, TransactionSchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import type { EntryKey, HoldKey } from '../view.js';
import { type FreshView, pages, plain } from './reading.js';
import { COMMANDS, naive, scenario } from './logs.js';
import { LEDGERS, seeded } from './scenario.js';
import { accountListing, entryListing, transactionListing } from './listings.js';
import { holdKeyOf } from './naive-history.js';
import {
  randomAccountListing,
  randomEntryListing,
  randomHoldListing,
  randomTransactionListing,
} from './random-listings.js';

export function readsOfLists(freshView: FreshView): void {
  test('ledgers are listed in order of creation, by prefix, in pages', async () => {
    const view = await freshView();
    const fixture = scenario(5, 10);
    await view.apply(fixture.batch());
    const listing = { partition: 0, through: null, limit: 10, idPrefix: '', after: null };
    const ids = async (change: Partial<typeof listing> | { through: bigint; after?: bigint }) =>
      (await view.ledgers({ ...listing, ...change })).value.map(({ ledgerId }) => ledgerId);
    const [first, second] = naive(fixture.events).ledgers();
    expect(await ids({})).toEqual([...LEDGERS]);
    expect(await ids({ idPrefix: 'main-' })).toEqual(['main-B']);
    expect(await ids({ idPrefix: 'other' })).toEqual([]);
    expect(await ids({ limit: 1 })).toEqual(['main']);
    expect(await ids({ after: first?.position ?? 0n, through: second?.position ?? 0n })).toEqual(['main-B']);
    expect(await ids({ partition: 1 })).toEqual([]);
  });

  test('a prefix or a text that nothing can have lists nothing', async () => {
    const view = await freshView();
    await view.apply(scenario(6, 5).batch());
    const noReference = { ...transactionListing('main'), reference: 'a\u0000b' };
    expect((await view.transactions(noReference)).value).toEqual([]);
    const noOwner = { ...accountListing('main'), ownerReference: '\u0000' };
    expect((await view.accounts(noOwner)).value).toEqual([]);
    for (const idPrefix of ['\u0000', 'é', 'alice%', 'a b', '\x7f', '\ud800']) {
      expect((await view.accounts({ ...accountListing('main'), idPrefix })).value).toEqual([]);
      const ledgers = { partition: 0, through: null, limit: 10, idPrefix, after: null };
      const read = await view.ledgers(ledgers);
      expect(read.value).toEqual([]);
      expect(read.asOf.position).toBeGreaterThan(0n);
    }
  });

  test('there are no entries of a kind that has none, at any dates', async () => {
    const view = await freshView();
    await view.apply(scenario(6, 5).batch());
    for (const kind of [TransactionKind.AUTHORIZATION, TransactionKind.ADJUSTMENT, TransactionKind.VOID]) {
      for (const from of [null, 0n]) {
        const effective = { from, to: null };
        expect((await view.entries({ ...entryListing('main'), kinds: [kind], effective })).value).toEqual([]);
      }
    }
  });

  test('accounts are listed by any filters, in pages that join to the whole', async () => {
    const view = await freshView();
    const fixture = scenario(7, 200);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    const random = seeded(7);
    for (let n = 0; n < 60; n++) {
      const listing = randomAccountListing(random, fixture.events);
      const read = await pages(
        async (after: bigint | null) => (await view.accounts({ ...listing, after })).value,
        ({ openedAt }) => openedAt,
      );
      const expected = history.accounts({ ...listing, limit: 1000 });
      expect(read.map(({ account }) => toJson(AccountSchema, account))).toEqual(
        expected.map((account) => toJson(AccountSchema, account)),
      );
    }
  });

  test('transactions are listed by any filters, both ways, in pages that join to the whole', async () => {
    const view = await freshView();
    const fixture = scenario(8, COMMANDS);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    const random = seeded(8);
    for (let n = 0; n < 100; n++) {
      const listing = randomTransactionListing(random, fixture.events, history);
      const read = await pages(
        async (after: bigint | null) => (await view.transactions({ ...listing, after })).value,
        ({ position }) => position,
      );
      const expected = history.transactions({ ...listing, limit: 1000 });
      expect(read.map((made) => toJson(TransactionSchema, made))).toEqual(
        expected.map((made) => toJson(TransactionSchema, made)),
      );
    }
  });

  test('open holds are listed in order of expiry, both ways, in pages that join to the whole', async () => {
    const view = await freshView();
    const fixture = scenario(10, COMMANDS);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    const random = seeded(10);
    let listed = 0;
    for (let n = 0; n < 60; n++) {
      const listing = randomHoldListing(random, fixture.events, history);
      const read = await pages(
        async (after: HoldKey | null) => (await view.openHolds({ ...listing, after })).value,
        holdKeyOf,
      );
      const expected = history.openHolds({ ...listing, limit: 1000 });
      expect(read.map((made) => toJson(TransactionSchema, made))).toEqual(
        expected.map((made) => toJson(TransactionSchema, made)),
      );
      listed += read.length;
    }
    expect(listed).toBeGreaterThan(60);
  });

  test('entries are listed by any filters, both ways, in pages that join to the whole', async () => {
    const view = await freshView();
    const fixture = scenario(9, COMMANDS);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    const random = seeded(9);
    for (let n = 0; n < 100; n++) {
      const listing = randomEntryListing(random, fixture.events, history);
      const read = await pages(
        async (after: EntryKey | null) => (await view.entries({ ...listing, after })).value,
        ({ position, entry }) => ({ position, index: entry.index }),
      );
      expect(read.map(plain)).toEqual(history.entries({ ...listing, limit: 1000 }).map(plain));
    }
  });
}
