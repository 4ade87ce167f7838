/** Entry: the whole of Quittance in one process, on the PostgreSQL that npm brings. */
import { requireNode } from '../../lib/process/node-version.js';

requireNode(process);
const { runStandalone } = await import('./run.js');
// Idle connections of others must not keep a process alive that has closed everything it opened.
process.exit(await runStandalone(process));
