/** Entry of the projector's thread in the embedded process. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ProjectorThreadData, runProjectorThread } from './compose-projector.js';

if (parentPort === null) throw new Error('this file is the entry of a thread');
// Our own process made it.
runProjectorThread(parentPort, workerData as ProjectorThreadData);
