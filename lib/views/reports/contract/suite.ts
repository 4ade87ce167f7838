/** What every store of the reports view must do: the suite that each adapter's test runs. */
import { clone } from '@bufbuild/protobuf';
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import { FIXTURE_START } from '../../../../test/ledger-fixture.js';
import type { BusBatch } from '../../../log/bus.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { emptyCheckpoint, UnknownEventError, type ViewGenerations, type ViewRow } from '../../view.js';
import { LostEventsError, MissedEventsError } from '../../view-errors.js';
import { batchOf, busyLedger, LEDGERS, seeded, spread } from './busy-ledger.js';
import { naiveCashFlow, naiveDeclines, naiveRank, naiveTrialBalance, naiveVolume } from './naive-reports.js';
import type { BucketQuery, RankQuery, ReportsView, TrialBalanceQuery } from '../view.js';

const MINUTE = 60_000_000n;
/** Wide enough that a few hundred events fall into several runs of 65,536 or 100,000 positions. */
const STRIDE = 997n;
const RUNS = 40;

/** Runs the suite. `fresh` gives generations in a store that holds nothing, migrated. */
export function reportsContract(fresh: () => Promise<ViewGenerations<ReportsView>>): void {
  const events = spread(busyLedger(11, 900).events, STRIDE);
  answersAreExact(events, fresh);
  sumsAreWide(events, fresh);
  writesAreIdempotent(events, fresh);
  batchesAreJudged(events.slice(0, 400), fresh);
  generationsAreApart(events, fresh);
}

function answersAreExact(
  events: readonly RecordedEvent[],
  fresh: () => Promise<ViewGenerations<ReportsView>>,
): void {
  let view: ReportsView;
  beforeAll(async () => {
    view = await (await fresh()).current();
    await applyCut(view, events, seeded(3));
  });
  const { scope, bounds, basis, time } = arbitraries(events);

  test('a trial balance is that of the events, for any grouping, time, position and page', async () => {
    const query = fc.record({
      scope,
      basis,
      before: fc.option(time),
      groupBy: fc.constantFrom<TrialBalanceQuery['groupBy']>('type', 'prefix', 'account'),
      limit: fc.integer({ min: 1, max: 12 }),
    });
    await check(query, async ({ scope, ...rest }) => {
      let after: TrialBalanceQuery['after'] = null;
      for (let page = 0; page < 6; page++) {
        const asked: TrialBalanceQuery = { ...scope, ...rest, after };
        const { value } = await view.trialBalance(asked);
        expect(value).toEqual(naiveTrialBalance(events, asked));
        for (const { debits, credits } of value.totals) expect(debits).toBe(credits);
        after = value.rows.at(-1) ?? null;
        if (after === null) return;
      }
    });
  });

  test('volume is that of the events, for any buckets, position and time basis', async () => {
    await check(fc.record({ scope, basis, bounds }), async ({ scope, basis, bounds }) => {
      const query: BucketQuery = { ...scope, basis, bounds };
      expect((await view.volume(query)).value).toEqual(naiveVolume(events, query));
    });
  });

  test('volume is that of the events in a thousand buckets, as many as may be asked for', async () => {
    const start = FIXTURE_START - MINUTE;
    const bounds = Array.from({ length: 1_001 }, (_, index) => start + BigInt(index) * 3n * MINUTE);
    for (const basis of ['effective', 'recorded'] as const) {
      const query: BucketQuery = {
        partition: 0,
        ledgerId: 'main',
        through: null,
        currency: '',
        basis,
        bounds,
      };
      expect((await view.volume(query)).value).toEqual(naiveVolume(events, query));
    }
  });

  test('declines are those of the events, by recorded time whatever the basis says', async () => {
    await check(fc.record({ scope, basis, bounds }), async ({ scope, basis, bounds }) => {
      const query: BucketQuery = { ...scope, basis, bounds };
      expect((await view.declines(query)).value).toEqual(naiveDeclines(events, query));
    });
  });

  test('cash flow is that of the events, of the ASSET accounts or of one account', async () => {
    const accountId = fc.constantFrom(null, 'user:bank.EUR', '@settlement:JPY', 'user:a.EUR', 'nobody');
    await check(
      fc.record({ scope, basis, bounds, accountId }),
      async ({ scope, basis, bounds, accountId }) => {
        const query = { ...scope, basis, bounds, accountId };
        expect((await view.cashFlow(query)).value).toEqual(naiveCashFlow(events, query));
      },
    );
  });

  test('a ranking is that of the events, of LIABILITY accounts only, equals by id', async () => {
    const query = fc.record({
      scope,
      basis,
      from: fc.option(time),
      to: fc.option(time),
      by: fc.constantFrom<RankQuery['by']>('debits', 'credits', 'count', 'posted'),
      limit: fc.integer({ min: 1, max: 12 }),
    });
    await check(query, async ({ scope, ...rest }) => {
      const asked: RankQuery = {
        ...scope,
        ...rest,
        currency: scope.currency === '' ? 'EUR' : scope.currency,
      };
      expect((await view.rank(asked)).value).toEqual(naiveRank(events, asked));
    });
  });

  test('answers are as of the checkpoint, also where there is nothing to answer', async () => {
    const last = batchOf(events);
    const asOf = { partition: 0, offset: last.offset, ...last.watermark };
    for (const ledgerId of ['main', 'nowhere']) {
      const common = { partition: 0, ledgerId, through: null, currency: '', basis: 'effective' } as const;
      const buckets = { ...common, bounds: [0n, MINUTE] };
      expect((await view.volume(buckets)).asOf).toEqual(asOf);
      expect((await view.declines(buckets)).asOf).toEqual(asOf);
      expect((await view.cashFlow({ ...buckets, accountId: null })).asOf).toEqual(asOf);
      expect((await view.rank({ ...common, from: null, to: null, by: 'count', limit: 1 })).asOf).toEqual(
        asOf,
      );
      const all = { ...common, before: null, groupBy: 'type', after: null, limit: 1 } as const;
      expect((await view.trialBalance(all)).asOf).toEqual(asOf);
    }
  });

  test('a view that has seen nothing answers nothing as of the empty checkpoint', async () => {
    const empty = await (await fresh()).current();
    const common = {
      partition: 0,
      ledgerId: 'main',
      through: null,
      currency: '',
      basis: 'effective',
    } as const;
    expect(await empty.volume({ ...common, bounds: [0n, MINUTE] })).toEqual({
      value: [],
      asOf: emptyCheckpoint(0),
    });
    const all = { ...common, before: null, groupBy: 'account', after: null, limit: 10 } as const;
    expect(await empty.trialBalance(all)).toEqual({
      value: { rows: [], totals: [] },
      asOf: emptyCheckpoint(0),
    });
    expect(await allRows(empty)).toEqual([]);
    expect(await empty.checkpoint(0)).toEqual(emptyCheckpoint(0));
  });
}

