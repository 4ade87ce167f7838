import { afterAll } from '@jest/globals';
import { createRedis } from '../redis-client.js';
import { balancesContract } from './contract.js';
import { redisBalances } from './redis-balances.js';

const client = createRedis(process.env['QUITTANCE_TEST_REDIS'] ?? '', 'test');
let stores = 0;

afterAll(() => {
  client.disconnect();
});

balancesContract(async () => {
  const prefix = `contract-${String(process.pid)}-${String(++stores)}`;
  const generations = redisBalances({ client, partitions: 1, partitionOf: () => 0, prefix });
  await generations.migrate();
  return generations;
});
