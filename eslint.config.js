/** Lint rules: typescript-eslint's strictest, and what the house style adds. */
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Files whose job is to meet the outside world. */
const ENTRY_FILES = [
  'services/*/main.ts',
  'services/*/engines/**',
  'tools/**',
  'bench/**',
  'scripts/**',
  'test/**',
  '**/*.test.ts',
  '**/test/**',
  '**/contract/**',
];

const TESTS = ['**/*.test.ts', '**/test/**', 'test/**', '**/contract/**'];

const PROCESS_RULE = {
  name: 'process',
  message: 'Only entry files touch process; take what you need as a parameter.',
};

/** Whatever decides gets time, randomness and ids as parameters, so that a decision is a function of its inputs. */
const IMPURE_GLOBALS = [
  'Date',
  'performance',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'fetch',
  'console',
].map((name) => ({
  name,
  message: 'The domain is pure: time, randomness, ids and effects come in as parameters.',
}));

export default tseslint.config(
  // The hot path of generated code is protoc-gen-es' business.
  {
    ignores: [
      'gen/',
      'test/conformance/gen/',
      'dist/',
      'node_modules/',
      '.quittance/',
      '.quittance-stack/',
      'coverage/',
    ],
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      globals: globals.node,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines-per-function': ['error', { max: 60, skipComments: true, skipBlankLines: true }],
      'no-restricted-globals': ['error', PROCESS_RULE],
      'no-restricted-imports': ['error', { paths: [{ ...PROCESS_RULE, name: 'node:process' }] }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'No barrel files: import from where a thing is.' },
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        {
          selector: 'ObjectExpression > SpreadElement > ObjectExpression',
          message:
            'Write the properties themselves: TypeScript checks no excess properties through a spread.',
        },
        {
          selector: 'ArrayExpression > SpreadElement > ArrayExpression',
          message: 'Write the elements themselves.',
        },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        // Of protobuf's own enums and oneofs, a `default` is often what the contract means by "anything else".
        { considerDefaultExhaustiveForUnions: true },
      ],
      // What implements an asynchronous port is asynchronous, whether or not it waits for something.
      '@typescript-eslint/require-await': 'off',
      // `_unused` is how a parameter that an interface demands says that it is not used.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // An arrow of one expression that calls a void function is the plainest way to write it.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Numbers and bigints in texts are what they look like.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Ports and dependencies are objects of closures whose types are written as methods: taken apart, they still work.
      '@typescript-eslint/unbound-method': 'off',
      // `while (true)` with a return inside says what it does.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
    },
  },
  {
    files: ENTRY_FILES,
    rules: { 'no-restricted-globals': 'off', 'no-restricted-imports': 'off' },
  },
  {
    files: ['services/command/domain/**/*.ts'],
    ignores: TESTS,
    rules: {
      'no-restricted-globals': ['error', PROCESS_RULE, ...IMPURE_GLOBALS],
      'no-restricted-properties': [
        'error',
        {
          object: 'Math',
          property: 'random',
          message: 'The domain is pure: randomness comes in as a parameter.',
        },
        { object: 'globalThis', message: 'The domain is pure.' },
      ],
    },
  },
  {
    files: TESTS,
    rules: {
      // A describe is a function of many tests.
      'max-lines-per-function': 'off',
      // jest loads its global setup and teardown by their default export.
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      // Matchers such as expect.any and rows of ad hoc queries are `any`; a test that takes one wrongly fails.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
    },
  },
  {
    // Runs in browsers. Amounts are bigint minor units and their decimal digits: money.ts turns one into the other.
    files: ['services/console/web/**/*.{ts,tsx}'],
    languageOptions: { globals: globals.browser },
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'No barrel files: import from where a thing is.' },
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        {
          selector:
            "CallExpression[callee.name=/^(Number|parseFloat|parseInt)$/], CallExpression[callee.property.name='toFixed']",
          message: 'Money is bigint: use money.ts. What is no money goes through numbers.ts.',
        },
        {
          selector: 'ObjectExpression > SpreadElement > ObjectExpression',
          message:
            'Write the properties themselves: TypeScript checks no excess properties through a spread.',
        },
      ],
    },
  },
  {
    files: ['services/console/web/numbers.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // The one place that makes functions of text, which is made of our own descriptors.
    files: ['lib/base/compile.ts'],
    rules: { '@typescript-eslint/no-implied-eval': 'off' },
  },
  {
    // Decoders make enums of the numbers that are stored.
    files: [
      '**/{postgres,redis,mongodb,clickhouse}*.ts',
      '**/{postgres,redis,mongodb,clickhouse}/**/*.ts',
      'services/command/application/decode.ts',
    ],
    rules: { '@typescript-eslint/no-unsafe-enum-assignment': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    extends: [tseslint.configs.recommended],
    languageOptions: { globals: globals.node },
  },
);
