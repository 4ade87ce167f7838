/** Entry: the projector service, which keeps the views up with Kafka. */
import { requireNode } from '../../lib/process/node-version.js';

requireNode(process);
const { runService } = await import('../../lib/process/run-service.js');
const { readConfig } = await import('./config.js');
const { composeProjectorService: compose } = await import('./compose-service.js');
// Idle connections of others must not keep a process alive that has closed everything it opened.
const summary = 'Fills and rebuilds the read models, verifies ledgers, and delivers webhooks.';
process.exit(await runService(process, { name: 'projector', summary, readConfig, compose }));
