import { describe, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../../base/store-unavailable.js';
import { redisBalances } from '../../balances/redis/balances.js';
import { createRedis } from './client.js';
import { redisError } from './errors.js';

describe('errors of ioredis and answers of Redis that say that Redis is unavailable', () => {
  test.each([
    'Command timed out',
    'Connection is closed.',
    "Stream isn't writeable and enableOfflineQueue options is false",
    'LOADING Redis is loading the dataset in memory',
    'CLUSTERDOWN The cluster is down',
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "READONLY You can't write against a read only replica.",
    'TRYAGAIN Multiple keys request during rehashing of slot',
    "OOM command not allowed when used memory > 'maxmemory'.",
  ])('text %s', (text) => {
    const cause = new Error(text);
    expect(redisError(cause)).toMatchObject({ name: 'StoreUnavailable', store: 'Redis', cause });
  });

  test.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])(
    'code %s',
    (code) => {
      expect(redisError(Object.assign(new Error('driver'), { code }))).toBeInstanceOf(StoreUnavailable);
    },
  );

  test('a cluster none of whose nodes answers', () => {
    const error = Object.assign(new Error('Failed to refresh'), { name: 'ClusterAllFailedError' });
    expect(redisError(error)).toBeInstanceOf(StoreUnavailable);
  });
});

test.each([new Error('WRONGTYPE Operation against a key'), new Error('Connection terminated'), undefined])(
  'another error stays as it is: %s',
  (error) => {
    expect(redisError(error)).toBe(error);
  },
);

test('a view translates what its commands fail with, and so do its generations', async () => {
  const client = createRedis('redis://127.0.0.1:1');
  const generations = redisBalances(client, { partitions: 1, partitionOf: () => 0 });
  try {
    await expect(generations.current()).rejects.toMatchObject({
      name: 'StoreUnavailable',
      cause: { name: 'MaxRetriesPerRequestError' },
    });
  } finally {
    client.disconnect();
  }
});
