/** `npm run bench -- [p1 p2 p3 p4 p6] [--smoke]`: measures a server of its own and prints a table of ratios. */
import { cpus, totalmem } from 'node:os';
import { type Bench, FULL, p1, p2, p3, p4, p6, prepare, type Row, SMOKE } from './bench.js';
import { startServer } from './processes.js';

const WORKLOADS: Readonly<Record<string, (bench: Bench) => Promise<Row[]>>> = { p1, p2, p3, p4, p6 };

const HELP = `Usage: npm run bench -- [p1] [p2] [p3] [p4] [p6] [--smoke]

Starts a server on a temporary directory, measures the workloads named (default: all), and prints each beside a limit taken
in the same run. --smoke runs everything for an instant, to see that it works. See bench/README.md.
`;

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const smoke = args.includes('--smoke');
  const named = args.filter((arg) => arg !== '--smoke');
  const unknown = named.find((arg) => !(arg in WORKLOADS));
  if (unknown !== undefined) {
    process.stderr.write(`${unknown} is no workload; there are ${Object.keys(WORKLOADS).join(', ')}\n`);
    return 2;
  }
  const note = (line: string): void => void process.stderr.write(`${line}\n`);
  const wanted = named.length === 0 ? Object.keys(WORKLOADS) : named;
  const server = await startServer();
  try {
    const withPgbench = wanted.includes('p1') || wanted.includes('p2');
    const bench = await prepare(server, smoke ? SMOKE : FULL, note, withPgbench);
    const rows: Row[] = [];
    for (const name of wanted) {
      note(`measuring ${name}`);
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
    '| workload | a second | p50 / p99 | against | ratio | aim |',
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

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
