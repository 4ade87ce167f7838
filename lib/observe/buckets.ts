/** Histograms that cost an array access per observation. The registry's own hash their labels with every one: 3 us and more. */
import { Histogram, type LabelValues, type Registry } from 'prom-client';

/** Durations from a millisecond to ten seconds. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** The observations of one series, by bucket. */
export class Buckets {
  readonly bounds: readonly number[];
  /** Observations per bucket, not cumulated; the last is beyond all bounds. */
  readonly counts: number[];
  sum = 0;

  /** @param bounds the upper bound of each bucket, the least first */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sum += value;
  }
}

/** A histogram as it is registered. `series` is read at each scrape: the labels and the buckets of each series. */
export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly bounds: readonly number[];
  series(): Iterable<readonly [LabelValues<string>, Buckets]>;
}

/** Registers a histogram whose values are ours: the library's can only be fed one observation at a time. */
export function registerHistogram(
  registry: Registry,
  { name, help, labelNames = [], bounds, series }: HistogramOptions,
): void {
  const histogram = new Histogram({
    name,
    help,
    labelNames: [...labelNames],
    buckets: [...bounds],
    registers: [],
  });
  const read = async () => {
    const values = [...series()].flatMap(([labels, buckets]) => valuesOf(name, labels, buckets));
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  };
  // A text is made of the second one, which the library's types do not know; JSON of the first.
  Object.assign(histogram, { get: read, getForPromString: read });
  registry.registerMetric(histogram);
}

function valuesOf(name: string, labels: LabelValues<string>, { bounds, counts, sum }: Buckets) {
  let cumulated = 0;
  const buckets = counts.map((count, index) => {
    cumulated += count;
    const le = bounds[index] ?? '+Inf';
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: cumulated, exemplar: null };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum, exemplar: null },
    { metricName: `${name}_count`, labels, value: cumulated, exemplar: null },
  ];
}
