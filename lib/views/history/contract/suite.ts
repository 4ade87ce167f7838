/** What every store of the history view must do: the suite that each adapter's test runs. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clone, create, type DescMessage, type MessageShape, toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import {
  AccountSchema,
  AccountStatus,
  AccountType,
  BalanceSchema,
} from '../../../../gen/quittance/common/v1/account_pb.js';
import {
  Direction,
  EntrySchema,
  LedgerSchema,
  TransactionKind,
  TransactionSchema,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import type { BusBatch } from '../../../log/bus.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { GenerationGoneError, LostEventsError } from '../../view-errors.js';
import { emptyCheckpoint, UnknownEventError, type ViewGenerations, type ViewRow } from '../../view.js';
import { NaiveHistory } from './naive-history.js';
import { ACCOUNTS, LEDGERS, OWNERS, pick, type Random, REFERENCES, Scenario, seeded } from './scenario.js';
import type {
  AccountListing,
  EntryKey,
  EntryListing,
  EntryRow,
  HistoryView,
  StatementKey,
  StatementQuery,
  TimeRange,
  TransactionListing,
} from '../view.js';

/** A store that holds nothing yet. */
export interface HistoryStore {
  readonly generations: ViewGenerations<HistoryView>;
  close(): Promise<void>;
}

type FreshView = () => Promise<HistoryView>;

/** Runs the suite for one kind of store. `make` gives a store that nothing was written to, not even its schema. */
export function historyContract(name: string, make: () => Promise<HistoryStore>): void {
  describe(`the history view in ${name}`, () => {
    let store: HistoryStore | undefined;
    const theStore = () => {
      if (store === undefined) throw new Error('the store is not open');
      return store;
    };
    beforeAll(async () => {
      store = await make();
      await Promise.all([store.generations.migrate(), store.generations.migrate()]);
    });
    afterAll(() => store?.close());
    const freshView: FreshView = () => theStore().generations.create();

    theLogsAreRich();
    readsOfOneThing(freshView);
    balancesBeforeTheFirstEntry(freshView);
    readsOfLists(freshView);
    readsOfStatements(freshView);
    readsWhileEventsComeIn(freshView);
    writesAreIdempotent(freshView);
    whatIsNotApplied(freshView);
    generationsOf(() => theStore().generations);
    rowsForComparison(freshView);
  });
}

/** Of a log that is to have everything. */
const COMMANDS = 300;

const scenario = (seed: number, commands: number) => new Scenario(seed).grow(commands).fixture;

function naive(events: readonly RecordedEvent[], through?: bigint): NaiveHistory {
  return new NaiveHistory(events.filter(({ position }) => through === undefined || position <= through));
}

/** What is not in the logs is not tested: this says so when a change of the domain or of the builder leaves something out. */
function theLogsAreRich(): void {
  test('the logs of this suite have every kind of event and of transaction, and every end of one', () => {
    const { events } = scenario(8, COMMANDS);
    const transactions = LEDGERS.flatMap((ledgerId) => naive(events).allTransactions(ledgerId));
    const all = (values: Record<string, string | number>) =>
      Object.values(values).filter((value) => typeof value === 'number' && value > 0);
    expect(new Set(transactions.map(({ kind }) => kind))).toEqual(new Set(all(TransactionKind)));
    expect(new Set(transactions.map(({ status }) => status))).toEqual(new Set(all(TransactionStatus)));
    const cases = new Set(
      EventSchema.oneofs
        .flatMap(({ name, fields }) => (name === 'payload' ? fields : []))
        .map(({ localName }) => localName),
    );
    cases.delete('epochStarted');
    expect(new Set(events.map(({ event }) => event.payload.case))).toEqual(cases);
    expect(transactions.some(({ reversedByTransactionId }) => reversedByTransactionId !== '')).toBe(true);
    expect(transactions.some(({ payment }) => (payment?.refunded ?? 0n) > 0n)).toBe(true);
  });
}

