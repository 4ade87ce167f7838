/** Entry of the projector's thread in the embedded process. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ProjectorThreadData, runProjectorThread } from './compose-projector.js';

if (parentPort === null) throw new Error('this file is the entry of a thread');
// The process gives it: see spawn-projector.ts. Messages wait until the thread listens.
await runProjectorThread(parentPort, workerData as ProjectorThreadData);
