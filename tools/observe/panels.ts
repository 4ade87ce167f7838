/** Asks a Prometheus every query of the dashboards. */
import { pause } from '../../lib/base/pause.js';
import { DASHBOARDS } from './dashboards.js';
import type { Dashboard, Panel, Query } from './definition.js';
import type { PrometheusServer, Sample } from './prometheus-server.js';

/** A query and what it gave. */
export interface Answered {
  readonly dashboard: Dashboard;
  readonly panel: Panel;
  readonly query: Query;
  readonly samples: readonly Sample[];
}

/** Ten scrapes. */
const RATE_INTERVAL = '10s';
const RETRY_MS = 500;

/** Each query of the panels that such a platform has, once it has data, or when the time is up. */
export async function answeredPanels(
  prometheus: PrometheusServer,
  isDistributed: boolean,
  limit_ms: number,
): Promise<readonly Answered[]> {
  const until_ms = performance.now() + limit_ms;
  const answered: Answered[] = [];
  for (const dashboard of DASHBOARDS) {
    for (const panel of dashboard.panels) {
      // What is asked here is neither: the rules over these metrics are tested by promtool.
      if (panel.isSecured === true) continue;
      if (isDistributed ? panel.isEmbedded === true : panel.isDistributed === true) continue;
      for (const query of panel.queries) {
        const samples = await samplesOf(prometheus, query, until_ms);
        answered.push({ dashboard, panel, query, samples });
      }
    }
  }
  return answered;
}

async function samplesOf(
  prometheus: PrometheusServer,
  { expr }: Query,
  until_ms: number,
): Promise<readonly Sample[]> {
  for (;;) {
    const samples = await prometheus.query(expr.replaceAll('$__rate_interval', RATE_INTERVAL));
    if (samples.length > 0 || performance.now() > until_ms) return samples;
    await pause(RETRY_MS);
  }
}

/** A line of the table: the panel, and the first of its values. */
export function lineOf({ dashboard, panel, query, samples }: Answered): string {
  const values = samples.slice(0, 4).map(({ labels, value }) => {
    const name = query.legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '');
    return `${name} = ${Number(value.toPrecision(4)).toString()}`;
  });
  const more = samples.length > 4 ? `, and ${String(samples.length - 4)} more` : '';
  return `${dashboard.id} | ${panel.title} | ${samples.length === 0 ? 'NO DATA' : values.join(', ') + more}`;
}
