/** Figures of calls: how many, how long, how many at once. */
import { Code } from '@connectrpc/connect';
import type { Registry } from 'prom-client';
import { Buckets, registerHistogram, SECONDS } from '../observe/buckets.js';
import { registerCounters, registerGauges } from '../observe/gauges.js';

export interface CallMetrics {
  /** Counts a call in; `end` counts it out once, however often it is called. `reason` is that of an error. */
  begin(method: string): { end(code: string, reason?: string): void };
}

/** The name of a code as gRPC writes it: `NOT_FOUND`. */
export function codeName(code: Code): string {
  // The one code that Connect and gRPC spell differently.
  if (code === Code.Canceled) return 'CANCELLED';
  return Code[code].replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

/** What is counted of one method. */
class MethodFigures {
  readonly calls = new Map<string, number>();
  readonly durations = new Buckets(SECONDS);
  inFlight = 0;

  end(code: string, began_ms: number): void {
    this.inFlight -= 1;
    this.calls.set(code, (this.calls.get(code) ?? 0) + 1);
    this.durations.observe((performance.now() - began_ms) / 1000);
  }
}

export function callMetrics(registry: Registry): CallMetrics {
  const methods = new Map<string, MethodFigures>();
  const errors = new Map<string, number>();
  registerCallMetrics(registry, methods, errors);
  return {
    begin: (method) => {
      let figures = methods.get(method);
      if (figures === undefined) {
        figures = new MethodFigures();
        methods.set(method, figures);
      }
      return count(figures, errors);
    },
  };
}

function registerCallMetrics(
  registry: Registry,
  methods: ReadonlyMap<string, MethodFigures>,
  errors: ReadonlyMap<string, number>,
): void {
  registerCounters(registry, {
    name: 'quittance_calls_total',
    help: 'Calls answered, by method and gRPC code.',
    labelNames: ['method', 'code'],
    samples: () =>
      [...methods].flatMap(([method, { calls }]) =>
        [...calls].map(([code, answered]) => [{ method, code }, answered] as const),
      ),
  });
  registerCounters(registry, {
    name: 'quittance_call_errors_total',
    help: 'Calls answered with an error, by the reason that docs/errors.md explains.',
    labelNames: ['reason'],
    samples: () => [...errors].map(([reason, failed]) => [{ reason }, failed] as const),
  });
  registerGauges(registry, {
    name: 'quittance_calls_in_flight',
    help: 'Calls that have begun and are not answered, by method.',
    labelNames: ['method'],
    samples: () => [...methods].map(([method, { inFlight }]) => [{ method }, inFlight] as const),
  });
  registerHistogram(registry, {
    name: 'quittance_call_duration_seconds',
    help: 'Time from a call to its answer, by method; streams count from open to end.',
    labelNames: ['method'],
    bounds: SECONDS,
    series: () => [...methods].map(([method, { durations }]) => [{ method }, durations] as const),
  });
}

function count(figures: MethodFigures, errors: Map<string, number>): ReturnType<CallMetrics['begin']> {
  const began_ms = performance.now();
  let hasEnded = false;
  figures.inFlight += 1;
  return {
    end: (code, reason) => {
      if (hasEnded) return;
      hasEnded = true;
      figures.end(code, began_ms);
      if (reason !== undefined) errors.set(reason, (errors.get(reason) ?? 0) + 1);
    },
  };
}
