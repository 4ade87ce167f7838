/** Entry: the explicit step that creates the topic, once, before the services start. */
import { requireNode } from '../../lib/process/node-version.js';

requireNode(process);
const { StartError } = await import('../../lib/base/start-error.js');
const { readTopicConfig } = await import('../../services/command/config.js');
const { composeTopic } = await import('./compose-topic.js');
try {
  process.stdout.write(`${await composeTopic(readTopicConfig(process.env))}\n`);
  process.exit(0);
} catch (error) {
  const text =
    error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text ?? 'unknown error'}\n`);
  process.exit(1);
}
