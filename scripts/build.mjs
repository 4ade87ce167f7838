/**
 * Compiles what runs from TypeScript to dist/, by swc: types are checked by `npm run typecheck`, not here. Only files that have
 * changed since the last build are compiled, and outputs whose source is gone are deleted.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const OUT = join(ROOT, 'dist');
/** What the last build compiled: per source its time, size and hash. */
const RECORD = join(OUT, '.build.json');

const FOLDERS = ['gen', 'lib', 'services', 'tools', 'bench'];
/** Tests, their fixtures, the suites that stores share, and packages. */
const NOT_BUILT =
  /(^|\/)node_modules\/|\.test\.ts$|(^|\/)test\/|(^|\/)contract(\.ts$|\/)|\.d\.ts$|^services\/console\/web\//;
/** Made by scripts/build-console.mjs. */
const CONSOLE = /^dist\/\.?console[/-]/;

/** Above this many files a build takes long enough to say so. */
const SAY_ABOVE_FILES = 50;

/** Says the same as tsconfig.json. */
const OPTIONS = {
  jsc: {
    parser: { syntax: 'typescript' },
    target: 'es2023',
    transform: { verbatimModuleSyntax: true },
  },
  module: { type: 'es6' },
  sourceMaps: true,
  inlineSourcesContent: false,
  swcrc: false,
};

const sources = FOLDERS.flatMap((folder) => filesBelow(join(ROOT, folder))).filter(
  (path) => path.endsWith('.ts') && !NOT_BUILT.test(path),
);
const builder = builderIdentity();
const recordText = textOfRecord();
const last = filesOf(recordText);
const present = new Set(filesBelow(OUT));
const built = {};
const changed = [];
for (const source of sources) {
  const { mtimeMs, size } = statSync(join(ROOT, source));
  const before = last[source];
  const isOutputThere = present.has(outputOf(source)) && present.has(`${outputOf(source)}.map`);
  if (isOutputThere && before?.mtimeMs === mtimeMs && before.size === size) {
    built[source] = before;
    continue;
  }
  const text = readFileSync(join(ROOT, source), 'utf8');
  const hash = createHash('sha256').update(text).digest('base64');
  const entry = { mtimeMs, size, hash };
  // A file that was only touched, or that came back with a change of branch, is the same.
  if (isOutputThere && before?.hash === hash) built[source] = entry;
  else changed.push({ source, text, entry });
}
deleteLeftOvers();
// A server that starts meanwhile serves the console as soon as it is there; no start waits for it, and it leaves the processors to
// the start.
if (process.argv.includes('--console-aside')) {
  const aside = spawn(process.execPath, [join(ROOT, 'scripts/build-console.mjs')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (aside.pid !== undefined) setPriority(aside.pid, constants.priority.PRIORITY_LOW);
  aside.unref();
}
if (changed.length > 0) await compile(changed);
writeRecord();

async function compile(files) {
  if (files.length > SAY_ABOVE_FILES) process.stderr.write(`building (${files.length} files)…\n`);
  const { transform } = await loadSwc();
  const results = await Promise.allSettled(
    files.map(async ({ source, text, entry }) => {
      const output = outputOf(source);
      const { code, map } = await transform(text, {
        ...OPTIONS,
        filename: join(ROOT, source),
        sourceFileName: relative(dirname(join(ROOT, output)), join(ROOT, source)).replaceAll(sep, '/'),
      });
      const name = output.slice(output.lastIndexOf('/') + 1);
      mkdirSync(dirname(join(ROOT, output)), { recursive: true });
      writeWhole(`${output}.map`, map);
      writeWhole(output, `${code}//# sourceMappingURL=${name}.map\n`);
      built[source] = entry;
    }),
  );
  for (const { reason } of results.filter(({ status }) => status === 'rejected')) {
    process.stderr.write(`${reason instanceof Error ? reason.message : reason}\n`);
    process.exitCode = 1;
  }
}

async function loadSwc() {
  try {
    return await import('@swc/core');
  } catch (error) {
    process.stderr.write(
      `dist/ is not what the sources say, and @swc/core, which builds it, cannot be loaded: install with npm ci, without ` +
        `--omit=dev and --omit=optional (${error instanceof Error ? error.message.split('\n')[0] : error})\n`,
    );
    process.exit(1);
  }
}

/** Outputs without a source, of which a deleted or renamed file is one, and the folders that they leave empty. */
function deleteLeftOvers() {
  const wanted = new Set(sources.map(outputOf));
  for (const path of present) {
    if (!/\.js(\.map)?$/.test(path) || CONSOLE.test(path) || wanted.has(path.replace(/\.map$/, ''))) continue;
    rmSync(join(ROOT, path), { force: true });
    for (let folder = dirname(join(ROOT, path)); folder !== OUT; folder = dirname(folder)) {
      try {
        rmdirSync(folder);
      } catch {
        break; // It holds other files.
      }
    }
  }
}

/** Another swc, or other options, compile everything anew. */
function builderIdentity() {
  let version = 'none';
  try {
    version = createRequire(import.meta.url)('@swc/core/package.json').version;
  } catch {
    // Without swc an output that is there is the best there is.
    return undefined;
  }
  return createHash('sha256')
    .update(JSON.stringify([version, OPTIONS]))
    .digest('base64');
}

function textOfRecord() {
  try {
    return readFileSync(RECORD, 'utf8');
  } catch {
    return '{}';
  }
}

function filesOf(text) {
  try {
    const { builder: made, files = {} } = JSON.parse(text);
    return made === builder || builder === undefined ? files : {};
  } catch {
    return {};
  }
}

function writeRecord() {
  const files = Object.fromEntries(
    sources.filter((source) => source in built).map((source) => [source, built[source]]),
  );
  const text = JSON.stringify({ builder, files });
  if (text === recordText) return;
  mkdirSync(OUT, { recursive: true });
  writeWhole('dist/.build.json', text);
}

/** A process that starts meanwhile never sees half a file. */
function writeWhole(path, text) {
  const draft = join(ROOT, `${path}.${process.pid}`);
  writeFileSync(draft, text);
  renameSync(draft, join(ROOT, path));
}

/** Paths from the project's root, with slashes; none where the folder does not exist. */
function filesBelow(folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)).replaceAll(sep, '/'));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function outputOf(source) {
  return `dist/${source.replace(/ts$/, 'js')}`;
}
