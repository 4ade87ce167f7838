/** Entry of the projector's thread in the embedded process. */
import { parentPort } from 'node:worker_threads';
import { runProjectorThread } from './compose-projector.js';

if (parentPort === null) throw new Error('this file is the entry of a thread');
runProjectorThread(parentPort);
