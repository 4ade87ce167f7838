/**
 * The tests that need Kafka, Redis, MongoDB or ClickHouse, for `npm run test:stack`, which starts one server of each kind and
 * names them in QUITTANCE_TEST_KAFKA, _REDIS, _MONGODB and _CLICKHOUSE. A test has topics, databases, key prefixes and ports of
 * its own in them. Those below tools/stack start servers of their own; those of the project `faults` also kill them again and again,
 * and run in a worker of their own.
 * The end-to-end tests of the embedded platform run here once more, over the distributed one.
 */
import base from './jest.config.mjs';

// See test/patience.ts: below the limit of a test, which does not say what was waited for.
process.env.QUITTANCE_TEST_PATIENCE_MS ??= '150000';

const shared = { ...base, testPathIgnorePatterns: ['/node_modules/'] };
// These are of a whole run, not of a project of it.
delete shared.testTimeout;
delete shared.maxWorkers;
delete shared.reporters;
delete shared.testSequencer;

/** What takes as long in one worker as all else in two. */
const FAULTS = ['distributed', 'losses'].map((name) => `<rootDir>/tools/stack/test/${name}.stack.test.ts`);

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
  reporters: base.reporters,
  testSequencer: base.testSequencer,
  globalSetup: base.globalSetup,
  globalTeardown: base.globalTeardown,
  projects: [
    {
      ...shared,
      displayName: 'stores',
      testMatch: ['**/*.stack.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/tools/stack/'],
    },
    endToEnd('end to end', 'platform', [
      'thread',
      'trace',
      'watch',
      'bad-input-messages',
      'bad-input-money-and-ids',
      'bad-input-text-and-times',
      'bad-input-lists-and-tokens',
      'bad-input-batches-and-streams',
    ]),
    endToEnd('end to end, history in PostgreSQL', 'platform-on-postgres', ['reads']),
    { ...shared, displayName: 'faults', testMatch: FAULTS },
    {
      ...shared,
      displayName: 'stacks of their own',
      testMatch: ['<rootDir>/tools/stack/**/*.stack.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...FAULTS.map((file) => file.replace('<rootDir>', ''))],
    },
  ],
};
