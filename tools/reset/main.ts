/** `npm run reset`: deletes the data directory, after asking. */
import { rmSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { dataDirOf } from '../../services/standalone/config.js';
import { isOurDataDir, openDataDir } from '../../services/standalone/data-dir.js';
import { stopLeftOverPostgres } from '../../services/standalone/engines/postgres-engine.js';
import { StartError } from '../../lib/platform/start-error.js';

async function reset(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg !== '--yes');
  if (unknown !== undefined)
    throw new StartError(`${unknown} is not an option; usage: npm run reset [-- --yes]`);
  const path = dataDirOf(process.env);
  if (!statSync(path, { throwIfNoEntry: false })) {
    process.stdout.write(`nothing to delete: ${path} does not exist\n`);
    return 0;
  }
  if (!isOurDataDir(path))
    throw new StartError(`${path} was not made by Quittance and is left alone; check QUITTANCE_DATA_DIR`);
  // Taken before the question: nobody can start on a directory that is about to go.
  const dataDir = openDataDir(path);
  try {
    if (!args.includes('--yes') && !(await confirmed(path))) {
      process.stdout.write('nothing was deleted\n');
      return 1;
    }
    await stopLeftOverPostgres(path);
    rmSync(path, { recursive: true, force: true, maxRetries: 10 });
    process.stdout.write(`deleted ${path}\n`);
    return 0;
  } finally {
    dataDir.release();
  }
}

async function confirmed(path: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new StartError(`nobody is there to ask; to delete ${path} run npm run reset -- --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`Delete ${path} with all its ledgers, for ever? Type yes: `);
    return answer.trim().toLowerCase() === 'yes';
  } finally {
    terminal.close();
  }
}

try {
  process.exitCode = await reset(process.argv.slice(2));
} catch (error) {
  const text =
    error instanceof StartError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
