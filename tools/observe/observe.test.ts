/** Dashboards and alerts: what is committed is what their definition makes, and speaks of metrics that there are. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { documentedMetrics } from '../../test/documented-metrics.js';
import { ALERTS } from './alerts.js';
import { DASHBOARDS } from './dashboards.js';
import { generatedFiles } from './files.js';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const KNOWN = new Set(
  (['e', 'c', 'p', 'q', 's'] as const)
    .flatMap((place) => documentedMetrics(place))
    .map((line) => line.split(' ')[0]),
);
const OF_NODE = /^quittance_(process|nodejs)_/;

/** The metrics of an expression that are not in the table of docs/operations.md. */
function unknownIn(expr: string): readonly string[] {
  const names = expr.match(/quittance_\w+/g) ?? [];
  return names
    .filter((name) => !OF_NODE.test(name))
    .filter((name) => !KNOWN.has(name) && !KNOWN.has(name.replace(/_(bucket|sum|count)$/, '')));
}

test('the files in deploy/ are what the definition makes; if not, run npm run observe -- --write', () => {
  for (const [path, text] of generatedFiles()) {
    expect(existsSync(new URL(path, ROOT))).toBe(true);
    expect(read(path)).toBe(text);
  }
});

test('panels and alerts speak of metrics that docs/operations.md lists', () => {
  const queries = DASHBOARDS.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries));
  const exprs = [...queries, ...ALERTS].map(({ expr }) => expr);
  expect(exprs.length).toBeGreaterThan(70);
  expect(exprs.flatMap(unknownIn)).toEqual([]);
});

test('the five dashboards have panels with a title of their own and a description', () => {
  expect(DASHBOARDS.map(({ id }) => id)).toEqual(['money', 'commands', 'freshness', 'runtime', 'proof']);
  for (const { panels } of DASHBOARDS) {
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    for (const { description } of panels) expect(description.length).toBeGreaterThan(15);
  }
});

test('each alert has a runbook under its name, and each runbook an alert', () => {
  const page = read('docs/operations.md');
  const section = page.slice(page.indexOf('## Dashboards and alerts'), page.indexOf('## Read models'));
  const headings = [...section.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(headings.sort()).toEqual(ALERTS.map(({ name }) => name).sort());
});