function sumsAreWide(
  events: readonly RecordedEvent[],
  fresh: () => Promise<ViewGenerations<ReportsView>>,
): void {
  test('sums go beyond int64', async () => {
    const view = await (await fresh()).current();
    // A journal of nearly 10^18 many times over: no account may hold such sums, so they are posted as new events.
    const journal = events.find(
      ({ event }) =>
        event.payload.case === 'transactionPosted' && event.payload.value.amount === 999_999_999_999_999_999n,
    );
    const last = events.at(-1);
    if (journal === undefined || last === undefined) throw new Error('the busy ledger has such a journal');
    const many = Array.from({ length: 40 }, (_, index) => {
      const event = clone(EventSchema, journal.event);
      event.position = last.position + BigInt(index + 1);
      event.recordedTimeMicros = last.event.recordedTimeMicros + BigInt(index + 1) * 5n * MINUTE;
      return { ...journal, event, position: event.position };
    });
    await applyCut(view, many, seeded(5));
    const query: TrialBalanceQuery = {
      partition: 0,
      ledgerId: journal.event.ledgerId,
      through: null,
      currency: '',
      basis: 'recorded',
      before: null,
      groupBy: 'account',
      after: null,
      limit: 100,
    };
    const { value } = await view.trialBalance(query);
    expect(value).toEqual(naiveTrialBalance(many, query));
    expect(value.totals[0]?.debits).toBe(40n * 999_999_999_999_999_999n);
    const buckets: BucketQuery = { ...query, bounds: [0n, 2n ** 62n] };
    expect((await view.volume(buckets)).value).toEqual(naiveVolume(many, buckets));
  });
}