function readsOfOneThing(freshView: FreshView): void {
  test('a view that has seen nothing has nothing and the empty checkpoint', async () => {
    const view = await freshView();
    const nothing = { value: undefined, asOf: emptyCheckpoint(0) };
    expect(await view.checkpoint(0)).toEqual(emptyCheckpoint(0));
    expect(await view.ledger(0, 'main')).toEqual(nothing);
    expect(await view.account(0, 'main', 'alice')).toEqual(nothing);
    expect(await view.balanceAtPosition(0, 'main', 'alice', 9n)).toEqual(nothing);
    expect(await view.transactions(transactionListing('main'))).toEqual({ ...nothing, value: [] });
    expect(await view.statement(statementQuery('main', 'alice'))).toEqual(nothing);
    expect(await view.rows({ ledgerId: null, afterKey: null, limit: 10 })).toEqual([]);
  });

  test('after every event the view is exactly the history up to it', async () => {
    const view = await freshView();
    const fixture = scenario(1, 120);
    for (const { position, event } of fixture.events) {
      await view.apply(fixture.batch(position, position));
      const history = naive(fixture.events, position);
      expect(await view.checkpoint(0)).toEqual({
        partition: 0,
        offset: position,
        ...fixture.point(position),
      });
      const ledgerId = event.ledgerId === '' ? 'main' : event.ledgerId;
      const accounts = await view.accounts(accountListing(ledgerId));
      expect(accounts.asOf.position).toBe(position);
      expect(accounts.value.map(({ account }) => toJson(AccountSchema, account))).toEqual(
        history.accounts(accountListing(ledgerId)).map((account) => toJson(AccountSchema, account)),
      );
      const transactions = await view.transactions(transactionListing(ledgerId));
      expect(transactions.value.map((made) => toJson(TransactionSchema, made))).toEqual(
        history.allTransactions(ledgerId).map((made) => toJson(TransactionSchema, made)),
      );
    }
  });

  test('a ledger, an account and a transaction are found by id, in their own ledger only', async () => {
    const view = await freshView();
    const fixture = scenario(2, 150);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    const asOf = await view.checkpoint(0);
    for (const ledger of history.ledgers()) {
      const { ledgerId } = ledger;
      expectMessage(LedgerSchema, await view.ledger(0, ledgerId), { value: ledger, asOf });
      for (const accountId of [...ACCOUNTS, '@settlement:EUR']) {
        const value = history.account(ledgerId, accountId);
        expectMessage(AccountSchema, await view.account(0, ledgerId, accountId), { value, asOf });
      }
      for (const value of history.allTransactions(ledgerId)) {
        const read = await view.transaction(0, ledgerId, value.transactionId);
        expectMessage(TransactionSchema, read, { value, asOf });
        const elsewhere = LEDGERS.find((other) => other !== ledgerId) ?? '';
        expect((await view.transaction(0, elsewhere, value.transactionId)).value).toBeUndefined();
      }
    }
    expect(await view.ledger(0, 'mai')).toEqual({ value: undefined, asOf });
    expect(await view.account(0, 'main', 'alic')).toEqual({ value: undefined, asOf });
  });

  test('a balance at any past position is what the account was then', async () => {
    const view = await freshView();
    const fixture = scenario(3, 100);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    for (const accountId of ['alice', 'Bob', '@settlement:USD']) {
      for (let position = 0n; position < fixture.events.length; position++) {
        const { value } = await view.balanceAtPosition(0, 'main', accountId, position);
        const expected = history.balanceAt('main', accountId, position);
        expectMessage(BalanceSchema, { value }, { value: expected });
      }
    }
  });

  test('a balance at an effective time sums what is dated so, and has no held, available or version', async () => {
    const view = await freshView();
    const fixture = scenario(4, 120);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    for (const [accountId, time] of timesOfEntries(history)) {
      for (const at of [time - 1n, time]) {
        const { value } = await view.balanceAtEffectiveTime(0, 'main', accountId, at);
        const posted = history.postedAtEffective('main', accountId, at);
        expect(value?.posted).toBe(posted);
        expect([value?.held, value?.available, value?.version]).toEqual([undefined, undefined, 0n]);
        expect((value?.credits ?? 0n) - (value?.debits ?? 0n)).toBe(posted);
        const statement = { ...statementQuery('main', accountId), range: { from: null, to: at + 1n } };
        expect((await view.statement(statement)).value?.closing).toBe(posted);
      }
    }
    expect((await view.balanceAtEffectiveTime(0, 'main', 'nobody', fixture.now)).value).toBeUndefined();
  });
}

