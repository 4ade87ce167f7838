import { describe, expect, test } from '@jest/globals';
import { readConfig as readCommand, readTopicConfig } from '../../command/config.js';
import { readConfig as readProjector } from '../../projector/config.js';
import { readConfig as readQuery } from '../config.js';

const DATABASE = { QUITTANCE_DATABASE_URL: 'postgresql://me:secret@db/quittance' };
const BUS = { QUITTANCE_KAFKA_BROKERS: 'one:9092, two:9092' };
const STORES = {
  QUITTANCE_REDIS_URL: 'redis://cache:6379',
  QUITTANCE_MONGODB_URL: 'mongodb://docs/quittance',
  QUITTANCE_CLICKHOUSE_URL: 'http://reports:8123/quittance',
};
const ALL = { ...DATABASE, ...BUS, ...STORES };

test('each service has its ports and reads its own of one file of variables', () => {
  expect(readCommand(ALL)).toMatchObject({
    grpcPort: 50051,
    connectPort: 8081,
    bus: {
      brokers: ['one:9092', 'two:9092'],
      topic: 'quittance.events.v1',
      security: { isTls: false, sasl: undefined },
    },
  });
  expect(readProjector(ALL)).toMatchObject({
    grpcPort: 50052,
    connectPort: 8082,
    stores: { redisUrl: STORES.QUITTANCE_REDIS_URL, mongodbUrl: STORES.QUITTANCE_MONGODB_URL },
  });
  expect(readQuery({ ...DATABASE, ...STORES })).toMatchObject({ grpcPort: 50053, connectPort: 8083 });
  expect(readTopicConfig(ALL)).toMatchObject({ partitions: 12, replication: 1 });
});

test('the history may be in PostgreSQL, and then no MongoDB is needed', () => {
  const { QUITTANCE_MONGODB_URL: _, ...others } = ALL;
  const config = readQuery({ ...others, QUITTANCE_HISTORY_STORE: 'postgres' });
  expect(config.stores.mongodbUrl).toBeUndefined();
  expect(() => readQuery(others)).toThrow('QUITTANCE_MONGODB_URL is not set; for example');
});

describe('a line says what is wrong', () => {
  test.each([
    [{ QUITTANCE_KAFKA_BROKERS: 'one' }, 'QUITTANCE_KAFKA_BROKERS is "one"; allowed: host:port'],
    [{ QUITTANCE_KAFKA_SASL: 'gssapi' }, 'QUITTANCE_KAFKA_SASL is "gssapi"; allowed: none, plain'],
    [{ QUITTANCE_KAFKA_SASL: 'plain' }, 'QUITTANCE_KAFKA_USERNAME is not set'],
    [{ QUITTANCE_KAFKA_PASSWORD: 'x' }, 'is set without QUITTANCE_KAFKA_SASL'],
    [{ QUITTANCE_KAFKA_TOPIC: 'a b' }, 'QUITTANCE_KAFKA_TOPIC is "a b"; allowed: a name'],
    [{ QUITTANCE_REDIS_URL: 'http://x' }, 'QUITTANCE_REDIS_URL is not a URL of redis or rediss'],
    [{ QUITTANCE_CLICKHOUSE_URL: 'tcp://x' }, 'QUITTANCE_CLICKHOUSE_URL is not a URL of http or https'],
    [{ QUITTANCE_HISTORY_STORE: 'disk' }, 'QUITTANCE_HISTORY_STORE is "disk"; allowed: mongodb, postgres'],
    [{ QUITTANCE_REDIS_ULR: 'x' }, 'did you mean QUITTANCE_REDIS_URL?'],
    [{ QUITTANCE_DATABASE_URL: '' }, 'QUITTANCE_DATABASE_URL is not set; for example'],
  ])('%j', (change, line) => {
    expect(() => readProjector({ ...ALL, ...change })).toThrow(line);
  });

  test('and does not repeat a password', () => {
    const read = () => readProjector({ ...ALL, QUITTANCE_DATABASE_URL: 'mysql://me:secret@db/x' });
    expect(read).toThrow('QUITTANCE_DATABASE_URL');
    expect(read).not.toThrow('secret');
  });
});