function writesAreIdempotent(
  events: readonly RecordedEvent[],
  fresh: () => Promise<ViewGenerations<ReportsView>>,
): void {
  test('rows are the same however the events were cut, repeated and overlapped', async () => {
    const generations = await fresh();
    const whole = await generations.current();
    await whole.apply(batchOf(events));
    const expected = await allRows(whole);
    expect(expected.map(({ key }) => key)).toEqual(expected.map(({ key }) => key).sort());
    expect(new Set(expected.map(({ key }) => key)).size).toBe(expected.length);
    for (const seed of [1, 2, 3]) {
      const view = await generations.create();
      await applyCut(view, events, seeded(seed), true);
      expect(await allRows(view, 7 + seed * 40)).toEqual(expected);
    }
    for (const ledgerId of LEDGERS) {
      const own = expected.filter(({ key }) => key.startsWith(`${ledgerId} `));
      expect(own.length).toBeGreaterThan(100);
      expect(await allRows(whole, 97, ledgerId)).toEqual(own);
    }
    expect(await allRows(whole, 10, 'nowhere')).toEqual([]);
  });

  test('rows at an earlier checkpoint are those of the events up to it', async () => {
    const generations = await fresh();
    const view = await generations.current();
    const half = events.slice(0, events.length / 2);
    await applyCut(view, half, seeded(4));
    const other = await generations.create();
    await other.apply(batchOf(events));
    const through = half.at(-1)?.position ?? 0n;
    const older = (await allRows(other)).filter(({ position }) => position <= through);
    const keys = new Set(older.map(({ key }) => key));
    expect((await allRows(view)).filter(({ key }) => keys.has(key))).toEqual(older);
  });

  test('a batch without events moves the checkpoint', async () => {
    const view = await (await fresh()).current();
    const first = batchOf(events.slice(0, 20));
    await view.apply(first);
    const watermark = { ...first.watermark, position: first.watermark.position + 5n };
    await view.apply({ ...first, events: [], offset: first.offset + 1n, watermark });
    expect(await view.checkpoint(0)).toEqual({ partition: 0, offset: first.offset + 1n, ...watermark });
  });

  test('an unknown event stops the view and moves neither data nor checkpoint', async () => {
    const view = await (await fresh()).current();
    await view.apply(batchOf(events.slice(0, 300)));
    const before = [await allRows(view), await view.checkpoint(0)];
    const next = events.slice(300, 340);
    const last = next.at(-1);
    if (last === undefined) throw new Error('no events');
    const alien = clone(EventSchema, last.event);
    alien.payload = { case: undefined };
    const withAlien = [...next.slice(0, -1), { ...last, event: alien }];
    await expect(view.apply(batchOf(withAlien))).rejects.toThrow(UnknownEventError);
    expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
    alien.ignorable = true;
    await view.apply(batchOf(withAlien));
    expect((await view.checkpoint(0)).position).toBe(last.position);
  });
}

function batchesAreJudged(
  events: readonly RecordedEvent[],
  fresh: () => Promise<ViewGenerations<ReportsView>>,
): void {
  const part = (from: number, to = events.length): BusBatch => batchOf(events.slice(from, to));
  const positionOf = (index: number) => events[index]?.position ?? -1n;

  test('a batch that follows an event which the view has not seen is refused, and changes nothing', async () => {
    const generations = await fresh();
    const view = await generations.current();
    await view.apply({ ...part(0, 200), after: -1n });
    const before = [await allRows(view), await view.checkpoint(0)];
    const late = { ...part(250), after: positionOf(249) };
    await expect(view.apply(late)).rejects.toThrow(MissedEventsError);
    await expect(view.apply({ ...late, events: [] })).rejects.toThrow(MissedEventsError);
    expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
    await view.apply({ ...part(200, 250), after: positionOf(199) });
    await view.apply(late);
    const whole = await generations.create();
    await whole.apply(part(0));
    expect(await allRows(view)).toEqual(await allRows(whole));
  });

  test('a batch of a later epoch that begins below the checkpoint is refused, and changes nothing', async () => {
    const view = await (await fresh()).current();
    await view.apply(part(0, 200));
    const before = [await allRows(view), await view.checkpoint(0)];
    const { watermark, ...forked } = part(150, 180);
    await expect(view.apply({ ...forked, watermark: { ...watermark, epoch: 1 } })).rejects.toThrow(
      LostEventsError,
    );
    expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
  });

  test('processes that apply the same partition at once, cut differently, leave what one would have left', async () => {
    const generations = await fresh();
    const applier = async (size: number) => {
      const view = await generations.current();
      for (let from = 0; from < events.length; from += size) {
        await view.apply({ ...part(from, from + size), after: positionOf(from - 1) });
        // One that was left behind by a rebalance goes on with what the other has applied long since.
        if (from >= size) await view.apply(part(from - size, from));
      }
    };
    await Promise.all([applier(20), applier(33), applier(150)]);
    const view = await generations.current();
    const whole = await generations.create();
    await whole.apply(part(0));
    expect(await allRows(view)).toEqual(await allRows(whole));
    expect(await view.checkpoint(0)).toEqual(await whole.checkpoint(0));
  });
}