function balancesBeforeTheFirstEntry(freshView: FreshView): void {
  test('before its first dated entry an account has 0, as its statement says, also before it was opened', async () => {
    const view = await freshView();
    const fixture = scenario(4, 120);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    for (const accountId of ['alice', 'Bob', '@settlement:USD']) {
      const { value } = await view.balanceAtEffectiveTime(0, 'main', accountId, 0n);
      const position = history.openedAt('main', accountId);
      const nothing = { accountId, posted: 0n, credits: 0n, debits: 0n, version: 0n, position };
      expect(value).toMatchObject(nothing);
      const statement = { ...statementQuery('main', accountId), range: { from: 1n, to: 2n } };
      expect((await view.statement(statement)).value).toMatchObject({ opening: 0n, closing: 0n });
      // What was known at a position is another question: there the account did not exist yet.
      const before = await view.balanceAtPosition(0, 'main', accountId, position - 1n);
      expect(before.value).toBeUndefined();
    }
    expect((await view.balanceAtEffectiveTime(0, 'main', 'nobody', 0n)).value).toBeUndefined();
  });
}

function timesOfEntries(history: NaiveHistory): [accountId: string, time: bigint][] {
  return history.entries(entryListing('main')).map((row) => [row.entry.accountId, row.effectiveTime]);
}

