/** The files that are generated, by their paths from the root of the project. */
import { ALERTS } from './alerts.js';
import { DASHBOARDS } from './dashboards.js';
import { dashboardJson } from './grafana.js';
import { rulesYaml, ruleTestsYaml } from './prometheus.js';

/** Each path with its text. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...DASHBOARDS.map(
      (dashboard) => [`deploy/grafana/dashboards/${dashboard.id}.json`, dashboardJson(dashboard)] as const,
    ),
    ['deploy/prometheus/rules.yml', rulesYaml(ALERTS)],
    ['deploy/prometheus/rules.test.yml', ruleTestsYaml(ALERTS)],
  ]);
}
