/**
 * Runs connectconformance, which is written in Go, against both doors. Without Go it is skipped, but never in CI. The
 * program is built once into node_modules/.cache; with --build that is all.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFileSync } from '@swc/core';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const VERSION = 'v1.0.7';
const FOLDER = join(ROOT, 'node_modules/.cache/connectconformance', VERSION);
const PROGRAM = join(FOLDER, 'connectconformance');
const BUILD_TIMEOUT_MS = 900_000;
const RUN_TIMEOUT_MS = 300_000;
const SUITE = 'test/conformance';

if (spawnSync('go', ['version']).status !== 0 && !existsSync(PROGRAM)) {
  const isCi = process.env.CI === 'true';
  console.log(
    `conformance: ${isCi ? 'FAILED' : 'skipped'}, there is no Go here to build connectconformance ${VERSION}`,
  );
  process.exit(isCi ? 1 : 0);
}
if (!existsSync(PROGRAM)) {
  console.log(`building connectconformance ${VERSION} with Go, which takes minutes the first time…`);
  mkdirSync(FOLDER, { recursive: true });
  execFileSync('go', ['install', `connectrpc.com/conformance/cmd/connectconformance@${VERSION}`], {
    env: { ...process.env, GOBIN: FOLDER },
    stdio: 'inherit',
    timeout: BUILD_TIMEOUT_MS,
  });
}
if (process.argv.includes('--build')) process.exit(0);
execFileSync('node', ['scripts/build.mjs'], { cwd: ROOT, stdio: 'inherit' });
compileSuite();

/** The suite's own client objects to two habits of grpc-js: the text "OK" with status 0, and padded base64 in trailers. */
const GRPC_GO_ONLY = ['--run', '**/(grpc client impl)/**'];
/** Server and client both know the deadline, and either may be the first to say so: only ours says it with an ErrorInfo. */
const FLAKY = ['--known-flaky', 'Timeouts/**'];

const counts = [run('connect', FLAKY), run('grpc', [...GRPC_GO_ONLY, ...FLAKY])];
const isGood = counts.every(({ status }) => status === 0);
console.log(
  `conformance: ${isGood ? 'ok' : 'FAILED'}, ${counts.map(({ door, said }) => `${door} door: ${said}`).join('; ')}`,
);
process.exit(isGood ? 0 : 1);

/** The build leaves tests out: the reference server is compiled here, beside what it imports. */
function compileSuite() {
  for (const name of readdirSync(join(ROOT, SUITE), { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const { code } = transformFileSync(join(ROOT, SUITE, name), {
      jsc: {
        parser: { syntax: 'typescript' },
        target: 'es2023',
        transform: { verbatimModuleSyntax: true },
      },
      module: { type: 'es6' },
      swcrc: false,
    });
    const out = join(ROOT, 'dist', SUITE, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, code);
  }
}

function run(door, choice) {
  const { status, stdout, stderr } = spawnSync(
    PROGRAM,
    [
      ...['--mode', 'server', '--conf', `${SUITE}/${door}.yaml`],
      ...choice,
      ...['--known-failing', `@${SUITE}/${door}-deviations.txt`],
      ...['--', 'node', `dist/${SUITE}/server.js`, door],
    ],
    { cwd: ROOT, encoding: 'utf8', timeout: RUN_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 },
  );
  const lines = `${stdout}${stderr}`.trim().split('\n');
  if (status !== 0) console.log(lines.join('\n'));
  return { door, status, said: lines.filter((line) => / passed|failed as/.test(line)).join(' ') };
}
