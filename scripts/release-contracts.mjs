/** `npm run release:contracts`: makes the contracts of proto/ those of a release, which `npm run buf:breaking` guards from then on. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const RELEASED = 'proto/released.binpb';
const USAGE = `Usage: npm run release:contracts [-- --dry-run]

Writes ${RELEASED}, an image of proto/ without comments. From then on \`npm run buf:breaking\` compares proto/ with it.
It is refused if
  - proto/ breaks a rule of buf lint, or what the release before it promised (buf breaking),
  - CHANGELOG.md has no section with a date for the version in package.json.
docs/contract-changes.md says what a release is, and what may change after it.

Options:
  --dry-run   check, and write nothing
  -h, --help  print this
`;

try {
  const { values: options } = parseArgs({
    options: { 'dry-run': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (options.help === true) process.stdout.write(USAGE);
  else release(options['dry-run'] === true);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** @throws Error if it is refused */
function release(isDryRun) {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const sections = [...readFileSync('CHANGELOG.md', 'utf8').matchAll(/^## \[(.+)\] - \d{4}-\d\d-\d\d$/gm)];
  if (!sections.some(([, released]) => released === version))
    throw new Error(`CHANGELOG.md has no line such as: ## [${version}] - 2026-01-31`);
  buf('lint');
  if (existsSync(RELEASED)) buf('breaking', '--against', RELEASED);
  if (isDryRun) {
    process.stdout.write(`the contracts of ${version} can be released\n`);
    return;
  }
  buf('build', '--exclude-source-info', '--output', RELEASED);
  process.stdout.write(`${RELEASED} holds the contracts of ${version}: commit it\n`);
}

/** @throws Error if it fails */
function buf(...args) {
  const { status, error } = spawnSync('buf', args, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`buf ${args[0]} failed: nothing is released`);
}
