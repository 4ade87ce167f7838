/** The topic: created by an explicit step, and checked by the services that use it. */
import type { Admin } from 'kafkajs';
import { pause } from '../base/pause.js';
import { StartError } from '../base/start-error.js';
import type { BusSecurity } from './bus-config.js';
import { kafkaClient } from './kafka-client.js';
import type { Pool } from './postgres-client.js';
import { readTopic, recordTopic } from './postgres-relay.js';

export interface TopicOptions {
  readonly brokers: readonly string[];
  /** Absent: the brokers are open. */
  readonly security?: BusSecurity;
  readonly topic: string;
  /** Of the log's database, migrated. */
  readonly pool: Pool;
}

/** Enough for a broker that is there; the step does not wait for one that is away. */
const IMPATIENT = { retries: 3, initialRetryTime: 200 };
/** How long the brokers may take to hear of a new topic, and how often one is asked. */
const KNOWN_MS = 30_000;
const ASK_MS = 50;
const NOT_YET_KNOWN: ReadonlySet<unknown> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);
/** How long messages are kept: a reader that was away longer catches up from the log. */
const RETENTION_MS = 7 * 86_400_000;

/**
 * Creates the topic and its record; what is there already is left as it is.
 * @throws StartError if it is there with another number of partitions.
 */
export async function createTopic(
  options: TopicOptions & { readonly partitions: number; readonly replication: number },
): Promise<'created' | 'present'> {
  const { pool, topic, partitions, replication } = options;
  return withAdmin(options, async (admin) => {
    const recorded = await readTopic(pool, topic);
    if (recorded !== undefined && recorded !== partitions) throw otherCount(topic, recorded, partitions);
    const isNew = await admin.createTopics({
      // Waited for below: kafkajs fails if it asks a broker that has not heard of the topic yet.
      waitForLeaders: false,
      topics: [
        {
          topic,
          numPartitions: partitions,
          replicationFactor: replication,
          configEntries: [
            { name: 'retention.ms', value: String(RETENTION_MS) },
            { name: 'cleanup.policy', value: 'delete' },
            // With three replicas one may be away; what is acknowledged is then still in two.
            { name: 'min.insync.replicas', value: String(Math.max(1, replication - 1)) },
          ],
        },
      ],
    });
    const found = await untilKnown(topic, () => partitionsOf(admin, topic));
    if (found !== partitions) throw otherCount(topic, found, partitions);
    await recordTopic(pool, topic, partitions);
    return isNew ? 'created' : 'present';
  });
}

/** How many partitions the topic has. @throws StartError if it is not there, or is not as it was recorded. */
export async function checkTopic(options: TopicOptions): Promise<number> {
  const { pool, topic } = options;
  const recorded = await recordedPartitions(pool, topic);
  const found = await withAdmin(options, (admin) => partitionsOf(admin, topic));
  if (found === undefined) {
    throw new StartError(
      `the topic ${topic} is recorded and Kafka does not have it; run the step create-topic`,
    );
  }
  if (found !== recorded) throw otherCount(topic, found, recorded);
  return recorded;
}

/** How many partitions the topic was created with, without asking Kafka. @throws StartError if it was not */
export async function recordedPartitions(pool: Pool, topic: string): Promise<number> {
  const recorded = await readTopic(pool, topic);
  if (recorded === undefined) {
    throw new StartError(`the topic ${topic} was not created yet; run the step create-topic`);
  }
  return recorded;
}

function otherCount(topic: string, found: number, wanted: number): StartError {
  return new StartError(
    `the topic ${topic} has ${String(found)} partitions and not ${String(wanted)}: a ledger would be in another one;` +
      ' the count is fixed when the topic is created',
  );
}

async function partitionsOf(admin: Admin, topic: string): Promise<number | undefined> {
  if (!(await admin.listTopics()).includes(topic)) return undefined;
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0]?.partitions.length;
}

/** The time that a wait takes. */
interface Waiting {
  now_ms(): number;
  pause(pause_ms: number): Promise<void>;
}

const REAL_TIME: Waiting = { now_ms: () => performance.now(), pause: (pause_ms) => pause(pause_ms) };

/**
 * How many partitions a topic has that was just created: brokers hear of it some time after the controller has answered.
 * @param ask one of the brokers; undefined: it does not list the topic
 * @throws StartError after half a minute
 */
export async function untilKnown(
  topic: string,
  ask: () => Promise<number | undefined>,
  time: Waiting = REAL_TIME,
): Promise<number> {
  for (const end_ms = time.now_ms() + KNOWN_MS; ;) {
    const found = await ask().catch((error: unknown) => {
      if (isNotYetKnown(error)) return undefined;
      throw error;
    });
    if (found !== undefined) return found;
    if (time.now_ms() > end_ms) {
      throw new StartError(
        `Kafka has created the topic ${topic}, and its brokers do not know it yet; try again`,
      );
    }
    await time.pause(ASK_MS);
  }
}

function isNotYetKnown(error: unknown): boolean {
  // kafkajs exports its errors in a way that modules of Node cannot import.
  return error instanceof Error && 'type' in error && NOT_YET_KNOWN.has(error.type);
}

async function withAdmin<T>(
  { brokers, security }: TopicOptions,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = kafkaClient(brokers, 'quittance-admin', IMPATIENT, security).admin();
  try {
    await admin.connect().catch((cause: unknown) => {
      const message = `Kafka does not answer at ${brokers.join(', ')}; start it or set QUITTANCE_KAFKA_BROKERS`;
      throw new StartError(message, { cause });
    });
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
