/** The bus on Kafka: the contract, and what only a bus of several partitions and processes can show. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PATIENCE_MS } from '../../test/patience.js';
import { stackServer } from '../../test/stack-servers.js';
import { until } from '../../test/until.js';
import { busContract, Recorder } from './contract/bus.js';
import { pause } from '../base/pause.js';
import { kafkaClient } from './kafka-client.js';
import { type KafkaHarness, kafkaHarness } from './test/kafka-harness.js';

const brokers = [stackServer('KAFKA')];

busContract('Kafka', () => kafkaHarness(brokers));

/** Makes the topic again. Kafka refuses that until it has deleted the old one, and gives no sign when it has. */
async function created(harness: KafkaHarness): Promise<void> {
  for (const end_ms = performance.now() + PATIENCE_MS; ;) {
    try {
      await harness.createTopic();
      return;
    } catch (error) {
      if (performance.now() > end_ms) throw error;
      await pause(50);
    }
  }
}

describe('on Kafka', () => {
  let harness: KafkaHarness;
  const stops: AbortController[] = [];
  const running: Promise<void>[] = [];
  const consume = (bus = harness.bus, recorder = new Recorder()) => {
    const stop = new AbortController();
    const consuming = bus.consume(recorder, stop.signal);
    consuming.catch(() => undefined);
    stops.push(stop);
    running.push(consuming);
    return { recorder, stop, consuming };
  };
  const add = (count: number) => {
    for (let index = 0; index < count; index += 1) harness.log.fill(1, `ledger-${String(index % 40)}`);
  };
  const head = () => BigInt(harness.log.events.length - 1);
  const reached = (recorder: Recorder) =>
    [0, 1, 2, 3].every((partition) => recorder.at.get(partition)?.position === head());
  const admin = async <T>(
    work: (admin: ReturnType<ReturnType<typeof kafkaClient>['admin']>) => Promise<T>,
  ) => {
    const client = kafkaClient(brokers, 'test').admin();
    await client.connect();
    return work(client).finally(() => client.disconnect());
  };

  beforeEach(async () => {
    harness = await kafkaHarness(brokers);
  });
  afterEach(async () => {
    for (const stop of stops) stop.abort();
    await Promise.allSettled(running);
    await harness.stop();
  });

  test('two processes share the partitions, and take over when one leaves', async () => {
    // One store for both, as it is with a view.
    const store = new Recorder();
    const one = consume(harness.bus, store);
    add(200);
    await until(() => reached(store));
    const asked = store.asked.length;
    const other = consume(harness.another(), store);
    await until(() => store.asked.length >= asked + 4);
    add(200);
    await until(() => reached(store));
    one.stop.abort();
    await one.consuming;
    add(200);
    await until(() => reached(store));
    other.stop.abort();
    await other.consuming;
    const seen = [...store.positions.values()].flat().filter((position) => position > 0n);
    expect(seen.length).toBe(harness.log.events.length - 1);
    expect(store.gaps).toBe(0);
  });

  test('messages are CloudEvents that others can read', async () => {
    add(1);
    await until(() => harness.relay.position === head());
    const consumer = kafkaClient(brokers, 'test').consumer({ groupId: `reader-${harness.topic}` });
    const found: Record<string, string>[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic: harness.topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
        found.push({ ...Object.fromEntries(headers), key: String(message.key) });
      },
    });
    await until(() => found.some(({ key }) => key === 'ledger-0'));
    await consumer.disconnect();
    expect(found.find(({ key }) => key === 'ledger-0')).toMatchObject({
      ce_specversion: '1.0',
      ce_id: '0-0-1',
      ce_source: '/quittance/shards/0',
      ce_sequence: '1',
      ce_type: 'quittance.event.v2.ledgerCreated',
      ce_subject: 's0',
      ce_previous: '0',
      ce_time: '2026-01-01T00:00:00.001000Z',
      'content-type': 'application/protobuf',
    });
  });

  test('what Kafka has dropped is noticed by what comes after', async () => {
    add(400);
    await until(() => harness.relay.position === head());
    await admin(async (client) => {
      const ends = await client.fetchTopicOffsets(harness.topic);
      await client.deleteTopicRecords({
        topic: harness.topic,
        partitions: ends.map(({ partition, high }) => ({ partition, offset: high })),
      });
    });
    add(40);
    const { recorder } = consume();
    await until(() => recorder.gaps > 0 && reached(recorder));
  });

  test('a topic that was made again is noticed by what comes after, also where its offsets overlap', async () => {
    add(100);
    const { recorder, stop, consuming } = consume();
    await until(() => reached(recorder));
    stop.abort();
    await consuming;
    // What is relayed now is lost with the topic.
    add(100);
    await until(() => harness.relay.position === head());
    await harness.relay.stop();
    await admin((client) => client.deleteTopics({ topics: [harness.topic] }));
    await created(harness);
    harness.relay = harness.newRelay();
    harness.relay.start();
    add(1_000);
    const again = consume(harness.bus, recorder);
    await until(() => reached(again.recorder) && again.recorder.gaps > 0);
  });

  test('a message of somebody else ends the reading and is named', async () => {
    const producer = kafkaClient(brokers, 'test').producer();
    await producer.connect();
    await producer.send({ topic: harness.topic, messages: [{ partition: 2, value: 'hello' }] });
    await producer.disconnect();
    const { consuming } = consume();
    await expect(consuming).rejects.toThrow(/partition 2, offset \d+: the message was not sent by a relay/);
  });
});
