/** The thread of the projector as it was built: a thread cannot load the sources. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const ENTRY = fileURLToPath(new URL('../dist/services/standalone/projector-worker.js', import.meta.url));

export function spawnProjector(): Worker {
  return new Worker(ENTRY);
}
