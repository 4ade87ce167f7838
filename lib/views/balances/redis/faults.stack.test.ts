/** What becomes of the balances view when Redis loses, forgets or refuses something. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { LedgerFixture, testId } from '../../../../test/ledger-fixture.js';
import { PATIENCE_MS } from '../../../../test/patience.js';
import { createRedis, type RedisClient } from '../../stores/redis/client.js';
import { redisSafety } from '../../stores/redis/safety.js';
import { serverTest, type StartRedis } from '../../stores/redis/test/redis-server.js';
import { ViewMissingError, type ViewRow } from '../../view.js';
import { GenerationGoneError, MissedEventsError } from '../../view-errors.js';
import { redisBalances } from './balances.js';
import type { BalancesView } from '../view.js';

const SINGLE = { partitions: 1, partitionOf: () => 0 };

/** Long: most tests here are not about how soon a command fails, and the machine may be busy. */
const PATIENT_MS = 60_000;

/** A test with one server and a client of it. */
function redisTest(
  name: string,
  run: (client: RedisClient, server: Awaited<ReturnType<StartRedis>>) => Promise<void>,
): void {
  serverTest(name, async (start) => {
    const server = await start();
    const client = createRedis(server.url, { commandTimeout_ms: PATIENT_MS });
    try {
      await run(client, server);
    } finally {
      client.disconnect();
    }
  });
}

/** A ledger with as many accounts that hold something. */
function ledgerOf(accounts: number, ledgerId = 'main'): LedgerFixture {
  const fixture = new LedgerFixture();
  fixture.run({ case: 'createLedger', value: { ledgerId, requestId: testId(1) } });
  const amount = { currency: 'EUR', minorUnits: 5n };
  for (let n = 0; n < accounts; n++) {
    const account = { ledgerId, accountId: `account-${String(n).padStart(5, '0')}` };
    const requestId = testId(2 + 2 * n);
    fixture.run({ case: 'openAccount', value: { ...account, requestId, currency: 'EUR' } });
    fixture.run({ case: 'deposit', value: { ...account, requestId: testId(3 + 2 * n), amount } });
  }
  return fixture;
}

function allRows(view: BalancesView): Promise<readonly ViewRow[]> {
  return view.rows({ ledgerId: null, afterKey: null, limit: 10_000 });
}

/** What a view is that has applied the log up to a position, in a place of its own. */
async function rowsThrough(client: RedisClient, fixture: LedgerFixture, position?: bigint) {
  const generations = redisBalances(client, { ...SINGLE, prefix: 'expected' });
  const view = await generations.create();
  await view.apply(fixture.batch(0n, position));
  const rows = await allRows(view);
  await generations.drop(view.generation);
  return rows;
}

/** All that is asked of a generation that is not there fails with what makes its user look for another. */
async function expectGone(view: BalancesView, fixture: LedgerFixture): Promise<void> {
  await expect(view.apply(fixture.batch())).rejects.toThrow(GenerationGoneError);
  await expect(view.apply({ ...fixture.batch(), events: [] })).rejects.toThrow(GenerationGoneError);
  await expect(view.checkpoint(0)).rejects.toThrow(GenerationGoneError);
  await expect(view.balances(0, 'main', ['account-00000'])).rejects.toThrow(GenerationGoneError);
  await expect(allRows(view)).rejects.toThrow(GenerationGoneError);
}

redisTest(
  'a Redis that comes back as an older copy is caught up, and nothing is skipped',
  async (client, server) => {
    const fixture = ledgerOf(10);
    const generations = redisBalances(client, SINGLE);
    await generations.migrate();
    const view = await generations.current();
    await view.apply(fixture.batch(0n, 9n));
    await client.save();
    await copyFile(join(server.directory, 'dump.rdb'), join(server.directory, 'older.rdb'));
    await view.apply({ ...fixture.batch(10n, 15n), after: 9n });
    await server.kill();
    await copyFile(join(server.directory, 'older.rdb'), join(server.directory, 'dump.rdb'));
    await server.start();

    await expect(view.apply({ ...fixture.batch(16n), after: 15n })).rejects.toThrow(MissedEventsError);
    expect(await view.checkpoint(0)).toMatchObject({ position: 9n, offset: 9n });
    expect(await allRows(view)).toEqual(await rowsThrough(client, fixture, 9n));
    await view.apply(fixture.batch(10n, 15n));
    await view.apply({ ...fixture.batch(16n), after: 15n });
    expect(await allRows(view)).toEqual(await rowsThrough(client, fixture));
  },
);

