/**
 * Whether all reports of a view are those of the events, for a handful of questions that meet every path of a
 * read.
 */
import { expect } from '@jest/globals';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import type { BucketQuery, ReportsView, TrialBalanceQuery } from '../view.js';
import { naiveCashFlow, naiveDeclines, naiveRank, naiveTrialBalance, naiveVolume } from './naive-reports.js';

const MINUTE = 60_000_000n;

export interface ExactScope {
  readonly partition: number;
  readonly ledgerId: string;
  /** Null: the checkpoint. */
  readonly through: bigint | null;
}

/** `events`: all that the view has seen. */
export async function expectExact(
  view: ReportsView,
  events: readonly RecordedEvent[],
  scope: ExactScope,
): Promise<void> {
  const times = events.map(({ event }) => event.recordedTimeMicros);
  const first = times[0] ?? 0n;
  const middle = times[Math.floor(times.length / 2)] ?? 0n;
  const last = times.at(-1) ?? 0n;
  const aligned = (time: bigint) => (time / (15n * MINUTE)) * 15n * MINUTE;
  for (const basis of ['effective', 'recorded'] as const) {
    const common = { ...scope, currency: '', basis };
    for (const before of [null, aligned(middle), middle]) {
      const query: TrialBalanceQuery = { ...common, before, groupBy: 'account', after: null, limit: 1_000 };
      expect((await view.trialBalance(query)).value).toEqual(naiveTrialBalance(events, query));
    }
    for (const bounds of [
      [aligned(first), aligned(middle), aligned(last) + 15n * MINUTE],
      [first - 7n * MINUTE, middle, last + 1n],
    ]) {
      const query: BucketQuery = { ...common, bounds };
      expect((await view.volume(query)).value).toEqual(naiveVolume(events, query));
      expect((await view.declines(query)).value).toEqual(naiveDeclines(events, query));
      for (const accountId of [null, 'user:a.EUR']) {
        const flow = { ...query, accountId };
        expect((await view.cashFlow(flow)).value).toEqual(naiveCashFlow(events, flow));
      }
    }
    const ranked = { ...common, currency: 'EUR', from: middle, to: null, by: 'posted', limit: 100 } as const;
    expect((await view.rank(ranked)).value).toEqual(naiveRank(events, ranked));
  }
}

/** All rows of a view, by pages. */
export async function allRowsOf(view: ReportsView, limit = 1_000) {
  const rows = [];
  for (;;) {
    const page = await view.rows({ ledgerId: null, afterKey: rows.at(-1)?.key ?? null, limit });
    rows.push(...page);
    if (page.length < limit) return rows;
  }
}
