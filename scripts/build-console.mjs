/**
 * Bundles the console to dist/console/, if it is missing or older than its sources, and compresses it. The folder appears as
 * a whole, so a server that runs meanwhile never serves half a page.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SOURCE = join(ROOT, 'services/console/web');
const OUT = join(ROOT, 'dist/console');
/** What the console is made of; the contracts and the few files of lib/ that it shares with the servers are small. */
const INPUTS = [
  'services/console/web',
  'gen',
  'lib/base',
  'lib/auth',
  'scripts/build-console.mjs',
  'package-lock.json',
];
/** Which inputs the last build had. */
const RECORD = 'built-of.txt';
const COMPRESSED = /\.(html|js|css|svg)$/;

const identity = identityOf(INPUTS);
if (recorded() !== identity) await build();

async function build() {
  const { build: bundle } = await import('vite').catch((error) => {
    process.stderr.write(
      `the console is not built, since vite cannot be loaded: install with npm ci, without --omit=dev and --omit=optional ` +
        `(${error instanceof Error ? error.message.split('\n')[0] : error})\n`,
    );
    process.exit(1);
  });
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  const draft = mkdtempSync(join(ROOT, 'dist/.console-'));
  try {
    await bundle({
      root: SOURCE,
      configFile: false,
      // Relative addresses: the page may lie behind a proxy below any path.
      base: './',
      logLevel: 'error',
      build: {
        outDir: draft,
        emptyOutDir: true,
        target: 'es2022',
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
      },
    });
    for (const path of filesBelow(draft)) {
      if (COMPRESSED.test(path)) writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
    }
    writeFileSync(join(draft, RECORD), identity);
    // The folder of a draft is its maker's alone; the page is for whom the server runs as.
    chmodSync(draft, 0o755);
    rmSync(OUT, { recursive: true, force: true });
    renameSync(draft, OUT);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Names, sizes and times of all inputs. */
function identityOf(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    for (const path of filesBelow(join(ROOT, input))) {
      const { mtimeMs, size } = statSync(path);
      hash.update(`${path}\n${mtimeMs}\n${size}\n`);
    }
  }
  return hash.digest('base64');
}

function recorded() {
  try {
    return readFileSync(join(OUT, RECORD), 'utf8');
  } catch {
    return undefined;
  }
}

/** Absolute paths, in order; a file is itself. */
function filesBelow(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .flatMap((entry) => filesBelow(join(path, entry.name)))
    .sort();
}