redisTest(
  'a fill notices that Redis went back though its pages do not say what they follow',
  async (client) => {
    const fixture = ledgerOf(10);
    const generations = redisBalances(client, SINGLE);
    await generations.migrate();
    const view = await generations.current();
    await view.apply(fixture.batch(0n, 5n));
    const key = `{quittance:balances:${String(view.generation)}:0}:rows`;
    const older = await client.hget(key, '@');
    await view.apply(fixture.batch(6n, 9n));
    await client.hset(key, '@', older ?? '');
    await expect(view.apply(fixture.batch(10n))).rejects.toThrow(MissedEventsError);
    // It begins again where the view stands.
    const { position } = await view.checkpoint(0);
    expect(position).toBe(5n);
    await view.apply(fixture.batch(position + 1n));
    expect(await allRows(view)).toEqual(await rowsThrough(client, fixture));
  },
);

redisTest(
  'an emptied Redis: readers are told there is no view, the projector makes another',
  async (client) => {
    const fixture = ledgerOf(3);
    const generations = redisBalances(client, SINGLE);
    await generations.migrate();
    const view = await generations.current();
    await view.apply(fixture.batch());
    await client.flushall();

    await expectGone(view, fixture);
    await expect(generations.current()).rejects.toThrow(ViewMissingError);
    expect(await client.dbsize()).toBe(0);
    await generations.migrate();
    const next = await generations.current();
    expect(next.generation).toBeGreaterThan(view.generation);
    await next.apply(fixture.batch());
    expect(await allRows(next)).toHaveLength(4);
    await expectGone(view, fixture);
  },
);

redisTest('a view that lost one of its partitions is no view any more', async (client) => {
  const generations = redisBalances(client, { partitions: 3, partitionOf: () => 0 });
  await generations.migrate();
  const { generation } = await generations.current();
  await client.del(`{quittance:balances:${String(generation)}:2}:rows`);
  await expect(generations.current()).rejects.toThrow(ViewMissingError);
  await Promise.all([generations.migrate(), generations.migrate()]);
  const next = await generations.current();
  expect(await generations.list()).toEqual([next.generation]);
  expect(await client.dbsize()).toBe(1 + 3);
});

redisTest('a dropped generation leaves no key, and its writer brings none back', async (client) => {
  const fixture = ledgerOf(3);
  const generations = redisBalances(client, SINGLE);
  await generations.migrate();
  const serving = await generations.current();
  const view = await generations.create();
  await view.apply(fixture.batch(0n, 4n));
  await expect(generations.drop(serving.generation)).rejects.toThrow(/serves/);
  await generations.drop(view.generation);
  await expectGone(view, fixture);
  await expect(generations.switchTo(view.generation)).rejects.toThrow(/no generation/);
  await expect(generations.drop(view.generation)).rejects.toThrow(/not there/);
  const left = [
    '{quittance:balances}:generations',
    `{quittance:balances:${String(serving.generation)}:0}:rows`,
  ];
  expect((await client.keys('*')).sort()).toEqual(left.sort());
});

redisTest('what a crash left of a drop is removed when the next generation is made', async (client) => {
  const generations = redisBalances(client, SINGLE);
  await generations.migrate();
  const view = await generations.create();
  const registry = '{quittance:balances}:generations';
  const number = String(view.generation);
  await client.multi().hdel(registry, `made:${number}`).hset(registry, `removed:${number}`, '1').exec();
  expect(await generations.list()).toHaveLength(1);
  const next = await generations.create();
  expect(next.generation).toBeGreaterThan(view.generation);
  await expect(view.checkpoint(0)).rejects.toThrow(GenerationGoneError);
  expect(await client.hget(registry, `removed:${number}`)).toBeNull();
});

