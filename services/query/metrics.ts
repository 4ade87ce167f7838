/** What Prometheus learns of reads that ask for freshness: how long they waited for their view, and whether it came in time. */
import type { Registry } from 'prom-client';
import { Buckets, registerHistogram, SECONDS } from '../../lib/observe/buckets.js';
import { registerCounters, type Sample } from '../../lib/observe/gauges.js';

/**
 * `at_once`: the view was known to be there; `waited`: it came in time; `behind`: it did not, the read failed with
 * READ_MODEL_BEHIND; `gave_up`: the caller left, or the store of the view failed.
 */
export type WaitResult = 'at_once' | 'waited' | 'behind' | 'gave_up';

/** What is counted of one view. */
interface ViewFigures {
  readonly results: Record<WaitResult, number>;
  /** Seconds of those that did not end at once. */
  readonly waits: Buckets;
}

/** Counts, as plain numbers. */
export class ReadFigures {
  readonly views = new Map<string, ViewFigures>();
  /** Tokens whose place in the log was known to be right, and those that were looked up. */
  readonly tokens = { hit: 0, miss: 0 };

  waited(view: string, result: WaitResult, wait_ms: number): void {
    let figures = this.views.get(view);
    if (figures === undefined) {
      figures = { results: { at_once: 0, waited: 0, behind: 0, gave_up: 0 }, waits: new Buckets(SECONDS) };
      this.views.set(view, figures);
    }
    figures.results[result] += 1;
    if (result !== 'at_once') figures.waits.observe(wait_ms / 1000);
  }
}

/** Registers the metrics of the reads. */
export function readMetrics(registry: Registry, { views, tokens }: ReadFigures): void {
  registerCounters(registry, {
    name: 'quittance_fresh_reads_total',
    help: 'Reads that asked for a position or token, by view and by whether they waited for it.',
    labelNames: ['view', 'result'],
    samples: () =>
      [...views].flatMap(([view, { results }]) =>
        Object.entries(results).map(([result, reads]): Sample<'view' | 'result'> => [
          { view, result },
          reads,
        ]),
      ),
  });
  registerHistogram(registry, {
    name: 'quittance_read_wait_seconds',
    help: 'How long reads waited for their view; those that did not wait are not in it.',
    labelNames: ['view'],
    bounds: SECONDS,
    series: () => [...views].map(([view, { waits }]) => [{ view }, waits] as const),
  });
  registerCounters(registry, {
    name: 'quittance_token_checks_total',
    help: 'Consistency and page tokens checked against the log: known (hit), or looked up (miss).',
    labelNames: ['result'],
    samples: () => Object.entries(tokens).map(([result, checks]) => [{ result }, checks]),
  });
}
