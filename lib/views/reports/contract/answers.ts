/** Every report says what the naive model says, at any position and by any bounds. */
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clone } from '@bufbuild/protobuf';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { FIXTURE_START } from '../../../../test/ledger-fixture.js';
import { emptyCheckpoint, type ViewGenerations } from '../../view.js';
import type { BucketQuery, RankQuery, ReportsView, TrialBalanceGroup, TrialBalanceQuery } from '../view.js';
import { allRows, applyCut, MINUTE } from './applying.js';
import { batchOf, LEDGERS, seeded, SHARES } from './busy-ledger.js';
import { naiveCashFlow, naiveDeclines, naiveRank, naiveTrialBalance, naiveVolume } from './naive-reports.js';

const RUNS = 40;

export function answersAreExact(
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
      groupBy: fc.constantFrom<TrialBalanceGroup>(
        'type',
        'account',
        { prefix: 1 },
        { prefix: 2 },
        { prefix: 3 },
      ),
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

export function sumsAreWide(
  events: readonly RecordedEvent[],
  fresh: () => Promise<ViewGenerations<ReportsView>>,
): void {
  test('sums go beyond int64', async () => {
    const view = await (await fresh()).current();
    // A journal of nearly 10^18 many times over: no account may hold such sums, so they are posted as new
    // events.
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

function arbitraries(events: readonly RecordedEvent[]) {
  const last = events.at(-1);
  if (last === undefined) throw new Error('no events');
  // Some days of backdated entries come before the first event. Aligned to 15 minutes, to odd minutes, and
  // not at all.
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
    currency: fc.constantFrom('', 'EUR', 'JPY', SHARES),
  });
  const bounds = fc
    .uniqueArray(time, { minLength: 2, maxLength: 9 })
    .map((times) => times.sort((a, b) => (a < b ? -1 : 1)));
  return { scope, bounds, time, basis: fc.constantFrom('effective' as const, 'recorded' as const) };
}

async function check<T>(values: fc.Arbitrary<T>, holds: (value: T) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(values, holds), { numRuns: RUNS, seed: 7 });
}
