/** Generates the code again, beside what is committed, and fails if they differ. Changes nothing in gen/. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const fresh = mkdtempSync(join(tmpdir(), 'quittance-gen-'));
try {
  execFileSync('buf', ['generate', '--output', fresh], { stdio: 'inherit' });
  const differing = differences('gen', join(fresh, 'gen'));
  for (const path of differing)
    process.stderr.write(`gen/${path} is not what buf generate makes of proto/\n`);
  if (differing.length > 0) {
    process.stderr.write('run npm run generate and commit gen/\n');
    process.exitCode = 1;
  } else {
    process.stdout.write('gen/ is what buf generate makes of proto/\n');
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** Paths that are in only one of two directories, or differ. */
function differences(committed, generated) {
  const [ours, theirs] = [filesIn(committed), filesIn(generated)];
  const all = [...new Set([...ours, ...theirs])].sort();
  return all.filter(
    (path) =>
      !ours.includes(path) ||
      !theirs.includes(path) ||
      !readFileSync(join(committed, path)).equals(readFileSync(join(generated, path))),
  );
}

function filesIn(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(directory.length + 1));
}
