/** Figures of calls: how many, how long, how many at once. */
import { Code } from '@connectrpc/connect';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface CallMetrics {
  /** Counts a call in; `end` counts it out once, whatever is called later. */
  begin(method: string): { end(code: string): void };
}

/** The name of a code as gRPC writes it: `NOT_FOUND`. */
export function codeName(code: Code): string {
  return Code[code].replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

export function callMetrics(registry: Registry): CallMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: 'quittance_calls_total',
    help: 'Calls answered, by method and gRPC code.',
    labelNames: ['method', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'quittance_call_duration_seconds',
    help: 'Time from a call to its answer, by method; streams count from open to end.',
    labelNames: ['method'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const inFlight = new Gauge({
    name: 'quittance_calls_in_flight',
    help: 'Calls that have begun and are not answered, by method.',
    labelNames: ['method'],
    registers,
  });
  return {
    begin: (method) => {
      const began_ms = performance.now();
      let hasEnded = false;
      inFlight.inc({ method });
      return {
        end: (code) => {
          if (hasEnded) return;
          hasEnded = true;
          inFlight.dec({ method });
          calls.inc({ method, code });
          duration.observe({ method }, (performance.now() - began_ms) / 1000);
        },
      };
    },
  };
}
