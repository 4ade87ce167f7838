/**
 * The balances view over several partitions: in one Redis, and in a cluster, where they lie on different
 * nodes.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clone } from '@bufbuild/protobuf';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import { stackServer } from '../../../../test/stack-servers.js';
import { until } from '../../../../test/load.js';
import { LedgerFixture, testId } from '../../../../test/ledger-fixture.js';
import { accountsChangedBy } from '../../../log/account-of.js';
import type { BusBatch } from '../../../log/bus.js';
import { createRedis, type RedisClient } from '../../stores/redis/client.js';
import { redisSafety } from '../../stores/redis/safety.js';
import { type RedisServer, serverTest, type StartRedis } from '../../stores/redis/test/redis-server.js';
import { ViewMissingError, type ViewRow } from '../../view.js';
import { accountKey } from '../fold.js';
import { redisBalances } from './balances.js';
import type { BalancesView } from '../view.js';

const PREFIX = 'test-balances-partitions';
const PARTITIONS = 12;
/** `ledger-7` lives in partition 7. */
const PARTITIONED = { partitions: PARTITIONS, partitionOf: (ledgerId: string) => Number(ledgerId.slice(7)) };
let client: RedisClient;

beforeAll(() => {
  client = createRedis(stackServer('REDIS'));
});

afterAll(async () => {
  await emptied();
  await client.quit();
});

async function emptied(): Promise<void> {
  const keys = await client.keys(`{${PREFIX}:*`);
  if (keys.length > 0) await client.unlink(...keys);
}

/** A ledger a partition, with a few accounts each. */
function ledgers(accounts: number): LedgerFixture {
  const fixture = new LedgerFixture();
  let id = 0;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const ledgerId = `ledger-${String(partition)}`;
    fixture.run({ case: 'createLedger', value: { ledgerId, requestId: testId(++id) } });
    for (let n = 0; n < accounts; n++) {
      const accountId = `account-${String(n)}`;
      const opened = { ledgerId, accountId, requestId: testId(++id), currency: 'EUR' };
      fixture.run({ case: 'openAccount', value: opened });
    }
  }
  return fixture;
}

/** The batch as the partition gets it: its own ledgers' events, and those of no ledger. */
function ofPartition(batch: BusBatch, partition: number): BusBatch {
  const isOurs = (ledgerId: string) => ledgerId === '' || PARTITIONED.partitionOf(ledgerId) === partition;
  return { ...batch, partition, events: batch.events.filter(({ event }) => isOurs(event.ledgerId)) };
}

async function applyAll(view: BalancesView, batch: BusBatch): Promise<void> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  await Promise.all(partitions.map((partition) => view.apply(ofPartition(batch, partition))));
}

async function pagedRows(
  view: BalancesView,
  limit: number,
  ledgerId: string | null = null,
): Promise<ViewRow[]> {
  const rows: ViewRow[] = [];
  for (;;) {
    const page = await view.rows({ ledgerId, afterKey: rows.at(-1)?.key ?? null, limit });
    rows.push(...page);
    if (page.length < limit) return rows;
  }
}

function sortedKeys(fixture: LedgerFixture, ledgerId?: string): string[] {
  const keys = fixture.events.flatMap(({ event }) =>
    accountsChangedBy(event).map(({ accountId }) => accountKey(event.ledgerId, accountId)),
  );
  const ofLedger = keys.filter((key) => ledgerId === undefined || key.startsWith(`${ledgerId} `));
  return [...new Set(ofLedger)].sort((a, b) => (a < b ? -1 : 1));
}

async function readsAllPartitions(view: BalancesView, fixture: LedgerFixture): Promise<void> {
  for (const limit of [7, 1000]) {
    expect((await pagedRows(view, limit)).map(({ key }) => key)).toEqual(sortedKeys(fixture));
    // `ledger-1` is the beginning of `ledger-10` and `ledger-11`.
    const ofOne = await pagedRows(view, limit, 'ledger-1');
    expect(ofOne.map(({ key }) => key)).toEqual(sortedKeys(fixture, 'ledger-1'));
  }
  const end = fixture.events.at(-1)?.position;
  const reads = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) =>
      view.balances(partition, `ledger-${String(partition)}`, ['account-1', 'nobody']),
    ),
  );
  for (const [partition, { value, asOf }] of reads.entries()) {
    expect(value.map((row) => row?.state.accountId)).toEqual(['account-1', undefined]);
    expect(asOf).toMatchObject({ partition, position: end });
  }
}

test('partitions are read as one view, each ledger in its own', async () => {
  await emptied();
  const generations = redisBalances(client, { ...PARTITIONED, prefix: PREFIX });
  await generations.migrate();
  const view = await generations.current();
  const fixture = ledgers(5);
  await applyAll(view, fixture.batch());
  await readsAllPartitions(view, fixture);
  const wrong = redisBalances(client, { ...PARTITIONED, partitions: 3, prefix: PREFIX });
  await expect(wrong.current()).rejects.toThrow(/made for 12 partitions, and the bus has 3/);
});

