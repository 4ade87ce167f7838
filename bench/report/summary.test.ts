import { expect, test } from '@jest/globals';
import type { Figure } from '../figure.js';
import { ratioOf, summarize } from './summary.js';
import { svgOf } from './svg.js';
import { tableOf } from './table.js';

function figure(value: number, limit: number | undefined, more: Partial<Figure> = {}): Figure {
  return {
    id: 'p1',
    workload: 'P1 payments',
    unit: '/s',
    value,
    limits: [{ name: 'pgbench', value: limit, aim: 3 }],
    ...more,
  };
}

test('repeats of a figure become its median and spread, and the ratio is the median of the ratios', () => {
  const [summary, ...others] = summarize([
    { build: 'this', repeat: 0, figures: [figure(100, 100)] },
    { build: 'this', repeat: 1, figures: [figure(300, 100)] },
    { build: 'this', repeat: 2, figures: [figure(150, 50)] },
  ]);
  expect(others).toEqual([]);
  expect(summary?.value).toEqual({ median: 150, least: 100, most: 300 });
  expect(summary?.against).toEqual([{ name: 'pgbench', aim: 3, limit: 100, ratio: 3 }]);
});

test('builds stay apart and stand side by side', () => {
  const other = (value: number) => figure(value, undefined, { id: 'p2', workload: 'P2' });
  const summaries = summarize([
    { build: 'old', repeat: 0, figures: [figure(1, 1)] },
    { build: 'new', repeat: 0, figures: [figure(2, 1)] },
    { build: 'old', repeat: 0, figures: [other(3)] },
    { build: 'new', repeat: 0, figures: [other(4)] },
  ]);
  expect(summaries.map(({ id, build, value }) => [id, build, value.median])).toEqual([
    ['p1', 'old', 1],
    ['p1', 'new', 2],
    ['p2', 'old', 3],
    ['p2', 'new', 4],
  ]);
  expect(summaries[2]?.against[0]?.ratio).toBeUndefined();
});

test('CPU and latencies are medians member by member', () => {
  const cpu = (main: number, client: number) => ({ main, others: 1, postgres: 2, client });
  const [summary] = summarize(
    [cpu(10, 1), cpu(20, 3), cpu(90, 2)].map((cpu_us, repeat) => ({
      build: 'this',
      repeat,
      figures: [figure(1, 1, { cpu_us })],
    })),
  );
  expect(summary?.cpu_us).toEqual({ main: 20, others: 1, postgres: 2, client: 2 });
});

test('of rates more is better, of times and memory less', () => {
  const limit = { name: 'limit', value: 50, aim: 1 };
  expect(ratioOf(figure(100, 50), limit)).toBe(2);
  expect(ratioOf(figure(100, 50, { unit: 'ms' }), limit)).toBe(0.5);
});

test('the table has a row for each limit, and the drawing a bar for each aim', () => {
  const limits = [
    { name: 'pgbench', value: 1_000, aim: 2 },
    { name: 'echo', value: undefined, aim: undefined },
  ];
  const summaries = summarize([{ build: 'this', repeat: 0, figures: [figure(3_000, 1, { limits })] }]);
  const rows = tableOf('a machine', summaries).split('\n').slice(4, -1);
  expect(rows).toEqual([
    '| P1 payments | 3,000/s |  |  | pgbench 1,000/s | 3.00 | 2 |  |',
    '|  |  |  |  | echo | not measured |  |  |',
  ]);
  const drawn = svgOf('a <machine>', summaries);
  expect(drawn.match(/<rect x=/g)).toHaveLength(1);
  expect(drawn).toContain('3.00 of pgbench, aim 2');
  expect(drawn).toContain('a &lt;machine&gt;');
});
