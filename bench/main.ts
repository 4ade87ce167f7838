/** `npm run bench -- [p1 p2 p3 p4 p6] [--smoke]`: measures a server of its own and prints a table of ratios. */
import { cpus, totalmem } from 'node:os';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { commandLine, readCommandLine, runCommand } from '../lib/process/command-line.js';
import { type Bench, FULL, p1, p2, p3, p4, p6, prepare, type Row, SMOKE } from './bench.js';
import { startServer } from './processes.js';

const WORKLOADS: Readonly<Record<string, (bench: Bench) => Promise<Row[]>>> = { p1, p2, p3, p4, p6 };

function benchCommand() {
  return commandLine({
    name: 'npm run bench --',
    summary:
      'Starts a server on a temporary directory, measures the workloads named (default: all), and prints each beside a limit ' +
      'taken in the same run.',
    examples: [
      ['npm run bench', 'everything, in some ten minutes'],
      ['npm run bench -- p1 p4', 'unary payments and balances only'],
      ['npm run bench -- --smoke', 'everything for an instant, to see that it works'],
    ],
    notes: ['pgbench is a limit of p1 and p2 where it is on the PATH. See bench/README.md.'],
  })
    .argument('[workloads...]', `any of ${Object.keys(WORKLOADS).join(', ')}`, workloadsOf)
    .option('--smoke', 'run everything for an instant');
}

function workloadsOf(name: string, before: readonly string[] | undefined): readonly string[] {
  if (name in WORKLOADS) return [...(before ?? []), name];
  throw new InvalidArgumentError(`It is no workload; there are ${Object.keys(WORKLOADS).join(', ')}.`);
}

async function main(): Promise<number> {
  const typed = readCommandLine(benchCommand(), process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const [named] = typed.positionals;
  const wanted = named.length === 0 ? Object.keys(WORKLOADS) : named;
  const isSmoke = typed.options.smoke === true;
  const note = (line: string): void => void process.stderr.write(`${line}\n`);
  note('starting a server on a temporary directory…');
  const server = await startServer();
  try {
    const withPgbench = wanted.includes('p1') || wanted.includes('p2');
    const bench = await prepare(server, isSmoke ? SMOKE : FULL, note, withPgbench);
    const rows: Row[] = [];
    for (const name of wanted) {
      note(`measuring ${name}…`);
      rows.push(...((await WORKLOADS[name]?.(bench)) ?? []));
    }
    bench.client.close();
    print(rows);
    const memory = server.memory();
    if (memory !== undefined) process.stdout.write(`server memory ${Math.round(memory / 1024 / 1024)} MB\n`);
    return 0;
  } finally {
    await server.stop();
  }
}

function print(rows: readonly Row[]): void {
  const processors = cpus();
  const machine = `${processors.length} x ${processors[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`;
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, ${machine}, Node ${process.versions.node}`,
    '',
    '| workload | per second | p50 / p99 | against | ratio | aim |',
    '|---|---|---|---|---|---|',
    ...rows.map(
      ({ workload, rate, latency, limit, ratio, aim }) =>
        `| ${workload} | ${Math.round(rate).toLocaleString('en-US')} | ${latency} | ${limit} | ` +
        `${ratio === undefined ? 'not measured' : ratio.toFixed(2)} | ${aim === undefined ? '' : String(aim)} |`,
    ),
    '',
  ];
  process.stdout.write(lines.join('\n') + '\n');
}

process.exitCode = await runCommand(process, main);
