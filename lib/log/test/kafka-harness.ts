/** A topic of its own, a relay that fills it from a log in memory, and buses that read it. */
import { randomUUID } from 'node:crypto';
import { Relay, type RelayDeps } from '../../../services/command/relay/relay.js';
import { FakeLog } from '../../../test/fake-log.js';
import type { EventBus } from '../bus.js';
import { partitioner } from '../partition.js';
import { kafkaBus } from '../kafka-bus.js';
import { kafkaClient } from '../kafka-client.js';
import { kafkaPublisher } from '../kafka-publisher.js';
import { firstCursor, type RelayCursor } from '../relay-cursor.js';

export interface KafkaHarness {
  readonly log: FakeLog;
  readonly bus: EventBus;
  readonly topic: string;
  /** The relay's cursor as it was saved. */
  readonly saved: RelayCursor;
  relay: Relay;
  /** Another reader; of the same group unless another is named. */
  another(group?: string): EventBus;
  newRelay(): Relay;
  createTopic(): Promise<void>;
  stop(): Promise<void>;
}

const quiet = { info: () => undefined, warn: () => undefined };

export async function kafkaHarness(
  brokers: readonly string[],
  partitions = 4,
  change: Partial<RelayDeps> = {},
): Promise<KafkaHarness> {
  const topic = `test-${randomUUID()}`;
  const group = `group-${topic}`;
  const log = new FakeLog();
  const partitionOf = partitioner(partitions);
  let saved = firstCursor(partitions);
  const admin = kafkaClient(brokers, 'test').admin();
  await admin.connect();
  const createTopic = async () => {
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
    });
  };
  await createTopic();
  const another = (name = group) =>
    kafkaBus({ brokers, topic, partitions, partitionOf, group: name, logger: quiet });
  const newRelay = () =>
    new Relay({
      log,
      partitions,
      partitionOf,
      wakeups: log.wakeups,
      logger: quiet,
      open: kafkaPublisher({ brokers, topic, shard: 0 }),
      reportLost: async () => undefined,
      cursor: {
        read: async () => saved,
        save: async (cursor) => {
          saved = cursor;
        },
      },
      ...change,
    });
  const harness: KafkaHarness = {
    log,
    topic,
    another,
    newRelay,
    createTopic,
    bus: another(),
    relay: newRelay(),
    get saved() {
      return saved;
    },
    stop: async () => {
      await harness.relay.stop();
      await admin.disconnect();
    },
  };
  harness.relay.start();
  return harness;
}
