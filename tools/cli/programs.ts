/** Programs of the platform that the command line starts in its place: servers, the demo, imports, measures. */

export interface Program {
  /** As it is typed. */
  readonly path: readonly string[];
  readonly summary: string;
  /** The built file. */
  readonly file: string;
  /** Options of Node that it runs with. */
  readonly node?: readonly string[];
  /** A script that runs beside it: it builds what no start waits for. */
  readonly aside?: string;
  /** Whether it calls a server, whose address it takes by `--address`. */
  readonly takesAddress?: boolean;
}

export const PROGRAMS: readonly Program[] = [
  {
    path: ['server', 'start'],
    summary: 'start Quittance in one process, until Ctrl-C',
    file: 'services/standalone/main.js',
    node: ['--max-semi-space-size=32'],
    aside: 'scripts/build-console.mjs',
  },
  {
    path: ['server', 'reset'],
    summary: 'delete the data directory, after asking',
    file: 'tools/reset/main.js',
  },
  {
    path: ['server', 'stack'],
    summary: 'run the distributed platform on this machine, until Ctrl-C',
    file: 'tools/stack/main.js',
  },
  {
    path: ['demo'],
    summary: 'play believable traffic in the ledger demo',
    file: 'tools/demo/main.js',
    takesAddress: true,
  },
  {
    path: ['import'],
    summary: 'book the movements of a CSV, CAMT.053 or MT940 file',
    file: 'tools/import/main.js',
    takesAddress: true,
  },
  {
    path: ['torture'],
    summary: 'load a platform of its own, hurt it and audit it',
    file: 'tools/torture/main.js',
  },
  { path: ['bench'], summary: 'measure this machine', file: 'bench/main.js' },
];
