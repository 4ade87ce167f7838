/** The metrics of webhooks for Prometheus. */
import type { Registry } from 'prom-client';
import { registerHistogram, SECONDS } from '../../lib/observe/buckets.js';
import { registerCounters, registerGauge, registerGauges, sharedRead } from '../../lib/observe/gauges.js';
import type { WebhookFigures } from './figures.js';
import type { WebhookTotals } from './store.js';

/** Registers them. The gauges show what the tables have: the same in every process. */
export function webhookMetrics(
  registry: Registry,
  { attempts, times }: WebhookFigures,
  totals: () => Promise<WebhookTotals>,
): void {
  const read = sharedRead(totals);
  registerCounters(registry, {
    name: 'quittance_webhook_attempts_total',
    help: 'Requests of webhooks sent by this process, by result; "parked": it failed, and was the last attempt.',
    labelNames: ['result'],
    samples: () => Object.entries(attempts).map(([result, count]) => [{ result }, count]),
  });
  registerHistogram(registry, {
    name: 'quittance_webhook_attempt_seconds',
    help: 'Time from the first step of a request of a webhook to the head of its answer, or to its failure.',
    bounds: SECONDS,
    series: () => [[{}, times]],
  });
  registerGauges(registry, {
    name: 'quittance_webhooks',
    help: 'Webhooks, by state.',
    labelNames: ['state'],
    samples: async () => {
      const { active, paused } = await read();
      return [
        [{ state: 'active' }, active],
        [{ state: 'paused' }, paused],
      ];
    },
  });
  const gauge = (name: string, help: string, valueOf: (totals: WebhookTotals) => number) =>
    registerGauge(registry, name, help, async () => valueOf(await read()));
  gauge(
    'quittance_webhooks_retrying',
    'Webhooks whose last attempt failed: they wait for the next one.',
    ({ retrying }) => retrying,
  );
  gauge(
    'quittance_webhook_oldest_retry_seconds',
    'How long the delivery has failed that has been retried for longest; 0 if none is.',
    ({ oldestRetrying_s }) => oldestRetrying_s,
  );
  gauge(
    'quittance_webhook_parked_deliveries',
    'Deliveries that were given up after the retry period.',
    ({ parked }) => parked,
  );
}
