/**
 * Runs docs/clients.md as it stands: writes its files and runs its `bash` blocks, each section in a directory of its own beside a
 * copy of the contracts, against a server of its own. A section passes if its commands succeed and print what follows `→`.
 *
 *   npm run check:clients [-- --only WORD]... [-- --skip-missing]
 *
 * --only runs the sections whose title holds a word; --skip-missing passes over those whose program (go, mvn, python3) is absent.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** Of the commands of one section: a cold machine downloads compilers. */
const SECTION_LIMIT_MS = 300_000;
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;
/** What a section needs, by the first word of its title. */
const PROGRAMS = { Go: 'go', Python: 'python3', Java: 'mvn' };

const { values: options } = parseArgs({
  options: { only: { type: 'string', multiple: true }, 'skip-missing': { type: 'boolean' } },
});

const work = mkdtempSync(join(tmpdir(), 'quittance-clients-'));
const counts = { passed: 0, failed: 0, skipped: 0 };
let server;
try {
  const page = readFileSync(join(ROOT, 'docs/clients.md'), 'utf8');
  const wanted = sectionsOf(page).filter(({ title }) => isWanted(title));
  if (wanted.length === 0)
    throw new Error(`no section of docs/clients.md is called ${options.only?.join(' or ')}`);
  cpSync(join(ROOT, 'proto'), join(work, 'quittance/proto'), { recursive: true });
  cpSync(join(ROOT, 'buf.yaml'), join(work, 'quittance/buf.yaml'));
  server = await startServer();
  for (const [index, section] of wanted.entries()) check(section, join(work, `section-${index}`));
} catch (error) {
  counts.failed += 1;
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
} finally {
  if (server !== undefined) await server.stop();
  // Go makes its caches read-only; npm and pip leave many files.
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}
const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
process.stdout.write(`clients: ${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;

function isWanted(title) {
  const words = options.only ?? [''];
  return words.some((word) => title.toLowerCase().includes(word.toLowerCase()));
}

/** Every section that has commands: its files, and its blocks with what they are expected to print. */
function sectionsOf(page) {
  const sections = [];
  for (const text of page.split(/^## /m).slice(1)) {
    const title = text.slice(0, text.indexOf('\n'));
    const steps = [];
    const parts = text.matchAll(
      /^`(?<file>[\w./-]+)`:\n\n```\w+\n(?<content>[^]*?)^```$|^```bash\n(?<commands>[^]*?)^```$|^→ (?<expected>.*)$/gm,
    );
    for (const { groups } of parts) {
      if (groups.file !== undefined) steps.push({ file: groups.file, content: groups.content });
      else if (groups.commands !== undefined) steps.push({ commands: groups.commands, expected: [] });
      else steps.at(-1).expected = [...groups.expected.matchAll(/`([^`]*)`/g)].map(([, words]) => words);
    }
    if (steps.length > 0) sections.push({ title, steps });
  }
  return sections;
}

function check({ title, steps }, directory) {
  const began_ms = performance.now();
  const program = PROGRAMS[title.split(' ')[0]];
  if (
    program !== undefined &&
    options['skip-missing'] &&
    spawnSync(program, ['--help']).error !== undefined
  ) {
    counts.skipped += 1;
    process.stdout.write(`skip ${title}: there is no ${program} on this machine\n`);
    return;
  }
  process.stdout.write(`checking ${title}…\n`);
  mkdirSync(directory);
  const problem = run(steps, directory, began_ms + SECTION_LIMIT_MS);
  const took_s = ((performance.now() - began_ms) / 1_000).toFixed(1);
  if (problem === undefined) counts.passed += 1;
  else counts.failed += 1;
  process.stdout.write(`${problem === undefined ? 'ok  ' : 'FAIL'} ${title}, ${took_s} s\n${problem ?? ''}`);
}

/** @returns what went wrong, with all that was printed; undefined if nothing did. */
function run(steps, directory, until_ms) {
  let sawExpectation = false;
  for (const { file, content, commands, expected } of steps) {
    if (file !== undefined) {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      writeFileSync(join(directory, file), server.at(content));
      continue;
    }
    const { status, signal, error, stdout, stderr } = spawnSync(
      'bash',
      ['-euo', 'pipefail', '-c', server.at(commands)],
      {
        cwd: directory,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: Math.max(1, Math.round(until_ms - performance.now())),
        maxBuffer: 64 * 1024 * 1024,
        env: {
          ...process.env,
          PATH: `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
          GOFLAGS: '-modcacherw',
        },
      },
    );
    const missing = expected.filter((words) => !stdout.includes(words));
    sawExpectation ||= expected.length > 0;
    if (status === 0 && missing.length === 0) continue;
    const ended = error?.message ?? (signal === null ? `exit ${status}` : signal);
    return `${commands}\n${stdout}${stderr}\n${ended}; not printed: ${missing.join(', ') || 'nothing'}\n`;
  }
  return sawExpectation ? undefined : 'the section expects nothing: a line with → is missing\n';
}

/** A built server on free ports and a directory of its own. `at` puts its addresses into a text of the page. */
async function startServer() {
  const built = spawnSync(process.execPath, [join(ROOT, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (built.status !== 0) throw new Error('the build failed');
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', join(ROOT, 'dist/services/standalone/main.js')],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        QUITTANCE_HOST: '127.0.0.1',
        QUITTANCE_DATA_DIR: join(work, 'data'),
        QUITTANCE_GRPC_PORT: '0',
        QUITTANCE_CONNECT_PORT: '0',
        QUITTANCE_LOG_LEVEL: 'info',
      },
    },
  );
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    child.kill('SIGTERM');
    await gone;
    clearTimeout(timer);
  };
  try {
    const { grpc, connect } = await readyAddresses(child);
    const connectHost = new URL(connect).host;
    return {
      stop,
      at: (text) => text.replaceAll('localhost:50051', grpc).replaceAll('localhost:8081', connectHost),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The addresses in the line `ready` of the server's log. */
function readyAddresses(child) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server was not ready in time')), START_LIMIT_MS);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.includes('"ready"')) return;
      clearTimeout(timer);
      resolve(JSON.parse(line).addresses);
    });
  });
}
