/** Alerts as Prometheus reads them, and their tests as promtool does. */
import type { Alert, Series } from './definition.js';

const MADE = '# Made by `npm run generate:observe` from tools/observe/alerts.ts.\n';

/** The file of rules. */
export function rulesYaml(alerts: readonly Alert[]): string {
  const rules = alerts.flatMap((alert) => [
    `      - alert: ${alert.name}`,
    `        expr: ${quoted(alert.expr)}`,
    `        for: ${alert.for}`,
    '        labels:',
    `          severity: ${alert.severity}`,
    '        annotations:',
    ...Object.entries(annotationsOf(alert)).map(([name, text]) => `          ${name}: ${quoted(text)}`),
  ]);
  return `${MADE}groups:\n  - name: quittance\n    rules:\n${rules.join('\n')}\n`;
}

/** The file that `promtool test rules` runs: each alert fires where it must, and rests where it must. */
export function ruleTestsYaml(alerts: readonly Alert[]): string {
  const tests = alerts.flatMap((alert) => [
    ...testOf(`${alert.name} fires`, alert, alert.fires.series, alert.fires.labels),
    ...testOf(`${alert.name} rests`, alert, alert.rests, []),
  ]);
  return `${MADE}rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n${tests.join('\n')}\n`;
}

function annotationsOf({ name, summary }: Alert): Record<string, string> {
  return { summary, runbook: `docs/operations.md#${name.toLowerCase()}` };
}

function testOf(
  name: string,
  alert: Alert,
  series: Series,
  expected: readonly Readonly<Record<string, string>>[],
): readonly string[] {
  const alerts = expected.flatMap((labels) => [
    '          - exp_labels:',
    ...Object.entries({ ...labels, severity: alert.severity }).map(
      ([label, value]) => `              ${label}: ${quoted(value)}`,
    ),
    '            exp_annotations:',
    ...Object.entries(annotationsOf(alert)).map(([each, text]) => `              ${each}: ${quoted(text)}`),
  ]);
  return [
    `  - name: ${quoted(name)}`,
    '    interval: 1m',
    '    input_series:',
    ...Object.entries(series).flatMap(([each, values]) => [
      `      - series: ${quoted(each)}`,
      `        values: ${quoted(values)}`,
    ]),
    '    alert_rule_test:',
    `      - eval_time: ${alert.fires.at}`,
    `        alertname: ${alert.name}`,
    ...(alerts.length === 0 ? ['        exp_alerts: []'] : ['        exp_alerts:', ...alerts]),
  ];
}

/** In double quotes YAML and JSON agree. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
