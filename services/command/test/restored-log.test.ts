/** A log that is restored to an older end, under a writer that runs and under one that does not. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type CommandProcess, openLedger, payment } from '../../../test/command-process.js';
import { CommandProcess as Process } from '../../../test/command-process.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { type Backup, backUp } from '../../../test/restored-database.js';
import { until } from '../../../test/until.js';
import { createPool } from '../../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../../lib/log/postgres-log-reader.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import { Wakeups } from '../../../lib/log/wakeups.js';

let database: TestDatabase;
let backup: Backup | undefined;
const processes: CommandProcess[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await Promise.all(processes.splice(0).map((process) => process.stop()));
  await backup?.drop();
  backup = undefined;
  await database.drop();
});

async function start(options: Parameters<typeof Process.start>[1] = {}): Promise<CommandProcess> {
  const process = await Process.start(database, options);
  processes.push(process);
  return process;
}

async function storedEvents(): Promise<readonly RecordedEvent[]> {
  const pool = createPool(database.config, { max: 1, name: 'test' });
  try {
    const log = postgresLogReader(pool, new Wakeups());
    return await log.page({ after: -1n, through: null, limit: 10_000, ledgerId: null, streamId: null });
  } finally {
    await pool.end();
  }
}

/** Where each epoch begins in the log. */
async function epochs(): Promise<{ epoch: number; position: bigint }[]> {
  const events = await storedEvents();
  return events.flatMap(({ event, position }) =>
    event.payload.case === 'epochStarted' ? [{ epoch: event.epoch, position }] : [],
  );
}

function balanceOf(process: CommandProcess, accountId: string): bigint | undefined {
  const state = process.part.memory.ledger('main').account(accountId)?.state;
  return state === undefined ? undefined : state.credits - state.debits;
}

describe('a log restored to an older end', () => {
  test('under a writer: the next command begins an epoch, and is decided on what the log still has', async () => {
    const process = await start();
    await openLedger(process, 'main', ['a', 'b'], 100n);
    backup = await backUp(database);
    await until(() => process.part.context.executor.isServing);
    const lost = payment('main', 'a', 'b', 60n);
    await process.send(lost);
    await backup.restore();
    const fork = (await storedEvents()).at(-1)?.position ?? -1n;
    // With the lost payment this one would find no funds.
    const kept = await process.send(payment('main', 'a', 'b', 80n));
    expect(kept.transaction?.status).toBeDefined();
    expect(process.halted).toEqual([]);
    expect((await epochs())[0]).toEqual({ epoch: 1, position: fork + 1n });
    expect(balanceOf(process, 'a')).toBe(20n);
    const events = await storedEvents();
    expect(events.slice(Number(fork) + 2).every(({ event }) => event.epoch >= 1)).toBe(true);
    // A retry of what was acknowledged and lost is decided again, since the log does not have it.
    const again = await process.send(lost);
    expect(again.replayed).toBe(false);
    expect(again.position).toBeGreaterThan(kept.position);
  });

  test('is noticed by a writer to which nothing is sent', async () => {
    const process = await start();
    await openLedger(process, 'main', ['a', 'b'], 100n);
    backup = await backUp(database);
    await process.send(payment('main', 'a', 'b', 60n));
    await backup.restore();
    await until(() => process.part.memory.end.epoch === 1);
    expect((await epochs()).map(({ epoch }) => epoch)).toEqual([1]);
  });

  test('while nothing runs: the next start begins an epoch', async () => {
    const first = await start();
    await openLedger(first, 'main', ['a', 'b'], 100n);
    backup = await backUp(database);
    await first.send(payment('main', 'a', 'b', 60n));
    await first.stop();
    processes.length = 0;
    await backup.restore();
    const second = await start();
    await second.send(payment('main', 'a', 'b', 70n));
    expect((await epochs()).map(({ epoch }) => epoch)).toEqual([1]);
    expect(balanceOf(second, 'a')).toBe(30n);
    // Nothing has happened since: another start begins none.
    await second.stop();
    processes.length = 0;
    await start();
    expect((await epochs()).map(({ epoch }) => epoch)).toEqual([1]);
  });
});

