import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stackServer } from '../../../../test/stack-servers.js';
import type { RedisClient } from '../../stores/redis/client.js';
import { createRedis } from '../../stores/redis/client.js';
import { parkingContract, servingView } from '../../parked/contract/suite.js';
import { balancesContract } from '../contract/suite.js';
import { redisBalances } from './balances.js';

const PREFIX = 'test-balances-contract';
let client: RedisClient;

beforeAll(() => {
  client = createRedis(stackServer('REDIS'));
});

afterAll(async () => {
  await client.quit();
});

/** The server is shared: what is here is one prefix of it. */
async function emptied(): Promise<void> {
  const keys = await client.keys(`{${PREFIX}:*`);
  if (keys.length > 0) await client.unlink(...keys);
}

async function fresh() {
  await emptied();
  const generations = redisBalances(client, { partitions: 1, partitionOf: () => 0, prefix: PREFIX });
  await generations.migrate();
  return generations;
}

balancesContract(fresh);
parkingContract(async () => servingView(await fresh()));

test('the numbers of generations go on, also where the registry was lost', async () => {
  const options = { partitions: 1, partitionOf: () => 0, prefix: PREFIX };
  const generations = redisBalances(client, options);
  await emptied();
  await generations.migrate();
  const before = (await generations.current()).generation;
  await emptied();
  await generations.migrate();
  expect((await generations.current()).generation).toBeGreaterThan(before);
  expect(before).toBeLessThan(2 ** 31);
});
