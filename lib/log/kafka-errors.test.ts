import { describe, expect, test } from '@jest/globals';
import {
  KafkaJSConnectionError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
} from 'kafkajs';
import { StoreUnavailable } from '../base/store-unavailable.js';
import { kafkaError } from './kafka-errors.js';
import { kafkaPublisher } from './kafka-publisher.js';

const connection = new KafkaJSConnectionError('connect ECONNREFUSED 127.0.0.1:1', {
  broker: '127.0.0.1:1',
  code: 'ECONNREFUSED',
});

describe('errors of kafkajs that say that Kafka is unavailable', () => {
  test.each<Error>([
    connection,
    Object.assign(new Error('closed connection'), { name: 'KafkaJSConnectionClosedError' }),
    Object.assign(new Error('broker 1 not found'), { name: 'KafkaJSBrokerNotFound' }),
    new KafkaJSRequestTimeoutError('request timed out', {
      broker: '127.0.0.1:1',
      clientId: 'test',
      correlationId: 1,
      createdAt: 0,
      sentAt: 0,
      pendingDuration: 0,
    }),
    new KafkaJSNumberOfRetriesExceeded(connection, { retryCount: 3, retryTime: 100 }),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
  ])('%s', (error) => {
    expect(kafkaError(error)).toMatchObject({ name: 'StoreUnavailable', store: 'Kafka', cause: error });
  });
});

test('an answer of Kafka that refuses, and an error of another component, stay as they are', () => {
  const refused = new KafkaJSProtocolError('topic authorization failed');
  const refusedAgain = new KafkaJSNumberOfRetriesExceeded(refused, { retryCount: 3, retryTime: 100 });
  const other = new Error('the handler failed', { cause: connection });
  for (const error of [refused, refusedAgain, other, undefined]) expect(kafkaError(error)).toBe(error);
});

test('a publisher translates what it cannot be opened for', async () => {
  const open = kafkaPublisher({ brokers: ['127.0.0.1:1'], topic: 'test', shard: 0 });
  await expect(open()).rejects.toBeInstanceOf(StoreUnavailable);
});
