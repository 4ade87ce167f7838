/** Who may import whom. The map is docs/cqrs-map.md; tests are exempt. */

/** Tests may reach anywhere: they build inputs with the real domain and stores. */
const TESTS = '(\\.test\\.ts$|/test/|^test/|/contract/)';

/** npm packages and Node's own modules are no folders of ours. */
const OUTSIDE = '^(node_modules/|node:)';

/** Files that speak to a store or a broker carry its name, or lie in a folder of its name. */
const DRIVERS = 'node_modules/(pg|pg-[^/]+|kafkajs|ioredis|mongodb|@clickhouse)/';
const ADAPTERS = '(^|/)(postgres|kafka|redis|mongodb|clickhouse)([^/]*\\.ts$|/)';

/** A folder that may import only some others (and npm, and Node). */
function only(name, from, allowed, comment) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: from, pathNot: TESTS },
    to: {
      dependencyTypesNot: ['core', 'npm', 'npm-dev', 'npm-optional'],
      pathNot: [...allowed, OUTSIDE],
      couldNotResolve: false,
    },
  };
}

module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment: 'The domain imports nothing but itself: no library, no Node module, no generated code.',
      severity: 'error',
      from: { path: '^services/command/domain/', pathNot: TESTS },
      to: { pathNot: '^services/command/domain/' },
    },
    {
      name: 'domain-belongs-to-command',
      comment: 'Whoever else needs a balance has a view; VerifyLedger has its own fold on purpose.',
      severity: 'error',
      from: { pathNot: ['^services/command/', TESTS] },
      to: { path: '^services/command/domain/' },
    },
    only(
      'command-imports',
      '^services/command/',
      ['^services/command/', '^gen/', '^lib/'],
      'A service imports itself, gen and lib: never another service.',
    ),
    only(
      'projector-imports',
      '^services/projector/',
      [
        '^services/projector/',
        '^services/verifier/compose\\.ts$',
        '^services/webhooks/(compose|config)\\.ts$',
        '^gen/',
        '^lib/',
      ],
      'A service imports itself, gen and lib; its composition root also mounts the verifier and the webhooks.',
    ),
    only(
      'webhooks-imports',
      '^services/webhooks/',
      ['^services/webhooks/', '^gen/', '^lib/'],
      'A service imports itself, gen and lib: never another service.',
    ),
    only(
      'verifier-imports',
      '^services/verifier/',
      ['^services/verifier/', '^gen/', '^lib/'],
      'The second opinion: it imports itself, gen and lib, and never what it judges.',
    ),
    only(
      'query-imports',
      '^services/query/',
      ['^services/query/', '^gen/', '^lib/'],
      'A service imports itself, gen and lib: never another service.',
    ),
    only('base-imports', '^lib/base/', ['^lib/base/', '^gen/'], 'base is the ground.'),
    only('observe-imports', '^lib/observe/', ['^lib/(observe|base)/', '^gen/'], 'observe is above base.'),
    only('log-imports', '^lib/log/', ['^lib/(log|base)/', '^gen/'], 'log is above base.'),
    only('views-imports', '^lib/views/', ['^lib/(views|log|base)/', '^gen/'], 'views is above log.'),
    only(
      'rpc-imports',
      '^lib/rpc/',
      ['^lib/(rpc|observe|base)/', '^gen/'],
      'rpc is above base and observe, beside log and views.',
    ),
    only(
      'process-imports',
      '^lib/process/',
      ['^lib/(process|rpc|observe|base)/', '^gen/'],
      'process is above rpc.',
    ),
    only('auth-imports', '^lib/auth/', ['^lib/(auth|rpc|log|base)/', '^gen/'], 'auth is above rpc and log.'),
    only('gen-imports', '^gen/', ['^gen/'], 'Generated code knows only itself and the runtime.'),
    only(
      'tools-speak-to-the-doors',
      '^(tools/(?!reset/|stack/|create-topic/|keys/)|bench/(?!decide/|views/)|services/console/)',
      [
        '^tools/',
        '^bench/',
        '^services/console/',
        '^gen/',
        '^lib/(base|rpc|process)/',
        '^lib/auth/(method-rules|scopes)\\.ts$',
      ],
      'What is not a service is a client like any other; only reset, stack, create-topic, keys and measures of one part touch more.',
    ),
    {
      name: 'append-belongs-to-command',
      comment: 'Only the command service writes the log; the compositions hand it the adapter.',
      severity: 'error',
      from: { pathNot: ['^services/(command|standalone)/', '^lib/log/', TESTS] },
      to: { path: '^lib/log/(postgres-)?append\\.ts$' },
    },
    {
      name: 'nothing-imports-standalone',
      comment: 'It is a composition root. tools/reset deletes what it makes and needs its data directory.',
      severity: 'error',
      from: { pathNot: ['^services/standalone/', '^tools/(reset|stack|keys)/', TESTS] },
      to: { path: '^services/standalone/' },
    },
    {
      name: 'drivers-in-adapters-only',
      comment: 'A driver is imported by files that carry its store’s name; elsewhere only as a type.',
      severity: 'error',
      from: { path: '^(lib|services|tools|bench)/', pathNot: [ADAPTERS, TESTS] },
      to: { path: DRIVERS, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'opentelemetry-in-one-file',
      comment: 'lib/observe/tracing.ts loads it where traces are on, and where they are off nothing does.',
      severity: 'error',
      from: { pathNot: ['^lib/observe/otel\\.ts$', TESTS] },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    {
      name: 'opentelemetry-when-it-is-on',
      comment: 'A static import would load it at every start.',
      severity: 'error',
      from: {},
      to: { path: '^lib/observe/otel\\.ts$', dependencyTypesNot: ['dynamic-import'] },
    },
    {
      name: 'adapters-are-composed',
      comment: 'Only composition roots, engines and tools choose an adapter; all else sees the port.',
      severity: 'error',
      from: { pathNot: [ADAPTERS, '(^|/)compose[^/]*\\.ts$', '/engines/', '^tools/', '^bench/', TESTS] },
      // engines/ starts PostgreSQL as a program, and is no adapter of a port; a statement is a text without a driver.
      to: { path: ADAPTERS, pathNot: ['/engines/', '\\.sql\\.ts$'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-circular',
      comment: 'Two files that need each other are one thing, or hide a third. Types may go round.',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-barrels',
      comment: 'Import from where a thing is.',
      severity: 'error',
      from: {},
      to: { path: '^(lib|services|tools|bench)/.*/index\\.ts$' },
    },
    {
      name: 'not-to-test',
      comment: 'What runs never imports what tests it.',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { path: TESTS, pathNot: OUTSIDE },
    },
    {
      name: 'not-to-dev-dependencies',
      comment: '`npm ci --omit=dev` must be enough to run.',
      severity: 'error',
      // The console is bundled when it is built.
      from: { path: '^(lib|services|tools)/', pathNot: [TESTS, '^services/console/web/'] },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: 'node_modules/@types/',
      },
    },
    {
      name: 'not-unresolvable',
      comment: 'A path that leads nowhere fails only when it is run.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
