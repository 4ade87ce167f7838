/** Metrics whose values are read when they are scraped: what they show costs nothing in between. */
import { Counter, Gauge, type LabelValues, type Registry } from 'prom-client';

/** The value of one series. */
export type Sample<L extends string> = readonly [LabelValues<L>, number];

export interface SampledOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  /** Every series there is; one that is left out is gone. If it fails, the last values stay: a scrape must not fail for it. */
  samples(): Iterable<Sample<L>> | Promise<Iterable<Sample<L>>>;
}

/** Registers a gauge of any number of series. */
export function registerGauges<L extends string>(
  registry: Registry,
  { name, help, labelNames, samples }: SampledOptions<L>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    async collect() {
      const found = await read(samples);
      if (found === undefined) return;
      this.reset();
      if (labelNames.length === 0) this.remove();
      for (const [labels, value] of found) this.set(labels, value);
    },
  });
}

/** Registers a gauge of one series; undefined: there is no value now. */
export function registerGauge(
  registry: Registry,
  name: string,
  help: string,
  value: () => number | undefined | Promise<number | undefined>,
): void {
  registerGauges(registry, {
    name,
    help,
    labelNames: [],
    samples: async () => {
      const found = await value();
      return found === undefined ? [] : [[{}, found]];
    },
  });
}

/** Registers counters that are counted elsewhere; a series, once there, must stay and never fall. */
export function registerCounters<L extends string>(
  registry: Registry,
  { name, help, labelNames, samples }: SampledOptions<L>,
): void {
  new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    async collect() {
      const found = await read(samples);
      if (found === undefined) return;
      this.reset();
      for (const [labels, value] of found) this.inc(labels, value);
    },
  });
}

/** Registers a counter of one series. */
export function registerCounter(registry: Registry, name: string, help: string, value: () => number): void {
  registerCounters(registry, { name, help, labelNames: [], samples: () => [[{}, value()]] });
}

async function read<L extends string>(
  samples: SampledOptions<L>['samples'],
): Promise<Iterable<Sample<L>> | undefined> {
  try {
    return await samples();
  } catch {
    return undefined;
  }
}

/** One read for all metrics of a scrape: they are collected at the same time. */
export function sharedRead<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}
