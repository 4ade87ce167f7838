/** The tables of the deliveries: one process serves a webhook at a time, and what it does not have it cannot move. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createPool, KEYED_PLANS, type Pool, type Queries } from '../../../lib/log/postgres-client.js';
import { migrateLog } from '../../../lib/log/postgres-migrate.js';
import { until } from '../../../test/load.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import type { FailedAttempt, WebhookClaim } from '../claim.js';
import { postgresDeliveries } from '../postgres-deliveries.js';
import { postgresWebhooks } from '../postgres-webhooks.js';
import { newSecret } from '../signature.js';
import type { DeliveryStore, WebhookStore } from '../store.js';
import { type NewWebhook, WEBHOOKS_PER_LEDGER } from '../webhook.js';

const LEASE_MS = 600_000;
const KEY = { ledgerId: 'shop', webhookId: 'all' };

let database: TestDatabase;
let pool: Pool;
let store: WebhookStore;
let deliveries: DeliveryStore;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 2, name: 'test', options: KEYED_PLANS });
  await migrateLog(pool, 1n);
  store = postgresWebhooks(pool);
  deliveries = postgresDeliveries(pool);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

beforeEach(async () => {
  await pool.query('delete from webhooks.endpoints');
  await pool.query('delete from log.ledger_flushes');
  await pool.query('update log.flushes set epoch = 0');
  // Two events of the ledger, at 5 and 7.
  await pool.query(
    `insert into log.ledger_flushes (ledger_id, first, indexes) values ('shop', 5, '{0,2}'), ('other', 9, '{0}')`,
  );
});

const NEW: NewWebhook = {
  ...KEY,
  url: 'https://receiver.test/',
  description: '',
  kinds: [],
  accountIds: [],
  retryPeriod_s: 600,
  secret: newSecret(),
  epoch: 0,
  position: 4n,
};

const create = (webhook: Partial<NewWebhook> = {}) => store.create({ ...NEW, ...webhook });

const claimAll = (holder = randomUUID(), lease_ms = LEASE_MS) => deliveries.claim(holder, 10, lease_ms);

async function claimed(): Promise<WebhookClaim> {
  const [claim] = await claimAll();
  if (claim === undefined) throw new Error('it can be taken');
  return claim;
}

const attempt = (changes: Partial<FailedAttempt> = {}): FailedAttempt => ({
  position: 5n,
  eventId: '0-0-5',
  before: 4n,
  isRequested: false,
  failure: 'HTTP 500',
  pause_ms: 0,
  pauseReason: '',
  ...changes,
});

test('a ledger has no more webhooks than it may, also if two are created at the same moment', async () => {
  for (let index = 1; index < WEBHOOKS_PER_LEDGER; index += 1) {
    expect(await create({ webhookId: `h${String(index)}` })).toBe(true);
  }
  const other = await pool.connect();
  try {
    await other.query('begin');
    const inTransaction = postgresWebhooks(other);
    expect(await inTransaction.create({ ...NEW, webhookId: 'first' })).toBe(true);
    let ended: boolean | undefined;
    const second = create({ webhookId: 'second' }).then((result) => {
      ended = true;
      return result;
    });
    await until('the second call has ended or waits', async () => ended ?? (await isWaiting(other)));
    await other.query('commit');
    expect(await second).toBe(false);
  } finally {
    other.release();
  }
  expect(await store.list('shop')).toHaveLength(WEBHOOKS_PER_LEDGER);
});

/** Whether a statement of this database waits for another one. */
async function isWaiting(client: Queries): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_locks where not granted');
  return rowCount !== 0;
}

describe('a webhook is taken', () => {
  test('by one process at a time, until that gives it back or its lease runs out', async () => {
    await create();
    expect(await deliveries.hasActive()).toBe(true);
    const claim = await claimed();
    expect(claim).toMatchObject({ ...KEY, position: 4n, epoch: 0, retrying: undefined, hasRequested: false });
    expect(await claimAll()).toEqual([]);
    await deliveries.release(claim, 0);
    const [second] = await claimAll(randomUUID(), 1);
    expect(second).toMatchObject(KEY);
    await until('its lease has run out', async () => (await claimAll()).length === 1);
    expect(await deliveries.moved(claim, { position: 5n }, LEASE_MS)).toBe(false);
    expect(await deliveries.failed(claim, attempt())).toBeUndefined();
    expect((await store.get(KEY))?.position).toBe(4n);
  });

  test('only while it has something to send', async () => {
    await create({ position: 7n });
    expect(await claimAll()).toEqual([]);
    await pool.query(`insert into log.ledger_flushes (ledger_id, first, indexes) values ('shop', 8, '{0}')`);
    expect(await claimAll()).toHaveLength(1);
  });

  test('not while it waits after a failure, or is paused', async () => {
    await create();
    await deliveries.failed(await claimed(), attempt({ pause_ms: 600_000 }));
    expect(await claimAll()).toEqual([]);
    await store.resume(KEY);
    expect((await claimed()).retrying).toEqual({ position: 5n, attempts: 1 });
    await store.pause(KEY, 'why');
    expect(await deliveries.hasActive()).toBe(false);
    expect(await claimAll()).toEqual([]);
  });

  test('when a new epoch of the log has begun, at any place', async () => {
    await create({ position: 20n });
    expect(await claimAll()).toEqual([]);
    await pool.query('update log.flushes set epoch = 1');
    const claim = await claimed();
    expect(await deliveries.followEpoch(claim, 1, 6n)).toBe(true);
    expect((await store.get(KEY))?.position).toBe(6n);
    await deliveries.release(claim, 0);
    expect(await claimed()).toMatchObject({ epoch: 1, position: 6n });
  });

  test('with those first that were served longest ago', async () => {
    await create({ webhookId: 'one' });
    await create({ webhookId: 'two' });
    const holder = randomUUID();
    const [first] = await deliveries.claim(holder, 1, LEASE_MS);
    if (first === undefined) throw new Error('one can be taken');
    await deliveries.release(first, 0);
    const [next] = await deliveries.claim(holder, 1, LEASE_MS);
    expect(new Set([first.webhookId, next?.webhookId])).toEqual(new Set(['one', 'two']));
  });
});

