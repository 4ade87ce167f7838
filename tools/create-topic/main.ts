/** Entry: the explicit step that creates the topic, once, before the services start. */
import { requireNode } from '../../lib/process/node-version.js';

requireNode(process);
const { commandLine, readCommandLine, runCommand } = await import('../../lib/process/command-line.js');
const { SERVICE_VARIABLE_HELP: help } = await import('../../lib/process/variable-help.js');
const { withSecretFiles } = await import('../../lib/base/secret-files.js');
const { readTopicConfig } = await import('../../services/command/config.js');
const { composeTopic } = await import('./compose-topic.js');

const PROGRAM = 'node dist/tools/create-topic/main.js';
const CREATE_TOPIC = commandLine({
  name: PROGRAM,
  summary:
    'Creates the topic of the events in Kafka and records its partitions in PostgreSQL, once, before the services start. A topic ' +
    'that is there is left as it is; one with another number of partitions is an error.',
  environment: {
    QUITTANCE_DATABASE_URL: help.QUITTANCE_DATABASE_URL,
    QUITTANCE_KAFKA_BROKERS: help.QUITTANCE_KAFKA_BROKERS,
    QUITTANCE_KAFKA_TLS: help.QUITTANCE_KAFKA_TLS,
    QUITTANCE_KAFKA_SASL: help.QUITTANCE_KAFKA_SASL,
    QUITTANCE_KAFKA_USERNAME: help.QUITTANCE_KAFKA_USERNAME,
    QUITTANCE_KAFKA_PASSWORD: help.QUITTANCE_KAFKA_PASSWORD,
    QUITTANCE_KAFKA_TOPIC: help.QUITTANCE_KAFKA_TOPIC,
    QUITTANCE_KAFKA_PARTITIONS: help.QUITTANCE_KAFKA_PARTITIONS,
    QUITTANCE_KAFKA_REPLICATION: help.QUITTANCE_KAFKA_REPLICATION,
  },
  examples: [[PROGRAM, 'creates the topic, or says that it is there']],
  notes: ['`npm run stack` runs this step. See docs/operations.md.'],
});

async function createTopic(): Promise<number> {
  if (readCommandLine(CREATE_TOPIC, process.argv.slice(2), process) === undefined) return 0;
  process.stdout.write(`${await composeTopic(readTopicConfig(withSecretFiles(process.env)))}\n`);
  return 0;
}

// Idle connections of the Kafka client must not keep the process alive.
process.exit(await runCommand(process, createTopic));