redisTest('a Redis that is full refuses a batch whole, and takes it when there is room', async (client) => {
  const fixture = ledgerOf(800);
  const generations = redisBalances(client, SINGLE);
  await generations.migrate();
  const view = await generations.current();
  await view.apply(fixture.batch(0n, 99n));
  const before = [await allRows(view), await view.checkpoint(0)];
  await client.config('SET', 'maxmemory', '1');
  await expect(view.apply(fixture.batch())).rejects.toThrow(/OOM/);
  expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
  await client.config('SET', 'maxmemory', '0');
  await view.apply(fixture.batch());
  expect(await allRows(view)).toEqual(await rowsThrough(client, fixture));
});

redisTest(
  'a server that stands still or is away fails commands within seconds, and is used again',
  async (client, server) => {
    const fixture = ledgerOf(2);
    const generations = redisBalances(client, SINGLE);
    await generations.migrate();
    await (await generations.current()).apply(fixture.batch(0n, 2n));
    await client.save();
    const hasty = createRedis(server.url, { commandTimeout_ms: 500 });
    try {
      const view = await untilDone(() => redisBalances(hasty, SINGLE).current());

      server.freeze();
      const frozen_ms = performance.now();
      const attempts = [
        view.apply(fixture.batch()),
        view.balances(0, 'main', ['account-00000']),
        view.checkpoint(0),
      ];
      // Without a limit they would wait for as long as the server stands still, or for that of the other client.
      const outcomes = await Promise.allSettled(attempts);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      expect(performance.now() - frozen_ms).toBeLessThan(PATIENT_MS / 3);
      server.thaw();
      // The server may do now what its client has given up, and be late with what comes after.
      await untilDone(() => view.apply(fixture.batch()));
      const rows = await untilDone(() => allRows(view));
      expect(rows).toEqual(await rowsThrough(client, fixture));

      await server.kill();
      await expect(view.balances(0, 'main', ['account-00000'])).rejects.toThrow();
      await server.start();
      // The client connects again after a pause, which may be longer than a command waits.
      expect((await untilDone(() => view.checkpoint(0))).position).toBe(2n);
    } finally {
      hasty.disconnect();
    }
  },
);

/** What some work resolves with, which is tried again while it fails. */
async function untilDone<T>(work: () => Promise<T>): Promise<T> {
  for (const end_ms = performance.now() + PATIENCE_MS; ;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > end_ms) throw error;
    }
  }
}

test('a server or a cluster that is not there fails commands in time, and ends no process', async () => {
  const errors: Error[] = [];
  // Nothing listens on ports 1 and 2.
  for (const url of ['redis://127.0.0.1:1', 'redis://127.0.0.1:1,redis://127.0.0.1:2']) {
    const client = createRedis(url, { commandTimeout_ms: 200, onError: (error) => errors.push(error) });
    const generations = redisBalances(client, SINGLE);
    await expect(generations.current()).rejects.toThrow(/timed out|max retries/);
    await expect(redisSafety(client)).resolves.toMatchObject({ verdict: 'unknown' });
    client.disconnect();
  }
  expect(errors.length).toBeGreaterThan(0);
});

redisTest(
  'a Redis that would evict keys is named; one that does not say is not accused',
  async (client, server) => {
    expect(await redisSafety(client)).toMatchObject({ verdict: 'safe' });
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await redisSafety(client)).toEqual({
      verdict: 'unsafe',
      detail:
        'Redis evicts keys when its memory is full (maxmemory-policy allkeys-lru): set it to noeviction',
    });
    await client.config('SET', 'maxmemory-policy', 'volatile-lru');
    expect(await redisSafety(client)).toMatchObject({ verdict: 'safe' });
    await client.acl('SETUSER', 'humble', 'on', '>secret', '~*', '+@all', '-info', '+info|nothing');
    const humble = createRedis(`redis://humble:secret@127.0.0.1:${String(server.port)}`);
    expect(await redisSafety(humble)).toMatchObject({ verdict: 'unknown' });
    humble.disconnect();
  },
);