function generationsAreApart(
  events: readonly RecordedEvent[],
  fresh: () => Promise<ViewGenerations<ReportsView>>,
): void {
  test('generations fill beside each other; readers see the one that serves', async () => {
    const generations = await fresh();
    const first = await generations.current();
    await first.apply(batchOf(events.slice(0, 200)));
    const second = await generations.create();
    expect(await allRows(second)).toEqual([]);
    await second.apply(batchOf(events));
    expect((await generations.current()).generation).toBe(first.generation);
    await generations.switchTo(second.generation);
    expect((await generations.current()).generation).toBe(second.generation);
    await generations.drop(first.generation);
    const query = { partition: 0, ledgerId: 'main', through: null, currency: '' } as const;
    await expect(first.volume({ ...query, basis: 'effective', bounds: [0n, 1n] })).rejects.toThrow(/gone/);
    expect(await generations.list()).toEqual([second.generation]);
  });
}

function arbitraries(events: readonly RecordedEvent[]) {
  const last = events.at(-1);
  if (last === undefined) throw new Error('no events');
  // Some days of backdated entries come before the first event. Aligned to 15 minutes, to odd minutes, and not at all.
  const first = FIXTURE_START - 3n * 1_440n * MINUTE;
  const end = last.event.recordedTimeMicros + 60n * MINUTE;
  const time = fc.oneof(
    fc.bigInt(first / (15n * MINUTE), end / (15n * MINUTE)).map((n) => n * 15n * MINUTE),
    fc.bigInt(first / (5n * MINUTE), end / (5n * MINUTE)).map((n) => n * 5n * MINUTE),
    fc.bigInt(first, end),
    fc.constantFrom(...events).map(({ event }) => event.recordedTimeMicros),
  );
  const through = fc.oneof(
    fc.constant(null),
    fc.constantFrom(...events).map(({ position }) => position),
    fc.bigInt(0n, last.position + 10n),
  );
  const scope = fc.record({
    partition: fc.constant(0),
    ledgerId: fc.constantFrom(...LEDGERS),
    through,
    currency: fc.constantFrom('', 'EUR', 'JPY'),
  });
  const bounds = fc
    .uniqueArray(time, { minLength: 2, maxLength: 9 })
    .map((times) => times.sort((a, b) => (a < b ? -1 : 1)));
  return { scope, bounds, time, basis: fc.constantFrom('effective' as const, 'recorded' as const) };
}

async function check<T>(values: fc.Arbitrary<T>, holds: (value: T) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(values, holds), { numRuns: RUNS, seed: 7 });
}

/** Applies events in batches of random sizes, if asked some of them again, and in overlaps. */
async function applyCut(
  view: ReportsView,
  events: readonly RecordedEvent[],
  random: (below: number) => number,
  again = false,
): Promise<void> {
  for (let at = 0; at < events.length;) {
    const size = 1 + random(60);
    const batch = events.slice(Math.max(0, at - (again ? random(20) : 0)), at + size);
    await view.apply(batchOf(batch));
    if (again && random(5) === 0) await view.apply(batchOf(batch));
    at += size;
  }
}

async function allRows(view: ReportsView, limit = 1_000, ledgerId: string | null = null): Promise<ViewRow[]> {
  const rows: ViewRow[] = [];
  for (;;) {
    const page = await view.rows({ ledgerId, afterKey: rows.at(-1)?.key ?? null, limit });
    rows.push(...page);
    if (page.length < limit) return rows;
  }
}
