/** The process' side of the projector's thread, with threads that only say what they were sent. */
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { TAIL_LIMITS } from '../../../lib/log/log-tail.js';
import type { StoredEvent } from '../../../lib/log/packed-flush.js';
import { until } from '../../../test/until.js';
import { ProjectorThread } from '../thread/projector-thread.js';

/** It starts when it is told to, answers a question with how often it was sent what, and counts flushes if it is to. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const sent = {};
let counters;
parentPort.on('message', (message) => {
  sent[message.kind] = (sent[message.kind] ?? 0) + 1;
  switch (message.kind) {
    case 'start':
      counters = new BigUint64Array(message.start.received);
      if (workerData.fails) throw new Error('it cannot start');
      sent.paused = message.start.paused;
      parentPort.postMessage({ kind: 'started' });
      break;
    case 'flush':
      if (!workerData.counts) break;
      Atomics.add(counters, 0, BigInt(message.flush.count));
      Atomics.add(counters, 1, BigInt(message.flush.block.byteLength));
      break;
    case 'question':
      if (message.question.name === 'run') break;
      parentPort.postMessage({ kind: 'answer', id: message.id, answer: sent });
      break;
    case 'stop':
      parentPort.postMessage({ kind: 'stopped' });
  }
});`;

let health: Map<string, boolean>;
let threads: Worker[];
let projector: ProjectorThread<null>;

function make(behaviour: { readonly fails?: boolean; readonly counts?: boolean }): void {
  projector = new ProjectorThread({
    spawn: () => {
      const thread = new Worker(PROGRAM, { eval: true, workerData: behaviour });
      threads.push(thread);
      return thread;
    },
    parts: null,
    views: ['balances', 'history', 'reports'],
    logger: pino({ level: 'silent' }),
    onHealth: (service, isServing) => health.set(service, isServing),
    backoff_ms: () => 1,
  });
}

/** A commit of one event of so many bytes. */
let last = 0n;
function commit(size_bytes: number): void {
  last += 1n;
  const event: StoredEvent = { position: last, bytes: new Uint8Array(size_bytes), hash: new Uint8Array(32) };
  projector.handOver([event]);
}

/** What the thread was sent, by the kinds of messages. */
async function sent(): Promise<Record<string, unknown>> {
  const answer: unknown = await projector.list();
  return { ...(answer as Record<string, unknown>) };
}

beforeEach(() => {
  health = new Map();
  threads = [];
  last = 0n;
});

afterEach(() => projector.stop());

test.each([
  ['events', 1, TAIL_LIMITS.events + 1],
  ['bytes', 1024 * 1024 - 36, TAIL_LIMITS.size_bytes / (1024 * 1024) + 1],
])(
  'a thread that is behind by too many %s is handed nothing more, and told to look into the log',
  async (_, size_bytes, most) => {
    make({ counts: false });
    await projector.start();
    for (let commits = 0; commits < most; commits += 1) commit(size_bytes);
    expect(await sent()).toMatchObject({ flush: most });
    for (let commits = 0; commits < 10; commits += 1) commit(size_bytes);
    expect(await sent()).toMatchObject({ flush: most, grown: 1 });
  },
);

test('a thread that keeps up is handed everything, and told nothing else', async () => {
  make({ counts: true });
  await projector.start();
  for (let commits = 0; commits < 200; commits += 1) {
    commit(1024 * 1024 - 36);
    if (commits % 10 === 9) await sent();
  }
  const all = await sent();
  expect(all).toMatchObject({ flush: 200 });
  expect(all).not.toHaveProperty('grown');
});

test('what is committed before the start is not handed over: the thread finds it in the log', async () => {
  make({ counts: true });
  commit(1);
  await projector.start();
  expect(await sent()).not.toHaveProperty('flush');
  commit(1);
  expect(await sent()).toMatchObject({ flush: 1 });
});

test('a commit of another process is passed on; one that was handed over is not', async () => {
  make({ counts: true });
  await projector.start();
  commit(1);
  projector.committed(1n);
  // The notification may come before the commit is handed over.
  projector.committed(2n);
  commit(1);
  expect(await sent()).not.toHaveProperty('grown');
  projector.committed(3n);
  let grown: unknown;
  const look = async () => {
    ({ grown } = await sent());
    if (grown === undefined) await look();
  };
  await look();
  expect(grown).toBe(1);
});

test('a thread that ends is made again and told what is paused; open questions fail', async () => {
  make({ counts: true });
  await projector.start();
  const question = projector.run({ operation: 'get', projectionId: 'history' });
  await Promise.all([
    expect(question).rejects.toMatchObject({ reason: ErrorReason.DEPENDENCY_UNAVAILABLE }),
    threads[0]?.terminate(),
  ]);
  await until(() => threads.length === 2);
  expect(Object.fromEntries(health)).toEqual({
    'quittance.projection.balances': false,
    'quittance.projection.history': false,
    'quittance.projection.reports': false,
  });
  expect(await sent()).toMatchObject({ start: 1, paused: [] });
});

test('a projector whose first thread cannot start says so', async () => {
  make({ fails: true });
  await expect(projector.start()).rejects.toThrow('it cannot start');
  expect(threads).toHaveLength(1);
});

test('no thread is made after the stop', async () => {
  make({ counts: true });
  await projector.start();
  await projector.stop();
  commit(1);
  projector.committed(9n);
  expect(threads).toHaveLength(1);
});
