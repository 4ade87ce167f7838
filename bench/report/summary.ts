/** The repeats of each figure, summed up: medians and spreads, per build. */
import type { CpuTimes } from '../cpu.js';
import type { Figure, Limit, Run } from '../figure.js';
import { median, type Spread, spreadOf } from './statistics.js';

/** A limit with the median of what it was and of the ratios to it. */
export interface HeldAgainst {
  readonly name: string;
  readonly limit: number | undefined;
  /** How near the figure is: above 1 it is better than the limit. */
  readonly ratio: number | undefined;
  readonly aim: number | undefined;
}

/** A figure of one build over all repeats. */
export interface Summary {
  readonly id: string;
  readonly workload: string;
  readonly build: string;
  readonly unit: Figure['unit'];
  readonly repeats: number;
  readonly value: Spread;
  readonly latency_ms: Figure['latency_ms'];
  readonly cpu_us: (CpuTimes & { readonly client: number }) | undefined;
  readonly calibration_us: number | undefined;
  readonly against: readonly HeldAgainst[];
  readonly note: string | undefined;
}

/** In the order in which the figures were first measured; builds side by side. */
export function summarize(runs: readonly Run[]): readonly Summary[] {
  const groups = new Map<string, { readonly build: string; readonly figures: Figure[] }>();
  for (const { build, figures } of runs) {
    for (const figure of figures) {
      const key = `${figure.id} ${build}`;
      const group = groups.get(key) ?? { build, figures: [] };
      group.figures.push(figure);
      groups.set(key, group);
    }
  }
  const summaries = [...groups.values()].map(({ build, figures }) => summaryOf(build, figures));
  const order = [...new Set(summaries.map(({ id }) => id))];
  return summaries.sort((one, other) => order.indexOf(one.id) - order.indexOf(other.id));
}

function summaryOf(build: string, figures: readonly Figure[]): Summary {
  const last = figures.at(-1);
  if (last === undefined) throw new Error('a group of figures has one at least');
  const { id, unit, workload, note, limits } = last;
  return {
    id,
    workload,
    build,
    unit,
    repeats: figures.length,
    value: spreadOf(figures.map(({ value }) => value)),
    latency_ms: mediansOf(figures, ({ latency_ms }) => latency_ms),
    cpu_us: mediansOf(figures, ({ cpu_us }) => cpu_us),
    calibration_us: medianOf(figures.map(({ calibration_us }) => calibration_us)),
    against: limits.map(({ name, aim }) => {
      const held = figures.map((figure) => ({ figure, limit: limitNamed(figure, name) }));
      return {
        name,
        aim,
        limit: medianOf(held.map(({ limit }) => limit?.value)),
        ratio: medianOf(held.map(({ figure, limit }) => ratioOf(figure, limit))),
      };
    }),
    note,
  };
}

function limitNamed({ limits }: Figure, name: string): Limit | undefined {
  return limits.find((limit) => limit.name === name);
}

/** Of rates more is better, of times and memory less. */
export function ratioOf({ unit, value }: Figure, limit: Limit | undefined): number | undefined {
  if (limit?.value === undefined) return undefined;
  return unit === '/s' ? value / limit.value : limit.value / value;
}

function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}

/** Of records of numbers, the median of each member. */
function mediansOf<T extends object>(
  figures: readonly Figure[],
  partOf: (figure: Figure) => T | undefined,
): T | undefined {
  const parts = figures.map(partOf).filter((part) => part !== undefined);
  const [first] = parts;
  if (first === undefined) return undefined;
  const names = Object.keys(first) as (keyof T)[];
  const entries = names.map((name) => [name, median(parts.map((part) => Number(part[name])))] as const);
  // Each member is the median of the same member.
  return Object.fromEntries(entries) as T;
}
