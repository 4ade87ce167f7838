/** The distributed platform on this machine, as `npm run stack` runs it. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningEngine } from '../stack/engines/engine.js';
import type { RunningService } from '../stack/services.js';
import { installEngines, type Stack, startStack } from '../stack/stack.js';
import { hasEnded } from '../../lib/process/proc.js';
import { treeOf } from './processes.js';
import type { Subject, Victim } from './subject.js';

export async function startStackSubject(log: (line: string) => void): Promise<Subject> {
  await installEngines(log);
  const directory = mkdtempSync(join(tmpdir(), 'quittance-torture-'));
  const stack = await startStack({
    directory,
    commands: 2,
    projectors: 2,
    queries: 2,
    history: 'postgres',
    offset: 0,
    fresh: false,
    freePorts: true,
    log,
  });
  const services = [...stack.commands, ...stack.projectors, ...stack.queries];
  const { postgres, kafka, redis, clickhouse } = stack.engines;
  return {
    name: 'stack',
    victims: [
      ...services.map((service) => victimOf(stack, service, true)),
      ...[postgres, kafka, redis, clickhouse].map((engine) => victimOf(stack, engine, false)),
    ],
    commands: stack.commands.map(addressOf),
    queries: stack.queries.map(addressOf),
    projectors: stack.projectors.map(addressOf),
    faults: { 'FLUSHALL of Redis': () => flush(redis.url) },
    stop: async () => {
      await stack.stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
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
      if (hasEnded(one.pid)) await stack.restart(one);
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
