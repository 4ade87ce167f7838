/** `npm run reset`: deletes the data directory, after asking. */
import { rmSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { commandLine, readCommandLine, runCommand } from '../../lib/process/command-line.js';
import { StartError } from '../../lib/base/start-error.js';
import { dataDirOf } from '../../services/standalone/config.js';
import { isOurDataDir, openDataDir } from '../../services/standalone/data-dir.js';
import { stopLeftOverPostgres } from '../../services/standalone/engines/postgres-engine.js';

const RESET = commandLine({
  name: 'npm run reset --',
  summary:
    'Deletes the data directory with all its ledgers, after asking. It deletes no directory that Quittance did not make, and none ' +
    'that a running Quittance uses.',
  environment: { QUITTANCE_DATA_DIR: 'the directory (default ./.quittance)' },
  examples: [
    ['npm run reset', 'asks first'],
    ['npm run reset -- --yes', 'for scripts'],
  ],
}).option('--yes', 'do not ask');

async function reset(): Promise<number> {
  const typed = readCommandLine(RESET, process.argv.slice(2), process);
  if (typed === undefined) return 0;
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
    if (typed.options.yes !== true && !(await confirmed(path))) {
      process.stdout.write('nothing was deleted\n');
      return 1;
    }
    process.stdout.write(`deleting ${path}…\n`);
    await stopLeftOverPostgres(path);
    rmSync(path, { recursive: true, force: true, maxRetries: 10 });
    process.stdout.write('deleted\n');
    return 0;
  } finally {
    dataDir.release();
  }
}

async function confirmed(path: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new StartError(`there is no terminal to ask at; to delete ${path} run npm run reset -- --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`Delete ${path} with all its ledgers, for ever? Type yes: `);
    return answer.trim().toLowerCase() === 'yes';
  } finally {
    terminal.close();
  }
}

process.exitCode = await runCommand(process, reset);