test('a call that changes a webhook voids the claim on it', async () => {
  await create();
  for (const change of [
    () => store.update(KEY, { description: 'x' }),
    () => store.rotate(KEY, newSecret(), 60),
    () => store.replay(KEY, 3n),
    () => store.pause(KEY, 'why'),
  ]) {
    const claim = await claimed();
    expect(await deliveries.moved(claim, { position: claim.position }, LEASE_MS)).toBe(true);
    expect(await change()).toBe(true);
    expect(await deliveries.moved(claim, { position: 7n }, LEASE_MS)).toBe(false);
    expect(await deliveries.failed(claim, attempt())).toBeUndefined();
    await deliveries.release(claim, 0);
  }
  expect(await store.get(KEY)).toMatchObject({ position: 2n, isPaused: true });
});

describe('a delivery that fails', () => {
  test('is retried until its period is over, then parked, and the place goes past it', async () => {
    await create();
    expect(await deliveries.failed(await claimed(), attempt())).toBe('retrying');
    expect((await store.get(KEY))?.position).toBe(4n);
    expect(await deliveries.failed(await claimed(), attempt({ failure: 'HTTP 502' }))).toBe('retrying');
    const [delivery] = await store.deliveries(KEY, -1n, 10);
    expect(delivery).toMatchObject({ position: 5n, state: 'retrying', attempts: 2, failure: 'HTTP 502' });
    await pool.query(`update webhooks.deliveries set first_time = first_time - interval '11 minutes'`);
    expect(await deliveries.failed(await claimed(), attempt())).toBe('parked');
    const webhook = await store.get(KEY);
    expect(webhook).toMatchObject({ position: 5n, parked: 1n, retrying: undefined, isPaused: false });
    expect(await store.totals()).toMatchObject({
      active: 1,
      paused: 0,
      retrying: 0,
      parked: 1,
      oldestRetrying_s: 0,
    });
  });

  test('and is delivered later is forgotten, and what is parked stays', async () => {
    await create({ retryPeriod_s: 0 });
    expect(await deliveries.failed(await claimed(), attempt())).toBe('parked');
    await store.update(KEY, { retryPeriod_s: 600 });
    const seven = attempt({ position: 7n, eventId: '0-0-7', before: 6n });
    expect(await deliveries.failed(await claimed(), seven)).toBe('retrying');
    expect(await deliveries.moved(await claimed(), { position: 7n, delivered: 7n }, LEASE_MS)).toBe(true);
    expect(await store.deliveries(KEY, -1n, 10)).toMatchObject([{ position: 5n, state: 'parked' }]);
  });

  test('after it was parked and asked for once more is parked again', async () => {
    await create({ retryPeriod_s: 0 });
    await deliveries.failed(await claimed(), attempt());
    expect(await store.retry(KEY, 6n)).toBe(0n);
    expect(await store.retry(KEY, 5n)).toBe(1n);
    const claim = await claimed();
    expect(claim.hasRequested).toBe(true);
    expect(await deliveries.requested(claim, 10)).toEqual([5n]);
    expect(await deliveries.failed(claim, attempt({ before: 5n, isRequested: true }))).toBe('parked');
    expect(await store.deliveries(KEY, -1n, 10)).toMatchObject([{ state: 'parked', attempts: 2 }]);
    expect(await store.retry(KEY, null)).toBe(1n);
    expect(await deliveries.moved(await claimed(), { position: 5n, delivered: 5n }, LEASE_MS)).toBe(true);
    expect(await store.deliveries(KEY, -1n, 10)).toEqual([]);
  });

  test('of a webhook with as many parked ones as there may be pauses it', async () => {
    await create({ retryPeriod_s: 0 });
    await pool.query(
      `insert into webhooks.deliveries
         (ledger_id, webhook_id, position, event_id, state, attempts, first_time, last_time, failure)
       select 'shop', 'all', -n, '', 2, 1, now(), now(), '' from generate_series(1, 10000) n`,
    );
    await deliveries.failed(await claimed(), attempt());
    expect(await store.get(KEY)).toMatchObject({
      isPaused: true,
      pauseReason: 'there are too many parked deliveries',
    });
  });

  test('in what is lost since the log was restored is forgotten with it', async () => {
    await create({ retryPeriod_s: 0 });
    await deliveries.failed(await claimed(), attempt());
    await deliveries.failed(await claimed(), attempt({ position: 7n, eventId: '0-0-7', before: 6n }));
    await pool.query('update log.flushes set epoch = 1');
    await deliveries.followEpoch(await claimed(), 1, 6n);
    expect(await store.deliveries(KEY, -1n, 10)).toMatchObject([{ position: 5n }]);
  });
});
