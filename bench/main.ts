/** `npm run bench -- [p1 …] [options]`: measures a server of its own and prints a table of ratios to limits of the same run. */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { type Closeables, createCloseables } from '../lib/base/closeables.js';
import { commandLine, readCommandLine, runCommand } from '../lib/process/command-line.js';
import { type Bench, FULL, prepare, type Scale, SMOKE } from './bench.js';
import { buildRevision } from './build-revision.js';
import { countOf } from './command-line.js';
import type { Figure, Run } from './figure.js';
import { startServer } from './processes.js';
import { summarize } from './report/summary.js';
import { svgOf } from './report/svg.js';
import { tableOf } from './report/table.js';
import { p5 } from './workloads/freshness.js';
import { p7, p8 } from './workloads/growth.js';
import { p1, p2, p2s, p3 } from './workloads/payments.js';
import { p4 } from './workloads/reads.js';
import { p6 } from './workloads/rebuilds.js';

type Workload = (bench: Bench) => Promise<Figure[]>;

/** In the order in which they run: a rebuild takes the whole log, so it comes late. */
const WORKLOADS: ReadonlyMap<string, Workload> = new Map([
  ['p1', p1],
  ['p2', p2],
  ['p2s', p2s],
  ['p3', p3],
  ['p4', p4],
  ['p5', p5],
  ['p6', p6],
  ['p7', p7],
  ['p8', p8],
]);
/** These take long: only where they are named, or for an instant. */
const ONLY_IF_NAMED: ReadonlySet<string> = new Set(['p7', 'p8']);

const BENCH = commandLine({
  name: 'npm run bench --',
  summary:
    'Starts a server on a temporary directory, measures the workloads named (default: p1 to p6), and prints each beside a limit ' +
    'taken in the same run.',
  examples: [
    ['npm run bench', 'p1 to p6 once, in some six minutes'],
    ['npm run bench -- p1 p4 --repeats 5', 'unary payments and balances, with median and spread'],
    ['npm run bench -- p1 p2 --compare HEAD~10', 'this build and an older one, in turns'],
    ['npm run bench -- p7 --events 1000000', 'the same loads before and after the log has a million events'],
    ['npm run bench -- --smoke', 'everything for an instant, to see that it works'],
  ],
  notes: ['pgbench is a limit of p1, p2 and p2s where it is on the PATH. See bench/README.md.'],
})
  .argument('[workloads...]', `any of ${[...WORKLOADS.keys()].join(', ')}`, workloadsOf)
  .option('--repeats <number>', 'how often to measure each', countOf, 1)
  .option('--compare <revision>', 'measure a build of this revision too, in turns')
  .option('--accounts <number>', 'accounts that pay each other', countOf, FULL.accounts)
  .option('--events <number>', 'events that p7 lets the log grow to', countOf, FULL.grown)
  .option('--minutes <number>', 'how long p8 watches the memory', countOf, FULL.watch_ms / 60_000)
  .option('--json <file>', 'write every figure of every repeat to a file')
  .option('--svg <file>', 'draw the ratios to a file')
  .option('--smoke', 'run everything for an instant');

function workloadsOf(name: string, before: readonly string[] | undefined): readonly string[] {
  if (WORKLOADS.has(name)) return [...(before ?? []), name];
  throw new InvalidArgumentError(`It is no workload; there are ${[...WORKLOADS.keys()].join(', ')}.`);
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<number> {
  const typed = readCommandLine(BENCH, process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const [named] = typed.positionals;
  const { smoke, repeats, compare, accounts, events, minutes, json, svg } = typed.options;
  const isSmoke = smoke === true;
  const scale: Scale = isSmoke ? SMOKE : { ...FULL, accounts, grown: events, watch_ms: minutes * 60_000 };
  const wanted = [...WORKLOADS].filter(([name]) =>
    named.length > 0 ? named.includes(name) : isSmoke || !ONLY_IF_NAMED.has(name),
  );
  const closeables = createCloseables();
  try {
    const builds = await startBuilds(compare, scale, closeables);
    const runs: Run[] = [];
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      for (const [name, workload] of wanted) {
        // Each goes first as often as the other.
        for (const bench of repeat % 2 === 0 ? builds : builds.toReversed()) {
          note(`measuring ${name} of ${bench.build}, ${String(repeat + 1)} of ${String(repeats)}…`);
          runs.push({ build: bench.build, repeat, figures: await workload(bench) });
        }
      }
    }
    const summaries = summarize(runs);
    process.stdout.write(tableOf(machine(), summaries));
    if (json !== undefined)
      writeFileSync(json, `${JSON.stringify({ machine: machine(), runs, summaries })}\n`);
    if (svg !== undefined) writeFileSync(svg, svgOf(machine(), summaries));
    for (const { server, build } of builds) {
      const memory = server.memory();
      if (memory === undefined) continue;
      process.stdout.write(
        `memory of the server (${build}): ${String(Math.round(memory / 1024 / 1024))} MB\n`,
      );
    }
    return 0;
  } finally {
    await closeables.close();
  }
}

async function startBuilds(
  revision: string | undefined,
  scale: Scale,
  closeables: Closeables,
): Promise<readonly Bench[]> {
  const start = async (name: string, build?: string): Promise<Bench> => {
    note(`starting ${name === THIS ? 'a server' : name} on a temporary directory…`);
    const server = await startServer(build);
    closeables.add(`the server of ${name}`, () => server.stop());
    const bench = await prepare(name, server, scale, note);
    closeables.add(`the client of ${name}`, () => {
      bench.client.close();
    });
    return bench;
  };
  if (revision === undefined) return [await start(THIS)];
  note(`building ${revision}…`);
  const built = buildRevision(revision);
  closeables.add(`the build of ${revision}`, () => {
    built.remove();
  });
  return [await start(built.name, built.build), await start(THIS)];
}

const THIS = 'this build';

function machine(): string {
  const processors = cpus();
  const model = processors[0]?.model ?? 'unknown';
  const memory_gb = Math.round(totalmem() / 2 ** 30);
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, ${String(processors.length)} x ${model}, ${String(memory_gb)} GB, Node ${process.versions.node}`;
}

process.exitCode = await runCommand(process, main);
