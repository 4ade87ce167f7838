/**
 * Sends to Kafka. kafkajs' own retry can resolve although a partition was never sent (kafkajs #1303), and its
 * idempotence can drop a batch in silence after a failure. This publisher uses neither: any failure ends it.
 */
import { Partitioners } from 'kafkajs';
import type { BusPublisher, OpenPublisher, OutgoingMessage } from './bus.js';
import { toKafkaMessage } from './cloud-event.js';
import type { BusSecurity } from './bus-config.js';
import { kafkaClient } from './kafka-client.js';
import { kafkaError } from './kafka-errors.js';

export interface KafkaPublisherOptions {
  readonly brokers: readonly string[];
  /** Absent: the brokers are open. */
  readonly security?: BusSecurity;
  readonly topic: string;
  readonly shard: number;
}

/** Acknowledged by all replicas in sync. */
const ACKS_ALL = -1;
const NO_ERROR = 0;
const TIMEOUT_MS = 10_000;

export function kafkaPublisher({ brokers, security, topic, shard }: KafkaPublisherOptions): OpenPublisher {
  return async () => {
    const producer = kafkaClient(brokers, 'quittance-relay', { retries: 0 }, security).producer({
      idempotent: false,
      allowAutoTopicCreation: false,
      retry: { retries: 0 },
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect().catch(throwTranslated);
    const publisher: BusPublisher = {
      publish: async (messages) => {
        const answered = await producer
          .send({
            topic,
            acks: ACKS_ALL,
            timeout: TIMEOUT_MS,
            messages: messages.map((message) => ({
              ...toKafkaMessage(message, shard),
              partition: message.partition,
            })),
          })
          .catch(throwTranslated);
        const stored = answered.filter(({ errorCode }) => errorCode === NO_ERROR);
        assertAll(messages, new Set(stored.map(({ partition }) => partition)));
      },
      close: () => producer.disconnect(),
    };
    return publisher;
  };
}

function throwTranslated(error: unknown): never {
  throw kafkaError(error);
}

/** @throws Error unless every partition that was sent to has answered. */
function assertAll(messages: readonly OutgoingMessage[], stored: ReadonlySet<number>): void {
  for (const { partition } of messages) {
    if (!stored.has(partition)) throw new Error(`Kafka has not answered for partition ${String(partition)}`);
  }
}
