/** One Postgres a run (started by globalSetup), a database a test file. What needs more servers is in jest.stack.config.mjs. */
export default {
  testEnvironment: 'node',
  testPathIgnorePatterns: ['/node_modules/', '\\.stack\\.test\\.ts$'],
  roots: ['<rootDir>/lib', '<rootDir>/services', '<rootDir>/tools', '<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  globalSetup: '<rootDir>/test/global-setup.ts',
  globalTeardown: '<rootDir>/test/global-teardown.ts',
  testTimeout: 30_000,
  maxWorkers: 2,
};
