/** Wires the step that creates the topic: the log's database, which records it, and Kafka. */
import { createTopic } from '../../lib/log/kafka-topic.js';
import { createPool } from '../../lib/log/postgres-client.js';
import { migrateLog } from '../../lib/log/postgres-migrate.js';
import { systemClock } from '../../lib/base/time.js';
import type { TopicConfig } from '../../services/command/config.js';

/** Creates the topic. @returns a line that says what was done. @throws StartError */
export async function composeTopic({
  databaseUrl,
  bus,
  partitions,
  replication,
}: TopicConfig): Promise<string> {
  const pool = createPool({ connectionString: databaseUrl }, { max: 1, name: 'quittance create-topic' });
  try {
    await migrateLog(pool, systemClock());
    const done = await createTopic({ ...bus, pool, partitions, replication });
    return `the topic ${bus.topic} is ${done} with ${String(partitions)} partitions`;
  } finally {
    await pool.end();
  }
}
