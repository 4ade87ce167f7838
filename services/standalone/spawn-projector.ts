/** Makes the thread of the projector. */
import { Worker } from 'node:worker_threads';
import type { ProjectorThreadData } from './compose-projector.js';

/** Beyond such a heap the thread ends, and not the process. */
const HEAP_MAX_MB = 256;

/** The thread loads its program at once, and projects when it is told to. */
export function spawnProjector(workerData: ProjectorThreadData): Worker {
  return new Worker(new URL('./projector-worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MAX_MB },
  });
}
