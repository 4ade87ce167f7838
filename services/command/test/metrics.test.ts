/** The metrics of the write side: what a scrape shows of flushes, appends, look-ups and holds. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { CommandProcess, openLedger, payment, type TestDatabase } from '../../../test/command-process.js';
import { until } from '../../../test/load.js';
import { createTestDatabase } from '../../../test/postgres.js';
import { commandMetrics, leaseMetrics } from '../metrics.js';
import type { Place } from '../standing/standing.js';

let database: TestDatabase;
let service: CommandProcess;
let registry: Registry;

beforeEach(async () => {
  database = await createTestDatabase();
  service = await CommandProcess.start(database);
  registry = new Registry();
  commandMetrics(registry, service.part.measured);
});

afterEach(async () => {
  await service.stop();
  await database.drop();
});

/** The value of a series, named as in the exposition format; undefined if it is not shown. */
async function value(series: string): Promise<number | undefined> {
  const line = (await registry.metrics()).split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('an open hold is shown with when it expires, and is gone when it was voided', async () => {
  await openLedger(service, 'main', ['alice', 'bob'], 10_000n);
  expect(await value('quittance_holds_open')).toBe(0);
  expect(await value('quittance_hold_next_expiry_timestamp_seconds')).toBeUndefined();
  const expires_s = Math.floor(Date.now() / 1000) + 86_400;
  const { value: asked } = payment('main', 'alice', 'bob', 100n);
  const expireTime = { seconds: BigInt(expires_s), nanos: 0 };
  await service.send({ case: 'authorizePayment', value: { ...asked, expireTime } });
  await until('the hold is counted', async () => (await value('quittance_holds_open')) === 1);
  expect(await value('quittance_hold_next_expiry_timestamp_seconds')).toBe(expires_s);
  const { requestId: paymentId } = asked;
  await service.send({
    case: 'voidPayment',
    value: { ledgerId: 'main', requestId: randomUUID(), paymentId },
  });
  await until('no hold is counted', async () => (await value('quittance_holds_open')) === 0);
  expect(await value('quittance_hold_next_expiry_timestamp_seconds')).toBeUndefined();
});

test('flushes, appends and conflicts with another process are counted', async () => {
  await openLedger(service, 'main', ['alice', 'bob'], 10_000n);
  const appended = await value('quittance_appends_total{outcome="appended"}');
  expect(appended).toBe(5);
  expect(await value('quittance_flush_commands_count')).toBe(5);
  expect(await value('quittance_flush_commands_sum')).toBe(5);
  expect(await value('quittance_queue_wait_seconds_count')).toBe(5);
  expect(await value('quittance_append_duration_seconds_count')).toBe(5);
  const other = await CommandProcess.start(database);
  await other.send(payment('main', 'alice', 'bob', 1n));
  await other.stop();
  await service.send(payment('main', 'alice', 'bob', 1n));
  expect(await value('quittance_appends_total{outcome="behind"}')).toBe(1);
  expect(await value('quittance_log_position')).toBe(Number(service.part.memory.end.position));
  expect(await value('quittance_queue_commands')).toBe(0);
});

test('a command that needs nothing from the state tables is a hit', async () => {
  await openLedger(service, 'main', ['alice', 'bob'], 10_000n);
  const [hits, misses] = [
    await value('quittance_state_lookups_total{result="hit"}'),
    await value('quittance_state_lookups_total{result="miss"}'),
  ];
  await service.send(payment('main', 'alice', 'bob', 1n));
  expect(await value('quittance_state_lookups_total{result="hit"}')).toBe(Number(hits) + 1);
  expect(await value('quittance_state_lookups_total{result="miss"}')).toBe(misses);
});

test('the lease is shown with its term, and without one while no holder is known', async () => {
  let place: Place = { at: 'peer', term: 7n, address: '127.0.0.1:1' };
  leaseMetrics(registry, {
    get isHolder() {
      return place.at === 'here';
    },
    get place() {
      return place;
    },
  });
  expect(await value('quittance_lease_held')).toBe(0);
  expect(await value('quittance_lease_term')).toBe(7);
  place = { at: 'here', term: 8n };
  expect(await value('quittance_lease_held')).toBe(1);
  expect(await value('quittance_lease_term')).toBe(8);
  place = { at: 'unknown' };
  expect(await value('quittance_lease_term')).toBeUndefined();
});
