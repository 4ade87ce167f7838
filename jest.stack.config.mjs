/**
 * The tests that need Kafka, Redis, MongoDB or ClickHouse: `npm run test:stack` starts those and names them in
 * QUITTANCE_TEST_KAFKA, _REDIS, _MONGODB and _CLICKHOUSE. The end-to-end tests of the embedded platform run here once more,
 * over the distributed one.
 */
import base from './jest.config.mjs';

const shared = { ...base, testPathIgnorePatterns: ['/node_modules/'] };
delete shared.testTimeout;
delete shared.maxWorkers;

/** The end-to-end tests of these names, by another composition of the platform. */
const endToEnd = (displayName, platform, names) => ({
  ...shared,
  displayName,
  testMatch: names.map((name) => `<rootDir>/services/standalone/test/${name}.test.ts`),
  moduleNameMapper: {
    '^\\./platform\\.js$': `<rootDir>/tools/stack/test/${platform}.ts`,
    ...base.moduleNameMapper,
  },
});

export default {
  testTimeout: 240_000,
  // Each starts a whole platform, which wants the machine for itself.
  maxWorkers: 1,
  globalSetup: base.globalSetup,
  globalTeardown: base.globalTeardown,
  projects: [
    { ...shared, displayName: 'stack', testMatch: ['**/*.stack.test.ts'] },
    endToEnd('end to end', 'platform', ['thread', 'watch', 'bad-input']),
    endToEnd('end to end, history in PostgreSQL', 'platform-on-postgres', ['reads']),
  ],
};
