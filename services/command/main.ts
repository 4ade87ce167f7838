/** Entry: the command service, which decides commands, writes the log, and relays it to Kafka. */
import { requireNode } from '../../lib/process/node-version.js';

requireNode(process);
const { runService } = await import('../../lib/process/run-service.js');
const { readConfig } = await import('./config.js');
const { composeCommandService: compose } = await import('./compose-service.js');
// Idle connections of others must not keep a process alive that has closed everything it opened.
const summary = 'Decides commands, writes the event log, and relays it to Kafka.';
process.exit(await runService(process, { name: 'command', summary, readConfig, compose }));
