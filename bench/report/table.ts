/** The summary as a table in Markdown. */
import type { Summary } from './summary.js';

const HEADER = [
  '| workload | median (least to most) | p50 / p99 / max | CPU µs: main, other threads, PostgreSQL, client | against | ratio | aim | calibration |',
  '|---|---|---|---|---|---|---|---|',
];

/** @param machine what it ran on, for the line above */
export function tableOf(machine: string, summaries: readonly Summary[]): string {
  const hasBuilds = new Set(summaries.map(({ build }) => build)).size > 1;
  return [machine, '', ...HEADER, ...summaries.flatMap((summary) => rowsOf(summary, hasBuilds)), ''].join(
    '\n',
  );
}

function rowsOf(summary: Summary, hasBuilds: boolean): string[] {
  const { workload, build, note, against, calibration_us } = summary;
  const name = [workload, hasBuilds ? `(${build})` : '', note === undefined ? '' : `(${note})`];
  const start = [
    name.filter((part) => part !== '').join(' '),
    valueOf(summary),
    latencyOf(summary),
    cpuOf(summary),
  ];
  const end = calibration_us === undefined ? '' : whole(calibration_us);
  if (against.length === 0) return [row([...start, '', '', '', end])];
  return against.map((held, index) => {
    const limit = held.limit === undefined ? held.name : `${held.name} ${quantity(held.limit, summary.unit)}`;
    const ratio = held.ratio === undefined ? 'not measured' : held.ratio.toFixed(2);
    const aim = held.aim === undefined ? '' : String(held.aim);
    return row([...(index === 0 ? start : ['', '', '', '']), limit, ratio, aim, index === 0 ? end : '']);
  });
}

function valueOf({ value, unit, repeats }: Summary): string {
  const median = quantity(value.median, unit);
  return repeats === 1 ? median : `${median} (${amount(value.least, unit)} to ${amount(value.most, unit)})`;
}

function latencyOf({ latency_ms }: Summary): string {
  if (latency_ms === undefined) return '';
  const { p50, p99, max } = latency_ms;
  return `${p50.toFixed(1)} / ${p99.toFixed(1)} / ${max.toFixed(1)} ms`;
}

function cpuOf({ cpu_us }: Summary): string {
  if (cpu_us === undefined) return '';
  const { main, others, postgres, client } = cpu_us;
  const sum = main + others + postgres + client;
  return `${[main, others, postgres, client].map((each) => each.toFixed(0)).join(' + ')} = ${sum.toFixed(0)}`;
}

function quantity(value: number, unit: Summary['unit']): string {
  return unit === '/s' ? `${whole(value)}/s` : `${amount(value, unit)} ${unit}`;
}

function amount(value: number, unit: Summary['unit']): string {
  return unit === 'ms' ? value.toFixed(1) : whole(value);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
