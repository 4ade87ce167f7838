/** The table of metrics in docs/operations.md, and what a process shows, in one form to compare. */
import { readFileSync } from 'node:fs';

/** A metric: its name, its type, and its labels in order, as in `quittance_calls_total counter code,method`. */
export type MetricLine = string;

/** The processes of the column "in"; `s`: all, where they are secured. */
export type MetricPlace = 'e' | 'c' | 'p' | 'q' | 's';

const ROW = /^\| `(quittance_\w+)` \| (counter|gauge|histogram) \| ([\w, ]*) ?\| ([ecpqs ]+) \| .{8,} \|$/;

/** The metrics that the table lists for a process, in order. */
export function documentedMetrics(place: MetricPlace): readonly MetricLine[] {
  const page = readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8');
  const rows = page.split('\n').flatMap((line) => {
    const [, name, type, labels = '', places = ''] = ROW.exec(line) ?? [];
    if (name === undefined || type === undefined || !places.split(' ').includes(place)) return [];
    return [
      lineOf(
        name,
        type,
        labels.split(',').map((label) => label.trim()),
      ),
    ];
  });
  return rows.sort();
}

const OF_NODE = /^quittance_(process|nodejs)_/;
const LABEL = /(\w+)="/g;

/**
 * The metrics that a scrape shows, in order, without those of Node.js. Labels are those of all its series together; a metric
 * without a series has none.
 */
export function shownMetrics(text: string): readonly MetricLine[] {
  const types = [...text.matchAll(/^# TYPE (quittance_\w+) (\w+)$/gm)];
  return types
    .filter(([, name = '']) => !OF_NODE.test(name))
    .map(([, name = '', type = '']) => {
      const series = text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{([^}]*)\\}`, 'gm'));
      const labels = new Set(
        [...series].flatMap(([, all = '']) => [...all.matchAll(LABEL)].map(([, label = '']) => label)),
      );
      labels.delete('le');
      return lineOf(name, type, [...labels]);
    })
    .sort();
}

function lineOf(name: string, type: string, labels: readonly string[]): MetricLine {
  return [
    name,
    type,
    labels
      .filter((label) => label !== '')
      .sort()
      .join(','),
  ]
    .join(' ')
    .trim();
}
