/** Figures of calls: how many, how long, how many at once. */
import { Code } from '@connectrpc/connect';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface CallMetrics {
  /** Counts a call in; `end` counts it out once, whatever is called later. */
  begin(method: string): { end(code: string): void };
}

/** The name of a code as gRPC writes it: `NOT_FOUND`. */
export function codeName(code: Code): string {
  // The one code that Connect and gRPC spell differently.
  if (code === Code.Canceled) return 'CANCELLED';
  return Code[code].replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What is counted of one method. The registry's own counters hash their labels with every call (3 us and more). */
class MethodFigures {
  readonly calls = new Map<string, number>();
  /** Calls per bucket of duration, not cumulated; the last is beyond all. */
  readonly durations = new Array<number>(BUCKETS.length + 1).fill(0);
  duration_s = 0;
  inFlight = 0;

  end(code: string, began_ms: number): void {
    const took_s = (performance.now() - began_ms) / 1000;
    this.inFlight -= 1;
    this.calls.set(code, (this.calls.get(code) ?? 0) + 1);
    this.duration_s += took_s;
    let bucket = 0;
    while (bucket < BUCKETS.length && took_s > (BUCKETS[bucket] ?? 0)) bucket += 1;
    this.durations[bucket] = (this.durations[bucket] ?? 0) + 1;
  }
}

export function callMetrics(registry: Registry): CallMetrics {
  const methods = new Map<string, MethodFigures>();
  new Counter({
    name: 'quittance_calls_total',
    help: 'Calls answered, by method and gRPC code.',
    labelNames: ['method', 'code'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [method, { calls }] of methods) {
        for (const [code, count] of calls) this.inc({ method, code }, count);
      }
    },
  });
  new Gauge({
    name: 'quittance_calls_in_flight',
    help: 'Calls that have begun and are not answered, by method.',
    labelNames: ['method'],
    registers: [registry],
    collect() {
      for (const [method, { inFlight }] of methods) this.set({ method }, inFlight);
    },
  });
  registry.registerMetric(durationHistogram(methods));
  return {
    begin: (method) => {
      let figures = methods.get(method);
      if (figures === undefined) {
        figures = new MethodFigures();
        methods.set(method, figures);
      }
      return count(figures);
    },
  };
}

function count(figures: MethodFigures): { end(code: string): void } {
  const began_ms = performance.now();
  let hasEnded = false;
  figures.inFlight += 1;
  return {
    end: (code) => {
      if (hasEnded) return;
      hasEnded = true;
      figures.end(code, began_ms);
    },
  };
}

const DURATION = 'quittance_call_duration_seconds';

/** A histogram whose values are ours: the library's can only be fed one observation at a time. */
function durationHistogram(methods: ReadonlyMap<string, MethodFigures>): Histogram {
  const histogram = new Histogram({
    name: DURATION,
    help: 'Time from a call to its answer, by method; streams count from open to end.',
    labelNames: ['method'],
    buckets: BUCKETS,
    registers: [],
  });
  const get = histogram.get.bind(histogram);
  histogram.get = async () => {
    const empty = await get();
    return { ...empty, values: [...methods].flatMap(([method, figures]) => valuesOf(method, figures)) };
  };
  return histogram;
}

function valuesOf(method: string, { durations, duration_s }: MethodFigures) {
  let cumulated = 0;
  const buckets = durations.map((calls, index) => {
    cumulated += calls;
    const le = BUCKETS[index] ?? '+Inf';
    return { metricName: `${DURATION}_bucket`, labels: { method, le }, value: cumulated, exemplar: null };
  });
  return [
    ...buckets,
    { metricName: `${DURATION}_sum`, labels: { method }, value: duration_s, exemplar: null },
    { metricName: `${DURATION}_count`, labels: { method }, value: cumulated, exemplar: null },
  ];
}
