/** One PostgreSQL per run (started by globalSetup), one database per test file. Tests of other servers: jest.stack.config.mjs. */
export default {
  testEnvironment: 'node',
  testPathIgnorePatterns: ['/node_modules/', '\\.stack\\.test\\.ts$'],
  roots: ['<rootDir>/lib', '<rootDir>/services', '<rootDir>/tools', '<rootDir>/bench', '<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  globalSetup: '<rootDir>/test/global-setup.mjs',
  globalTeardown: '<rootDir>/test/global-teardown.mjs',
  testSequencer: '<rootDir>/test/longest-first.mjs',
  reporters: ['default', '<rootDir>/test/totals-reporter.mjs'],
  // Ends a test that hangs. Long, as the machine may be busy with something else: no test is about this limit.
  testTimeout: 60_000,
  maxWorkers: 2,
};