test('a version that a Lua number cannot hold is compared exactly, and never goes back', async () => {
  await emptied();
  const generations = redisBalances(client, { ...PARTITIONED, prefix: PREFIX });
  await generations.migrate();
  const view = await generations.current();
  const fixture = ledgers(1);
  const opened = fixture.events.find(
    ({ event }) => event.ledgerId === 'ledger-0' && accountsChangedBy(event)[0],
  );
  if (opened === undefined) throw new Error('no account was opened');
  const versions = [9n, 10n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 53n, 9n, 2n ** 63n - 1n, 2n ** 63n - 2n];
  let highest = 0n;
  for (const [index, version] of versions.entries()) {
    const event = clone(EventSchema, opened.event);
    for (const state of accountsChangedBy(event)) Object.assign(state, { version, credits: version });
    const position = opened.position + BigInt(index);
    const watermark = { ...fixture.point(0n), position };
    await view.apply({ partition: 0, events: [{ ...opened, event, position }], offset: position, watermark });
    highest = version > highest ? version : highest;
    const { value } = await view.balances(0, 'ledger-0', ['account-0']);
    expect(value[0]?.state).toMatchObject({ version: highest, credits: highest });
  }
});

test('a batch that changes thousands of accounts is written in parts, each a state of the log', async () => {
  await emptied();
  const generations = redisBalances(client, { partitions: 1, partitionOf: () => 0, prefix: PREFIX });
  await generations.migrate();
  const view = await generations.current();
  const fixture = new LedgerFixture();
  fixture.run({ case: 'createLedger', value: { ledgerId: 'main', requestId: testId(1) } });
  const ids = Array.from({ length: 3_000 }, (_, index) => `account-${String(index).padStart(4, '0')}`);
  ids.forEach((accountId, index) =>
    fixture.run({
      case: 'openAccount',
      value: { ledgerId: 'main', accountId, requestId: testId(2 + index), currency: 'EUR' },
    }),
  );
  const openedAt = fixture.events
    .filter(({ event }) => accountsChangedBy(event).some(({ accountId }) => accountId.startsWith('account-')))
    .map(({ position }) => position);
  expect(openedAt).toHaveLength(ids.length);
  let isApplying = true;
  const reader = async () => {
    while (isApplying) {
      const { value, asOf } = await view.balances(0, 'main', ids);
      const opened = openedAt.filter((position) => position <= asOf.position);
      expect(value.filter((row) => row !== undefined)).toHaveLength(opened.length);
    }
  };
  const reading = reader();
  const [twin] = await Promise.all([generations.current(), view.apply(fixture.batch())]);
  await twin.apply(fixture.batch());
  isApplying = false;
  await reading;
  expect((await pagedRows(view, 1_500)).map(({ key }) => key)).toEqual(sortedKeys(fixture));
  const end = fixture.events.at(-1)?.position;
  expect(await view.checkpoint(0)).toMatchObject({ position: end, offset: end });
});

const SLOTS = 16_384;

/** Long: this is not about how soon a command fails, and the machine may be busy. */
const PATIENT = { commandTimeout_ms: 60_000 };

async function cluster(start: StartRedis): Promise<{ nodes: RedisServer[]; client: RedisClient }> {
  // No node fails here: one that is late on a busy machine is not to be taken for a failed one.
  const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '60000'];
  const nodes = await Promise.all([start(...options), start(...options), start(...options)]);
  const clients = nodes.map(({ url }) => createRedis(url, PATIENT));
  const [first] = nodes;
  await Promise.all(
    clients.map(async (node, index) => {
      const [from, to] = [index, index + 1].map((n) => Math.floor((n * SLOTS) / clients.length));
      await node.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String((to ?? 0) - 1));
      await node.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    }),
  );
  const { port, busPort } = first;
  await Promise.all(
    clients.slice(1).map((node) => node.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort))),
  );
  for (const node of clients) {
    await until('the node sees the whole cluster', async () => {
      const info = String(await node.call('CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
    });
    node.disconnect();
  }
  return { nodes, client: createRedis(nodes.map(({ url }) => url).join(','), PATIENT) };
}

serverTest(
  'in a cluster partitions lie on different nodes; one that is emptied is noticed',
  async (start) => {
    const { nodes, client: clustered } = await cluster(start);
    try {
      const generations = redisBalances(clustered, PARTITIONED);
      await generations.migrate();
      const view = await generations.current();
      const fixture = ledgers(5);
      await applyAll(view, fixture.batch(0n, 30n));
      await applyAll(view, fixture.batch());
      await readsAllPartitions(view, fixture);
      expect(await redisSafety(clustered)).toMatchObject({ verdict: 'safe' });
      const spare = await generations.create();
      await generations.drop(spare.generation);
      const holding = nodes.map(({ url }) => createRedis(url, PATIENT));
      const sizes = await Promise.all(holding.map((node) => node.dbsize()));
      expect(sizes.every((size) => size > 0)).toBe(true);
      expect(sizes.reduce((sum, size) => sum + size)).toBe(2 * PARTITIONS + 1);
      for (const node of holding) {
        await node.flushall();
        await expect(generations.current()).rejects.toThrow(ViewMissingError);
        await generations.migrate();
        const next = await generations.current();
        await applyAll(next, fixture.batch());
        await readsAllPartitions(next, fixture);
        node.disconnect();
      }
    } finally {
      clustered.disconnect();
    }
  },
);