function readsOfLists(freshView: FreshView): void {
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

function readsOfStatements(freshView: FreshView): void {
  test('a statement runs from its opening to its closing balance, whatever its basis, range, position and pages', async () => {
    const view = await freshView();
    const fixture = scenario(10, COMMANDS);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    const random = seeded(10);
    for (let n = 0; n < 80; n++) {
      const query = randomStatementQuery(random, fixture.events);
      let after: StatementKey | null = null;
      for (;;) {
        const page: StatementQuery = { ...query, after };
        const { value } = await view.statement(page);
        const expected = history.statement(page);
        expect(value && { ...value, lines: value.lines.map(plain) }).toEqual(
          expected && { ...expected, lines: expected.lines.map(plain) },
        );
        const last: EntryRow | undefined = value?.lines.at(-1);
        if (last === undefined) break;
        const time = query.basis === 'effective' ? last.effectiveTime : last.recordedTime;
        after = { time, position: last.position, index: last.entry.index };
      }
    }
  });

  test('a statement before its account was opened is not there', async () => {
    const view = await freshView();
    const fixture = scenario(11, 20);
    await view.apply(fixture.batch());
    const opened = naive(fixture.events).openedAt('main', 'shop');
    const query = statementQuery('main', 'shop');
    expect((await view.statement({ ...query, through: opened - 1n })).value).toBeUndefined();
    expect((await view.statement({ ...query, through: opened })).value).toMatchObject({
      opening: 0n,
      closing: 0n,
    });
    expect((await view.statement(statementQuery('main', 'nobody'))).value).toBeUndefined();
  });
}

function readsWhileEventsComeIn(freshView: FreshView): void {
  test('pages that carry a position are as of it, whatever comes in between', async () => {
    const view = await freshView();
    const fixture = scenario(12, 150);
    const last = fixture.events.at(-1)?.position ?? 0n;
    const through = last / 2n;
    await view.apply(fixture.batch(0n, through));
    const history = naive(fixture.events, through);
    let next = through;
    const more = async () => {
      next += 3n;
      if (next <= last) await view.apply(fixture.batch(next - 2n, next));
    };
    const listing = { ...transactionListing('main'), through, limit: 4 };
    const transactions = await pages(
      async (after: bigint | null) => {
        await more();
        return (await view.transactions({ ...listing, after })).value;
      },
      ({ position }) => position,
    );
    expect(transactions.map(({ position }) => position)).toEqual(
      history.allTransactions('main').map(({ position }) => position),
    );
    const lines = { ...entryListing('main'), through, limit: 4 };
    const entries = await pages(
      async (after: EntryKey | null) => {
        await more();
        return (await view.entries({ ...lines, after })).value;
      },
      ({ position, entry }) => ({ position, index: entry.index }),
    );
    expect(entries.map(plain)).toEqual(history.entries({ ...lines, limit: 1000 }).map(plain));
    const query = { ...statementQuery('main', 'alice'), through };
    const statement = (await view.statement(query)).value;
    const expected = history.statement(query);
    expect(statement?.closing).toBe(expected?.closing);
    expect(statement?.lines.map(plain)).toEqual(expected?.lines.map(plain));
    expect(next).toBeGreaterThan(through);
  });

  test('data and position of a read are of one moment', async () => {
    const view = await freshView();
    const fixture = scenario(13, 200);
    let done = false;
    const applying = (async () => {
      for (const { position } of fixture.events) await view.apply(fixture.batch(position, position));
      done = true;
    })();
    const reads = [];
    while (!done) reads.push(await view.account(0, 'main', 'alice'));
    await applying;
    for (const { value, asOf } of reads) {
      const expected = naive(fixture.events, asOf.position).account('main', 'alice');
      expectMessage(AccountSchema, { value }, { value: expected });
    }
  });
}

function writesAreIdempotent(freshView: FreshView): void {
  test('batches cut anywhere, repeated and overlapping, leave equal rows', async () => {
    const fixture = scenario(14, 80);
    const expected = naive(fixture.events).rows();
    const last = fixture.events.length - 1;
    const cuts = fc.array(fc.tuple(fc.nat(last), fc.nat(20)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (pairs) => {
        const view = await freshView();
        const ends = [...pairs.map(([end]) => end), last].sort((a, b) => a - b);
        for (const [index, end] of ends.entries()) {
          const overlap = pairs[index]?.[1] ?? 0;
          const start = Math.max(0, (ends[index - 1] ?? -1) + 1 - overlap);
          await view.apply(fixture.batch(BigInt(Math.min(start, end)), BigInt(end)));
          if (overlap % 3 === 0) await view.apply(fixture.batch(BigInt(Math.min(start, end)), BigInt(end)));
        }
        expect(await allRows(view)).toEqual(expected);
      }),
      { numRuns: 15, seed: 14 },
    );
  });

  test('appliers that race with the same batches apply each event once', async () => {
    const view = await freshView();
    const fixture = scenario(15, 100);
    const applyAll = async (step: bigint) => {
      for (let from = 0n; from < fixture.events.length; from += step)
        await view.apply(fixture.batch(from, from + step - 1n));
    };
    await Promise.all([applyAll(7n), applyAll(7n), applyAll(7n)]);
    expect(await allRows(view)).toEqual(naive(fixture.events).rows());
  });

  test('partitions move their checkpoints by themselves', async () => {
    const view = await freshView();
    const fixture = scenario(16, 40);
    const of = (partition: number): BusBatch => {
      const batch = fixture.batch();
      const isHere = ({ event }: RecordedEvent) =>
        event.ledgerId === '' || (event.ledgerId === 'main') === (partition === 0);
      return { ...batch, partition, events: batch.events.filter(isHere) };
    };
    await view.apply(of(0));
    expect(await view.checkpoint(1)).toEqual(emptyCheckpoint(1));
    expect((await view.account(0, 'main', 'alice')).value).toBeDefined();
    expect((await view.account(1, 'main-B', 'alice')).value).toBeUndefined();
    await view.apply(of(1));
    expect(await allRows(view)).toEqual(naive(fixture.events).rows());
    const ledgers = { partition: 1, through: null, limit: 10, idPrefix: '', after: null };
    expect((await view.ledgers(ledgers)).value.map(({ ledgerId }) => ledgerId)).toEqual(['main-B', 'main.a']);
  });

  test('the checkpoint moves by a watermark alone, and never back', async () => {
    const view = await freshView();
    const fixture = scenario(17, 10);
    await view.apply(fixture.batch(0n, 0n));
    await view.apply({ partition: 0, events: [], offset: 7n, watermark: fixture.point(5n) });
    const moved = { partition: 0, offset: 7n, ...fixture.point(5n) };
    expect(await view.checkpoint(0)).toEqual(moved);
    await view.apply({ partition: 0, events: [], offset: 3n, watermark: fixture.point(4n) });
    expect(await view.checkpoint(0)).toEqual(moved);
    expect(await allRows(view)).toEqual([]);
  });
}

function whatIsNotApplied(freshView: FreshView): void {
  test('an unknown event stops the view and moves neither data nor checkpoint', async () => {
    const view = await freshView();
    const fixture = scenario(18, 60);
    const batch = fixture.batch();
    const last = batch.events.findLast(({ event }) => event.payload.case === 'transactionPosted');
    if (last === undefined) throw new Error('nothing was posted');
    await view.apply(fixture.batch(0n, last.position - 5n));
    const before = [await allRows(view), await view.checkpoint(0)];
    const upTo = batch.events.filter(({ position }) => position < last.position);
    for (const alien of aliens(last)) {
      await expect(view.apply({ ...batch, events: [...upTo, alien] })).rejects.toThrow(UnknownEventError);
      expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
    }
    const [ignorable] = aliens(last);
    if (ignorable === undefined) throw new Error('no alien');
    ignorable.event.ignorable = true;
    const watermark = fixture.point(last.position);
    await view.apply({ ...batch, events: [...upTo, ignorable], offset: last.position, watermark });
    expect(await allRows(view)).toEqual(naive(fixture.events, last.position - 1n).rows());
    expect(await view.checkpoint(0)).toMatchObject({ position: last.position });
  });

  test('a later epoch that begins where the view has been fails, what an ended epoch sent late is passed over', async () => {
    const view = await freshView();
    const fixture = scenario(19, 30);
    const batch = fixture.batch();
    const fork = 40n;
    await view.apply(fixture.batch(0n, fork));
    const inEpoch = (recorded: RecordedEvent, epoch: number): RecordedEvent => {
      const event = clone(EventSchema, recorded.event);
      event.epoch = epoch;
      return { ...recorded, event };
    };
    const later = (from: bigint): BusBatch => ({
      ...batch,
      events: fixture.batch(from).events.map((recorded) => inEpoch(recorded, 1)),
      watermark: { ...batch.watermark, epoch: 1 },
    });
    await expect(view.apply(later(fork))).rejects.toThrow(LostEventsError);
    expect(await view.checkpoint(0)).toMatchObject({ epoch: 0, position: fork });
    await view.apply({
      partition: 0,
      events: [],
      offset: fork + 1n,
      watermark: { ...fixture.point(fork + 1n), epoch: 1 },
    });
    const rows = await allRows(view);
    await view.apply(fixture.batch(fork + 2n));
    expect(await allRows(view)).toEqual(rows);
    expect(await view.checkpoint(0)).toMatchObject({ epoch: 1, position: fork + 1n });
  });
}

/** The event as a newer program would write it. */
function aliens(recorded: RecordedEvent): RecordedEvent[] {
  const postedOf = ({ payload }: RecordedEvent['event']) => {
    if (payload.case !== 'transactionPosted') throw new Error('not a posted transaction');
    return payload.value;
  };
  const unknown = 99;
  const changes: ((event: RecordedEvent['event']) => void)[] = [
    (event) => (event.payload = { case: undefined }),
    (event) => Object.assign(event, { commandType: unknown }),
    (event) => Object.assign(postedOf(event), { kind: unknown }),
    (event) => Object.assign(postedOf(event).accounts[0] ?? {}, { status: unknown }),
    (event) => Object.assign(postedOf(event).accounts[0] ?? {}, { type: unknown }),
    (event) => Object.assign(postedOf(event).entries[0] ?? {}, { direction: unknown }),
  ];
  return changes.map((change) => {
    const event = clone(EventSchema, recorded.event);
    change(event);
    return { ...recorded, event };
  });
}

function generationsOf(generations: () => ViewGenerations<HistoryView>): void {
  test('generations fill beside each other; readers see the one that serves, and learn when theirs is gone', async () => {
    const all = generations();
    const fixture = scenario(20, 40);
    const first = await all.current();
    await first.apply(fixture.batch(0n, 20n));
    const second = await all.create();
    expect((await all.current()).generation).toBe(first.generation);
    expect(await allRows(second)).toEqual([]);
    await second.apply(fixture.batch());
    expect(await first.checkpoint(0)).toMatchObject({ position: 20n });
    await expect(all.drop(first.generation)).rejects.toThrow();
    await expect(all.switchTo(second.generation + 1000)).rejects.toThrow();
    await all.switchTo(second.generation);
    expect((await all.current()).generation).toBe(second.generation);
    expect(await all.list()).toEqual(expect.arrayContaining([first.generation, second.generation]));
    await first.account(0, 'main', 'alice');
    await all.drop(first.generation);
    expect(await all.list()).not.toContain(first.generation);
    await expect(first.account(0, 'main', 'alice')).rejects.toThrow(GenerationGoneError);
    await expect(first.transactions(transactionListing('main'))).rejects.toThrow(GenerationGoneError);
    await expect(first.checkpoint(0)).rejects.toThrow(GenerationGoneError);
    await expect(first.apply(fixture.batch())).rejects.toThrow(GenerationGoneError);
    const third = await all.create();
    expect(third.generation).toBeGreaterThan(second.generation);
    expect(await allRows(await all.current())).toEqual(naive(fixture.events).rows());
    await all.migrate();
    expect((await all.current()).generation).toBe(second.generation);
  });
}

function rowsForComparison(freshView: FreshView): void {
  test('rows come in order of their keys in pages of any size, of one ledger or of all', async () => {
    const view = await freshView();
    const fixture = scenario(21, 60);
    await view.apply(fixture.batch());
    const expected = naive(fixture.events).rows();
    for (const limit of [1, 7, 1000]) expect(await allRows(view, null, limit)).toEqual(expected);
    for (const ledgerId of LEDGERS) {
      const own = expected.filter(({ key }) => key.split(' ')[1] === ledgerId);
      expect(await allRows(view, ledgerId, 13)).toEqual(own);
    }
    expect(await allRows(view, 'mai', 13)).toEqual([]);
  });
}

async function allRows(view: HistoryView, ledgerId: string | null = null, limit = 500): Promise<ViewRow[]> {
  const all: ViewRow[] = [];
  for (;;) {
    const page = await view.rows({ ledgerId, afterKey: all.at(-1)?.key ?? null, limit });
    all.push(...page);
    if (page.length < limit) return all;
  }
}

async function pages<T, K>(
  read: (after: K | null) => Promise<readonly T[]>,
  keyOf: (last: T) => K,
): Promise<T[]> {
  const all: T[] = [];
  let after: K | null = null;
  for (;;) {
    const page: readonly T[] = await read(after);
    const last = page.at(-1);
    if (last === undefined) return all;
    all.push(...page);
    after = keyOf(last);
  }
}

function plain(row: EntryRow) {
  return { ...row, entry: toJson(EntrySchema, row.entry) };
}

/** Messages are equal if they say the same; what they are made of may differ. */
function expectMessage<D extends DescMessage>(
  schema: D,
  actual: { readonly value: MessageShape<D> | undefined; readonly asOf?: unknown },
  expected: { readonly value: MessageShape<D> | undefined; readonly asOf?: unknown },
): void {
  const text = ({ value, asOf }: typeof actual) => ({
    value: value === undefined ? undefined : toJson(schema, create(schema, value)),
    asOf,
  });
  expect(text(actual)).toEqual(text(expected));
}

const OPEN: TimeRange = { from: null, to: null };

function accountListing(ledgerId: string): AccountListing {
  return {
    partition: 0,
    ledgerId,
    idPrefix: '',
    currency: '',
    type: AccountType.UNSPECIFIED,
    status: AccountStatus.UNSPECIFIED,
    ownerReference: '',
    after: null,
    through: null,
    limit: 1000,
  };
}

function transactionListing(ledgerId: string): TransactionListing {
  return {
    partition: 0,
    ledgerId,
    accountId: '',
    kind: TransactionKind.UNSPECIFIED,
    status: TransactionStatus.UNSPECIFIED,
    reference: '',
    paymentId: '',
    recorded: OPEN,
    effective: OPEN,
    descending: false,
    after: null,
    through: null,
    limit: 1000,
  };
}

function entryListing(ledgerId: string): EntryListing {
  return {
    partition: 0,
    ledgerId,
    accountId: '',
    kind: TransactionKind.UNSPECIFIED,
    direction: Direction.UNSPECIFIED,
    transactionId: '',
    recorded: OPEN,
    effective: OPEN,
    descending: false,
    after: null,
    through: null,
    limit: 1000,
  };
}

function statementQuery(ledgerId: string, accountId: string): StatementQuery {
  return {
    partition: 0,
    ledgerId,
    accountId,
    basis: 'effective',
    range: OPEN,
    through: null,
    after: null,
    limit: 1000,
  };
}

const TYPES = [AccountType.LIABILITY, AccountType.ASSET, AccountType.REVENUE];
const ACCOUNT_STATUSES = [AccountStatus.OPEN, AccountStatus.FROZEN, AccountStatus.CLOSED];
const SIDES = [Direction.DEBIT, Direction.CREDIT];

/** One in `chance` times. */
function sometimes<T>(random: Random, chance: number, value: () => T, otherwise: T): T {
  return random(chance) === 0 ? value() : otherwise;
}

function randomRange(random: Random, events: readonly RecordedEvent[]): TimeRange {
  const time = () => pick(random, events).event.recordedTimeMicros + BigInt(random(3) - 1);
  return { from: sometimes(random, 2, time, null), to: sometimes(random, 2, time, null) };
}

function randomThrough(random: Random, events: readonly RecordedEvent[]): bigint | null {
  return sometimes(random, 3, () => pick(random, events).position, null);
}

function randomAccountListing(random: Random, events: readonly RecordedEvent[]): AccountListing {
  return {
    ...accountListing(pick(random, LEDGERS)),
    idPrefix: sometimes(random, 3, () => pick(random, ['a', 'alice', 'alice-', '@', 'B', 'zz']), ''),
    currency: sometimes(random, 3, () => pick(random, ['EUR', 'USD']), ''),
    type: sometimes(random, 3, () => pick(random, TYPES), AccountType.UNSPECIFIED),
    status: sometimes(random, 3, () => pick(random, ACCOUNT_STATUSES), AccountStatus.UNSPECIFIED),
    ownerReference: sometimes(random, 3, () => pick(random, OWNERS), ''),
    through: randomThrough(random, events),
    limit: 1 + random(5),
  };
}

function randomTransactionListing(
  random: Random,
  events: readonly RecordedEvent[],
  history: NaiveHistory,
): TransactionListing {
  const ledgerId = pick(random, LEDGERS);
  const some = () => pick(random, history.allTransactions(ledgerId));
  return {
    ...transactionListing(ledgerId),
    accountId: sometimes(random, 2, () => pick(random, [...ACCOUNTS, '@settlement:EUR']), ''),
    kind: sometimes(random, 4, () => some().kind, TransactionKind.UNSPECIFIED),
    status: sometimes(random, 4, () => some().status, TransactionStatus.UNSPECIFIED),
    reference: sometimes(random, 5, () => pick(random, REFERENCES), ''),
    paymentId: sometimes(random, 5, () => pick(random, [some().paymentId, some().transactionId]), ''),
    recorded: sometimes(random, 3, () => randomRange(random, events), OPEN),
    effective: sometimes(random, 3, () => randomRange(random, events), OPEN),
    descending: random(2) === 0,
    through: randomThrough(random, events),
    limit: 1 + random(20),
  };
}

function randomEntryListing(
  random: Random,
  events: readonly RecordedEvent[],
  history: NaiveHistory,
): EntryListing {
  const ledgerId = pick(random, LEDGERS);
  const some = () => pick(random, history.allTransactions(ledgerId));
  return {
    ...entryListing(ledgerId),
    accountId: sometimes(random, 2, () => pick(random, [...ACCOUNTS, '@settlement:EUR']), ''),
    kind: sometimes(random, 4, () => some().kind, TransactionKind.UNSPECIFIED),
    direction: sometimes(random, 4, () => pick(random, SIDES), Direction.UNSPECIFIED),
    transactionId: sometimes(random, 6, () => some().transactionId, ''),
    recorded: sometimes(random, 3, () => randomRange(random, events), OPEN),
    effective: sometimes(random, 3, () => randomRange(random, events), OPEN),
    descending: random(2) === 0,
    through: randomThrough(random, events),
    limit: 1 + random(20),
  };
}

function randomStatementQuery(random: Random, events: readonly RecordedEvent[]): StatementQuery {
  const { from, to } = randomRange(random, events);
  return {
    ...statementQuery(pick(random, LEDGERS), pick(random, [...ACCOUNTS, '@settlement:EUR'])),
    basis: random(2) === 0 ? 'effective' : 'recorded',
    range: from !== null && to !== null && to < from ? { from: to, to: from } : { from, to },
    through: randomThrough(random, events),
    limit: 1 + random(15),
  };
}
