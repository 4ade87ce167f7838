/**
 * `npm run observe`: shows that every query of the dashboards and every alert works on a real Prometheus which scrapes what
 * runs. `-- --write` makes the files of deploy/ from their definition.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { commandLine, readCommandLine, runCommand } from '../../lib/process/command-line.js';
import { projectRoot } from '../stack/engines/engine.js';
import { generatedFiles } from './files.js';
import { answeredPanels, lineOf } from './panels.js';
import { PrometheusServer } from './prometheus-server.js';
import { type Doors, PanelTraffic } from './traffic.js';

/** How long a panel may take to have data: open holds show when the state tables are written. */
const LIMIT_MS = 60_000;

/** Where a platform on the usual ports of this machine is reached. */
interface Platform {
  readonly doors: Doors;
  /** host:port of /metrics, of each process. */
  readonly targets: readonly string[];
}

/** Ports begin at most so much later, as those of `npm run stack`. */
const MAX_OFFSET = 5_000;

function embeddedAt(offset: number): Platform {
  const door = `localhost:${String(50_051 + offset)}`;
  return {
    doors: { command: door, operations: door, query: door },
    targets: [`localhost:${String(8_081 + offset)}`],
  };
}

function stackAt(offset: number): Platform {
  const at = (port: number) => `localhost:${String(port + offset)}`;
  return {
    doors: { command: at(50_051), operations: at(50_052), query: at(50_053) },
    targets: [at(8_081), at(8_082), at(8_083)],
  };
}

function observeCommand() {
  return commandLine({
    name: 'npm run observe --',
    summary:
      'Starts a Prometheus that scrapes the platform which runs on this machine, plays some traffic in a ledger of its own, and ' +
      'asks every query of the dashboards and every alert.',
    examples: [
      ['npm run observe', 'beside npm start'],
      ['npm run observe -- --stack', 'beside npm run stack'],
      ['npm run observe -- --write', 'makes deploy/grafana and deploy/prometheus from tools/observe'],
    ],
    notes: ['It needs the program prometheus, which Debian has in its package prometheus.'],
  })
    .option('--stack', 'the distributed platform, on its usual ports')
    .option('--ports-from <number>', `added to every port, at most ${String(MAX_OFFSET)}`, offsetOf, 0)
    .option('--write', 'only write the generated files');
}

function offsetOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= MAX_OFFSET) return Number(text);
  throw new InvalidArgumentError(`It is a whole number up to ${String(MAX_OFFSET)}.`);
}

async function main(): Promise<number> {
  const typed = readCommandLine(observeCommand(), process.argv.slice(2), process);
  if (typed === undefined) return 0;
  if (typed.options.write === true) {
    write();
    return 0;
  }
  const { stack: isDistributed = false, portsFrom } = typed.options;
  return ask(isDistributed ? stackAt(portsFrom) : embeddedAt(portsFrom), isDistributed);
}

function write(): void {
  for (const [path, text] of generatedFiles()) {
    const place = join(projectRoot(), path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
  }
}

/** Ends with one line: how many queries and alerts work. */
async function ask({ doors, targets }: Platform, isDistributed: boolean): Promise<number> {
  const traffic = new PanelTraffic(doors);
  const ending = new AbortController();
  try {
    await traffic.open();
    const prometheus = await PrometheusServer.start(
      targets,
      join(projectRoot(), 'deploy/prometheus/rules.yml'),
    );
    try {
      const playing = traffic.play(ending.signal);
      await traffic.rebuildAndProve();
      const failed = await report(prometheus, isDistributed);
      ending.abort();
      await playing;
      return failed === 0 ? 0 : 1;
    } finally {
      await prometheus.stop();
    }
  } finally {
    ending.abort();
    traffic.close();
  }
}

/** @returns how many queries and alerts do not work */
async function report(prometheus: PrometheusServer, isDistributed: boolean): Promise<number> {
  const answered = await answeredPanels(prometheus, isDistributed, LIMIT_MS);
  for (const each of answered) process.stdout.write(`${lineOf(each)}\n`);
  const rules = await prometheus.rules();
  const bad = rules.filter(({ health }) => health !== 'ok');
  for (const { name, health, lastError } of bad)
    process.stdout.write(`alert ${name}: ${health} ${lastError}\n`);
  const empty = answered.filter(({ samples }) => samples.length === 0).length;
  const failed = empty + bad.length + (rules.length === 0 ? 1 : 0);
  const passed = answered.length - empty + rules.length - bad.length;
  process.stdout.write(`queries and alerts: ${String(passed)} passed, ${String(failed)} failed\n`);
  return failed;
}

process.exitCode = await runCommand(process, main);
