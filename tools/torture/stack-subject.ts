/** The distributed platform on this machine, as `npm run stack` runs it, with links, clocks and disks that can be hurt. */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from '../../lib/base/pause.js';
import type { EngineName, RunningEngine } from '../stack/engines/engine.js';
import type { RunningService } from '../stack/services.js';
import { installEngines, type Stack, startStack } from '../stack/stack.js';
import { hasEnded } from '../../lib/process/proc.js';
import { findFaketime, settableClock } from './clock.js';
import { mountDisk, type MountedDisk } from './disk.js';
import { treeOf } from '../stack/processes.js';
import { StackNetwork } from './stack-network.js';
import type { Clock, Subject, Victim } from './subject.js';

/** Processes of each service. */
const SCALE = 2;
const RESTART_LIMIT_MS = 120_000;
const RETRY_MS = 500;

type History = 'mongodb' | 'postgres';

export async function startStackSubject(history: History, log: (line: string) => void): Promise<Subject> {
  await installEngines(log);
  const library = await findFaketime(log);
  const directory = mkdtempSync(join(tmpdir(), 'quittance-torture-'));
  const directoryOf = (name: EngineName) => join(directory, 'disks', name);
  const disks = await mountDisks(history, directoryOf, log);
  const network = await StackNetwork.open(enginesOf(history));
  const clocks: Clock[] = [];
  const clockOf = (name: string): Readonly<Record<string, string>> => {
    if (library === undefined) return {};
    const clock = settableClock(library, name, join(directory, `${name}.clock`));
    clocks.push(clock);
    return clock.variables;
  };
  // PostgreSQL may run as another user, who is to read its clock.
  chmodSync(directory, 0o711);
  const postgresVariables = clockOf('postgres');
  const clean = async () => {
    await network.close();
    for (const disk of disks) await disk.unmount();
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  };
  const stack = await startStack({
    directory: join(directory, 'data'),
    commands: SCALE,
    projectors: SCALE,
    queries: SCALE,
    history,
    offset: 0,
    fresh: false,
    freePorts: true,
    directoryOf,
    postgresVariables,
    kafkaPorts: network.kafkaPorts,
    variablesOf: async (one, engines) => {
      const ways = await network.variablesOf(one, engines);
      return { ...ways, ...clockOf(one.name) };
    },
    log,
  }).catch(async (error: unknown) => {
    await clean();
    throw error;
  });
  const stop = async () => {
    await stack.stop();
    await clean();
  };
  return { ...subjectOf(stack, history), network: network.groups, clocks, disks, stop };
}

function subjectOf(stack: Stack, history: History): Omit<Subject, 'network' | 'clocks' | 'disks' | 'stop'> {
  const services = [...stack.commands, ...stack.projectors, ...stack.queries];
  const engines = enginesOf(history).map((name) => stack.engines[name]);
  return {
    name: 'stack',
    victims: [
      ...services.map((service) => victimOf(stack, service, true)),
      ...engines.map((engine) => victimOf(stack, engine, false)),
    ],
    commands: stack.commands.map(addressOf),
    queries: stack.queries.map(addressOf),
    projectors: stack.projectors.map(addressOf),
    faults: { 'FLUSHALL of Redis': () => flush(stack.engines.redis.url) },
  };
}

/** The servers that the platform uses. */
function enginesOf(history: History): readonly EngineName[] {
  const always: readonly EngineName[] = ['postgres', 'kafka', 'redis', 'clickhouse'];
  return history === 'mongodb' ? [...always, 'mongodb'] : always;
}

async function mountDisks(
  history: History,
  directoryOf: (name: EngineName) => string,
  log: (line: string) => void,
): Promise<readonly MountedDisk[]> {
  const mounted: MountedDisk[] = [];
  for (const name of enginesOf(history)) {
    const disk = await mountDisk(name, directoryOf(name), log);
    if (disk !== undefined) mounted.push(disk);
  }
  return mounted;
}

function addressOf({ addresses }: RunningService): string {
  return addresses.grpc;
}

/** The stack keeps the same object for a process that was started again: it stands for the new one. */
function victimOf(stack: Stack, one: RunningEngine, isService: boolean): Victim {
  return {
    name: one.name,
    isService,
    pids: () => (hasEnded(one.pid) ? [] : treeOf(one.pid)),
    end: () => one.stop(),
    kill: () => one.kill(),
    restart: async () => {
      for (const end_ms = performance.now() + RESTART_LIMIT_MS; hasEnded(one.pid);) {
        try {
          await stack.restart(one);
        } catch (error) {
          // What it needs may be away itself: an orchestrator tries again.
          if (performance.now() > end_ms) throw error;
          await pause(RETRY_MS);
        }
      }
    },
  };
}

async function flush(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    socket.write('FLUSHALL\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    if (!answer.toString().startsWith('+OK'))
      throw new Error(`Redis answers FLUSHALL by ${answer.toString()}`);
  } finally {
    socket.destroy();
  }
}
