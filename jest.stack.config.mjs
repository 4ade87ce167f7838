/**
 * The tests that need Kafka, Redis, MongoDB or ClickHouse: `npm run test:stack` starts those and names them in
 * QUITTANCE_TEST_KAFKA, _REDIS, _MONGODB and _CLICKHOUSE.
 */
import base from './jest.config.mjs';

export default {
  ...base,
  testPathIgnorePatterns: ['/node_modules/'],
  testMatch: ['**/*.stack.test.ts'],
  testTimeout: 120_000,
};
