/** `quittance`: the command line of the platform. */
import { homedir } from 'node:os';
import { v7 as uuidV7 } from 'uuid';
import { systemClock } from '../../lib/base/time.js';
import { requireNode } from '../../lib/process/node-version.js';
import { INTERRUPTED } from './exit-codes.js';
import { runQuittance } from './run.js';

requireNode(process);
const interrupted = new AbortController();
const interrupt = () => {
  // The first one lets a command say what is not known; the second one ends at once.
  if (interrupted.signal.aborted) process.exit(INTERRUPTED);
  interrupted.abort();
};
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);
// A reader such as head that has enough is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
process.exitCode = await runQuittance(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  home: homedir(),
  now: systemClock,
  newId: () => uuidV7(),
  signal: interrupted.signal,
  leaveSignals: () => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  },
});
