/** Entry: the query service, which answers from the views. */
import { requireNode } from '../../lib/process/node-version.js';

requireNode(process);
const { runService } = await import('../../lib/process/run-service.js');
const { readConfig } = await import('./config.js');
const { composeQueryService: compose } = await import('./compose-service.js');
// Idle connections of others must not keep a process alive that has closed everything it opened.
const summary = 'Answers queries and watches from the read models.';
process.exit(await runService(process, { name: 'query', summary, readConfig, compose }));
