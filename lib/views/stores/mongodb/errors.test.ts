import { describe, expect, test } from '@jest/globals';
import {
  MongoClient,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoServerError,
  MongoTopologyClosedError,
} from 'mongodb';
import { StoreUnavailable } from '../../../base/store-unavailable.js';
import { mongodbHistory } from '../../history/mongodb/history.js';
import { mongodbError } from './errors.js';

describe('errors of the MongoDB driver that say that MongoDB is unavailable', () => {
  test.each<Error>([
    new MongoNetworkError('connection 1 to 127.0.0.1:27017 closed'),
    new MongoNetworkTimeoutError('connection timed out'),
    new MongoNotConnectedError('Client must be connected before running operations'),
    new MongoTopologyClosedError('Topology is closed'),
    Object.assign(new Error('pool cleared'), { name: 'MongoPoolClearedError' }),
    Object.assign(new Error('no server found'), { name: 'MongoServerSelectionError' }),
    Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
  ])('%s', (error) => {
    expect(mongodbError(error)).toMatchObject({ name: 'StoreUnavailable', store: 'MongoDB', cause: error });
  });
});

test.each([
  new MongoServerError({ message: 'E11000 duplicate key', code: 11_000 }),
  new Error('x'),
  undefined,
])('another error stays as it is: %s', (error) => {
  expect(mongodbError(error)).toBe(error);
});

test('the generations of a view translate what the driver fails with', async () => {
  const client = new MongoClient('mongodb://127.0.0.1:1/test', { serverSelectionTimeoutMS: 50 });
  const generations = mongodbHistory(client.db(), { partitions: 1, partitionOf: () => 0 });
  try {
    await expect(generations.current()).rejects.toBeInstanceOf(StoreUnavailable);
  } finally {
    await client.close();
  }
});
