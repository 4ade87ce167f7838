/** Every command of package.json that runs a program of ours explains itself, as it was built. */
import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

/** Hands its arguments to jest. */
const WITHOUT_OPTIONS = new Set(['test:stack']);

/** What a command wants before it looks at the rest. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  import: ['movements.csv', '--ledger', 'bank', '--currency', 'EUR'],
  'bench:history': ['--host', 'localhost', '--database', 'views'],
};

/** Each command with the built file that it runs. */
const COMMANDS = Object.entries(scripts).flatMap(([name, line]) => {
  const [, file] = /\b(dist\/\S+\.js)/.exec(line) ?? [];
  return file === undefined || WITHOUT_OPTIONS.has(name) ? [] : [{ name, file }];
});
const SERVICES = ['command', 'projector', 'query'].map((name) => ({
  name,
  file: `dist/services/${name}/main.js`,
}));
/** A step that is run once, by hand or by `npm run stack`. */
const STEPS = [{ name: 'create-topic', file: 'dist/tools/create-topic/main.js' }];

/** Ends a command that goes on in place of its help. A busy machine needs seconds to load one. */
const LIMIT_MS = 50_000;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(file: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { cwd: ROOT, timeout: LIMIT_MS }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

test('the commands are those that a newcomer meets', () => {
  const names = COMMANDS.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['start', 'demo', 'import', 'reset', 'stack', 'bench']));
});

test.each([...COMMANDS, ...SERVICES, ...STEPS])(
  '$name --help prints its usage and does nothing else',
  async ({ file }) => {
    const { code, stdout, stderr } = await run(file, ['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: (npm (run|start)|node dist\/)/);
    expect(stdout).toContain('--help');
  },
);

test.each([...COMMANDS, ...SERVICES, ...STEPS])(
  '$name refuses an option that it does not know, in one line',
  async ({ name, file }) => {
    const { code, stdout, stderr } = await run(file, [...(REQUIRED[name] ?? []), '--nonsense']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('--nonsense');
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  },
);
