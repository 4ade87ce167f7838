/** The thread of the projector as it was built: a thread cannot load the sources. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { TracingConfig } from '../lib/base/tracing-config.js';
import type { ProjectorThreadData } from '../services/standalone/compose-projector.js';

const ENTRY = fileURLToPath(new URL('../dist/services/standalone/projector-worker.js', import.meta.url));

/** @param tracing where its traces are sent; undefined: there are none */
export function spawnProjector(tracing?: TracingConfig): Worker {
  return new Worker(ENTRY, { workerData: { tracing } satisfies ProjectorThreadData });
}
