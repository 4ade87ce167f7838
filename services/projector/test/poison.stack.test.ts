/** Events that a real store refuses, for each store that is not PostgreSQL: parked, and applied once it takes them. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { redisBalances } from '../../../lib/views/balances/redis/balances.js';
import { mongodbHistory } from '../../../lib/views/history/mongodb/history.js';
import { clickhouseReports } from '../../../lib/views/reports/clickhouse/reports.js';
import { clickhouseDatabases } from '../../../lib/views/stores/clickhouse/test/databases.js';
import { createMongodb } from '../../../lib/views/stores/mongodb/client.js';
import { removeDatabase } from '../../../lib/views/stores/mongodb/test/remove-database.js';
import { createRedis } from '../../../lib/views/stores/redis/client.js';
import { parkedAt } from '../../../lib/views/parked/parked.js';
import type { View, ViewGenerations } from '../../../lib/views/view.js';
import { type CommandInit, LedgerFixture, testId } from '../../../test/ledger-fixture.js';
import { stackRun, stackServer } from '../../../test/stack-servers.js';
import { applyBatch } from '../apply-batch.js';
import { retryLetter } from '../dead-letters/retry.js';
import { ParkedMemory } from '../parked-memory.js';

const ONE = { partitions: 1, partitionOf: () => 0 };
const logger = { info: () => {}, warn: () => {}, error: () => {} };

/** A store with a fault. */
interface Fault {
  readonly generations: ViewGenerations<View>;
  /** Makes the store refuse the event that the test names, of a generation. */
  inject(generation: number): Promise<void>;
  mend(generation: number): Promise<void>;
}

const clickhouse = clickhouseDatabases('test_poison');
const redis = createRedis(stackServer('REDIS'));
const mongodb = createMongodb(stackServer('MONGODB'), 'test');
const history = mongodb.db(`test_poison_${String(process.pid)}`);

afterAll(async () => {
  await clickhouse.close();
  await redis.quit();
  await mongodb.close();
  await removeDatabase(history);
});

/** A row that is no row fails the script that compares versions. */
function brokenRow(): Fault {
  const prefix = `test-poison-${stackRun()}`;
  const rowsOf = (generation: number) => `{${prefix}:balances:${String(generation)}:0}:rows`;
  let row = '';
  return {
    generations: redisBalances(redis, { ...ONE, prefix }),
    inject: async (generation) => {
      row = (await redis.hget(rowsOf(generation), 'main a')) ?? '';
      await redis.hset(rowsOf(generation), 'main a', 'no row');
    },
    mend: async (generation) => {
      await redis.hset(rowsOf(generation), 'main a', row);
    },
  };
}

/** An account that has no document cannot be changed. */
function lostDocument(): Fault {
  const accountsOf = (generation: number) => history.collection(`history_${String(generation)}_accounts`);
  let lost: Record<string, unknown> | null = null;
  return {
    generations: mongodbHistory(history, ONE),
    inject: async (generation) => {
      lost = await accountsOf(generation).findOneAndDelete({ ledger: 'main', account: 'a' });
    },
    mend: async (generation) => {
      if (lost !== null) await accountsOf(generation).insertOne(lost);
    },
  };
}

/** A constraint on the table of the entries. */
function constraint(position: bigint): Fault {
  const store = clickhouse.fresh();
  const entriesOf = (generation: number) => store.table(`reports_${String(generation)}_entries`);
  return {
    generations: clickhouseReports(store),
    inject: (generation) =>
      store.command(
        `alter table ${entriesOf(generation)} add constraint refused check position != ${String(position)}`,
      ),
    mend: (generation) => store.command(`alter table ${entriesOf(generation)} drop constraint refused`),
  };
}

const fixture = new LedgerFixture();
let requests = 0;
const run = (command: (common: { ledgerId: string; requestId: string }) => CommandInit) => {
  const [event] = fixture.run(command({ ledgerId: 'main', requestId: testId(++requests) }));
  if (event === undefined) throw new Error('a command has an event');
  return event.position;
};
const amount = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
const pay = (payerAccountId: string, payeeAccountId: string) =>
  run((common) => ({
    case: 'submitPayment',
    value: { ...common, payerAccountId, payeeAccountId, amount: amount(5n) },
  }));

run((value) => ({ case: 'createLedger', value }));
for (const accountId of ['a', 'b', 'c', 'd', 'e']) {
  run((common) => ({ case: 'openAccount', value: { ...common, accountId, currency: 'EUR' } }));
  run((common) => ({ case: 'deposit', value: { ...common, accountId, amount: amount(100n) } }));
}
const whole = fixture.events.at(-1)?.position ?? 0n;
const renamed = run((common) => ({
  case: 'updateAccount',
  value: { ...common, accountId: 'a', name: 'Ada', updateMask: { paths: ['name'] } },
}));
const paid = pay('a', 'b');
const free = pay('c', 'd');
const behind = pay('b', 'e');
const alsoFree = pay('d', 'c');

describe.each([
  ['Redis', brokenRow(), [renamed, paid, behind]],
  ['MongoDB', lostDocument(), [renamed, paid, behind]],
  ['ClickHouse', constraint(paid), [paid, behind]],
] as const)('%s', (_, fault, expected) => {
  test('an event that it refuses is parked with what waits behind it, and applied when it takes it', async () => {
    const { generations } = fault;
    await generations.migrate();
    const view = await generations.current();
    const applying = {
      view,
      parked: new ParkedMemory(),
      logger,
      clock: () => fixture.now,
      mostDeadLetters: 10,
      pauses_ms: [1, 1],
      signal: new AbortController().signal,
    };
    await applyBatch(applying, fixture.batch(0n, whole));
    await fault.inject(view.generation);
    await applyBatch(applying, fixture.batch(whole + 1n));
    const { letters } = await view.deadLetters(0);
    expect(letters.map(({ position }) => position)).toEqual(expected);
    expect(letters.map(({ tries }) => tries > 0)).toEqual(expected.map((_position, index) => index === 0));
    const checkpoint = await view.checkpoint(0);
    expect(checkpoint.position).toBe(alsoFree);
    expect(parkedAt(checkpoint).heads.get('main')?.position).toBe(expected[0] - 1n);
    expect(expected).not.toContain(free);

    const log = { at: (position: bigint) => Promise.resolve(fixture.events[Number(position)]) };
    const [first] = letters;
    if (first === undefined) throw new Error('something is parked');
    const deps = { ...applying, log };
    expect(await retryLetter(deps, first)).toMatchObject({ outcome: 'failed' });
    expect(await view.checkpoint(0)).toMatchObject({
      position: alsoFree,
      parked: { count: expected.length },
    });
    await fault.mend(view.generation);
    for (const letter of letters) expect(await retryLetter(deps, letter)).toEqual({ outcome: 'applied' });

    const healthy = await generations.create();
    await healthy.apply(fixture.batch());
    const page = { ledgerId: null, afterKey: null, limit: 1_000 };
    expect(await view.rows(page)).toEqual(await healthy.rows(page));
    expect(parkedAt(await view.checkpoint(0)).count).toBe(0);
    await generations.drop(healthy.generation);
  });
});
