/** `npm run golden:add`: writes what the golden files lack, by running their tests in the mode that adds. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run golden:add

Adds to test/golden/lives.json and test/golden/forms.json what is new in test/golden/life.ts and test/golden/forms.test.ts,
and runs their tests. What stands there is not changed: databases, topics and clients hold it.

Options:
  -h, --help  print this
`;

try {
  const { values: options } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });
  if (options.help === true) process.stdout.write(USAGE);
  else add();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function add() {
  // One after the other: two test files may add to the same file.
  const args = ['test', '--', '--runInBand', 'test/golden/lives.test.ts', 'test/golden/forms.test.ts'];
  const env = { ...process.env, QUITTANCE_GOLDEN: 'add' };
  const { status, error } = spawnSync('npm', args, { stdio: 'inherit', env });
  if (error) throw error;
  process.exitCode = status ?? 1;
}
