import { expect, test } from '@jest/globals';
import type { RowPage, ViewRow } from '../../../lib/views/view.js';
import { compareChangedMeanwhile, compareViews, emptyComparison } from '../compare.js';

const key = (position: number) => `entry ${String(position).padStart(8, '0')}`;
const entry = (position: number): ViewRow => ({
  key: key(position),
  position: BigInt(position),
  content: 'entry',
});
const sum = (position: number): ViewRow => ({ key: 'sum', position: BigInt(position), content: 'sum' });

/**
 * A list of entries and, behind them, one row that changes with each; it gains entries at every page that is
 * asked for.
 */
class GrowingView {
  readonly generation = 1;
  pages = 0;

  constructor(
    private count: number,
    private readonly gain: number,
  ) {}

  rows({ afterKey, limit }: RowPage): Promise<readonly ViewRow[]> {
    this.pages += 1;
    this.count += this.gain;
    const all = [...Array.from({ length: this.count }, (_, index) => entry(index)), sum(this.count - 1)];
    return Promise.resolve(all.filter((row) => afterKey === null || row.key > afterKey).slice(0, limit));
  }
}

const signal = new AbortController().signal;

test('equal rows are equal; a row that is missing, too many or another is a difference', async () => {
  const found = emptyComparison();
  await compareViews(new GrowingView(10_000, 0), new GrowingView(10_000, 0), 10_000n, found, signal);
  expect(found).toMatchObject({ compared: 10_001, different: 0, examples: [], changedMeanwhile: [] });
  const less = emptyComparison();
  await compareViews(new GrowingView(10, 0), new GrowingView(9, 0), 10n, less, signal);
  expect(less).toMatchObject({ different: 2, examples: [key(9), 'sum'], changedMeanwhile: [] });
  const more = emptyComparison();
  await compareViews(new GrowingView(9, 0), new GrowingView(10, 0), 10n, more, signal);
  expect(more).toMatchObject({ different: 2, examples: [key(9), 'sum'] });
});

test('rows that come faster than a short page is read do not keep the comparison from ending', async () => {
  const serving = new GrowingView(100, 500);
  const fresh = new GrowingView(100, 0);
  const found = emptyComparison();
  await compareViews(serving, fresh, 99n, found, signal);
  expect(found.different).toBe(0);
  expect(found.changedMeanwhile.map((row) => row.key)).toContain('sum');
  const before = serving.pages;
  await compareChangedMeanwhile(serving, fresh, found);
  expect(serving.pages - before).toBeLessThan(20);
  // All were changed since, so nothing can be said of them yet.
  expect(found).toMatchObject({ compared: 100, different: 0 });
  expect(found.changedMeanwhile.map((row) => row.key)).toContain('sum');
});