test('a look at the origin before it is recorded, and after the epoch has begun, begins no other', async () => {
  let looks = 0;
  const process = await start({
    wrapLog: (log) => ({
      ...log,
      origin: async () => {
        const origin = await log.origin();
        looks += 1;
        return origin;
      },
      recordOrigin: async (epoch) => {
        const before = looks;
        await until(() => looks > before);
        await log.recordOrigin(epoch);
      },
    }),
  });
  await openLedger(process, 'main', ['a', 'b'], 100n);
  backup = await backUp(database);
  await process.send(payment('main', 'a', 'b', 60n));
  await backup.restore();
  await until(() => process.part.memory.end.epoch === 1);
  const before = looks;
  await until(() => looks > before + 2);
  await process.send(payment('main', 'a', 'b', 60n));
  expect((await epochs()).map(({ epoch }) => epoch)).toEqual([1]);
});

test('an operator who knows more than the database says so: without its origin a log begins an epoch', async () => {
  const process = await start();
  await openLedger(process, 'main', ['a', 'b'], 100n);
  const pool = createPool(database.config, { max: 1, name: 'test' });
  try {
    await pool.query('delete from log.origin');
  } finally {
    await pool.end();
  }
  await until(() => process.part.memory.end.epoch === 1);
  await process.send(payment('main', 'a', 'b', 60n));
  expect((await epochs()).map(({ epoch }) => epoch)).toEqual([1]);
});

test('an epoch whose append was answered with nothing is announced all the same', async () => {
  let announced = 0;
  let isLost = false;
  const process = await start({
    onEpoch: () => {
      announced += 1;
    },
    wrapLog: (log) => ({
      ...log,
      append: async (position, hash, events, term) => {
        const outcome = await log.append(position, hash, events, term);
        if (isLost || events[0]?.epoch !== 1) return outcome;
        isLost = true;
        return { outcome: 'unknown', cause: new Error('the connection broke') };
      },
    }),
  });
  await openLedger(process, 'main', ['a', 'b'], 100n);
  const pool = createPool(database.config, { max: 1, name: 'test' });
  try {
    await pool.query('delete from log.origin');
  } finally {
    await pool.end();
  }
  // The origin was not recorded with the first epoch, so that the next look begins another.
  await until(() => process.part.memory.end.epoch === 2);
  await until(() => announced === 2);
  expect((await epochs()).map(({ epoch }) => epoch)).toEqual([1, 2]);
  await process.send(payment('main', 'a', 'b', 60n));
  expect(balanceOf(process, 'a')).toBe(40n);
});

test('a request id of a lost command is not taken for one of the log', async () => {
  const process = await start();
  await openLedger(process, 'main', ['a', 'b'], 100n);
  backup = await backUp(database);
  const requestId = randomUUID();
  await process.send(payment('main', 'a', 'b', 60n, requestId));
  await backup.restore();
  const answer = await process.send(payment('main', 'a', 'b', 10n, requestId));
  expect(answer.replayed).toBe(false);
  expect(balanceOf(process, 'b')).toBe(110n);
});

test('state tables of a history that the log has lost are written again from the log', async () => {
  const process = await start();
  await openLedger(process, 'main', ['a', 'b'], 100n);
  const before = await storedEvents();
  await process.send(payment('main', 'a', 'b', 60n));
  await until(() => process.part.memory.tailSize === 0);
  await process.stop();
  processes.length = 0;
  const pool = createPool(database.config, { max: 1, name: 'test' });
  try {
    // The log alone was restored.
    const last = before.at(-1)?.position ?? 0n;
    await pool.query('delete from log.flushes where first > $1', [last]);
    await pool.query('delete from log.request_keys where position > $1', [last]);
    await pool.query('delete from log.ledger_flushes where first > $1', [last]);
  } finally {
    await pool.end();
  }
  const second = await start();
  await second.send(payment('main', 'a', 'b', 70n));
  expect(balanceOf(second, 'a')).toBe(30n);
  expect((await epochs()).map(({ epoch }) => epoch)).toEqual([1]);
});
