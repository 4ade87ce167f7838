/** What the bus asks of kafkajs where a real Kafka cannot be brought to it at will. kafka-bus.stack.test.ts has all else. */
import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import type { Admin, Consumer, ConsumerConfig } from 'kafkajs';
import { until } from '../../test/until.js';
import { Recorder } from './contract/bus.js';
import { kafkaBus } from './kafka-bus.js';

/** A consumer that does as it is asked, and tells of itself what a test says. */
class FakeConsumer {
  readonly #emitter = new EventEmitter();
  readonly events = { CRASH: 'crash', FETCH_START: 'fetch start', GROUP_JOIN: 'group join' };
  readonly calls: string[] = [];
  config: ConsumerConfig | undefined;

  on(event: string, listener: (event: { readonly payload: object }) => void): () => void {
    this.#emitter.on(event, listener);
    return () => this.#emitter.off(event, listener);
  }

  tell(event: keyof FakeConsumer['events'], payload: object = {}): void {
    this.#emitter.emit(this.events[event], { payload });
  }

  /** Whether kafkajs would start it again after a crash. */
  startsAgain(): Promise<boolean> | undefined {
    return this.config?.retry?.restartOnFailure?.(new Error('a crash'));
  }

  async connect(): Promise<void> {
    this.calls.push('connect');
  }
  async subscribe(): Promise<void> {
    this.calls.push('subscribe');
  }
  async run(): Promise<void> {
    this.calls.push('run');
  }
  async disconnect(): Promise<void> {
    this.calls.push('disconnect');
  }
  seek(): void {
    this.calls.push('seek');
  }
}

const RANGE = { low: '0', high: '0', offset: '0' };
const ADMIN = {
  connect: async () => undefined,
  disconnect: async () => undefined,
  fetchTopicOffsets: async () => [0, 1].map((partition) => ({ partition, ...RANGE })),
};

function consumption() {
  const consumer = new FakeConsumer();
  const bus = kafkaBus({
    brokers: [],
    topic: 'events',
    partitions: 2,
    partitionOf: () => 0,
    group: 'balances',
    logger: { info: () => undefined, warn: () => undefined },
    connect: () => ({
      admin: () => ADMIN as unknown as Admin,
      consumer: (config) => {
        consumer.config = config;
        return consumer as unknown as Consumer;
      },
    }),
  });
  const stop = new AbortController();
  const recorder = new Recorder();
  const consuming = bus.consume(recorder, stop.signal);
  return { consumer, stop, recorder, consuming };
}

const CRASH = { error: new Error('the broker has gone'), restart: true };
const JOINED = { memberAssignment: { events: [0, 1] } };

test('a consumer that is starting again when it is to end leaves once it has joined, and takes nothing', async () => {
  const { consumer, stop, recorder, consuming } = consumption();
  await until(() => consumer.calls.includes('run'));
  expect(await consumer.startsAgain()).toBe(true);
  consumer.tell('CRASH', CRASH);
  consumer.tell('CRASH', CRASH);
  stop.abort();
  // The broker is away: what waits for it has an end.
  await consuming;
  // kafkajs would forget a consumer that is joining, which then holds its partitions for ever.
  expect(consumer.calls).not.toContain('disconnect');
  consumer.tell('GROUP_JOIN', JOINED);
  consumer.tell('FETCH_START');
  await until(() => consumer.calls.includes('disconnect'));
  expect(recorder.asked).toEqual([]);
  expect(consumer.calls).not.toContain('seek');
});

test('a consumer that crashes once more after its end does not start again', async () => {
  const { consumer, stop, consuming } = consumption();
  await until(() => consumer.calls.includes('run'));
  consumer.tell('CRASH', CRASH);
  stop.abort();
  await consuming;
  expect(await consumer.startsAgain()).toBe(false);
  consumer.tell('CRASH', { ...CRASH, restart: false });
  await until(() => consumer.calls.includes('disconnect'));
});

test('a consumer that was to start again just before its end leaves once it has joined', async () => {
  const { consumer, stop, consuming } = consumption();
  await until(() => consumer.calls.includes('run'));
  stop.abort();
  await consuming;
  consumer.calls.length = 0;
  consumer.tell('CRASH', CRASH);
  consumer.tell('GROUP_JOIN', JOINED);
  expect(consumer.calls).toEqual([]);
  consumer.tell('FETCH_START');
  await until(() => consumer.calls.includes('disconnect'));
});

test('a consumer that fetches again after a crash leaves at once when it is to end', async () => {
  const { consumer, stop, recorder, consuming } = consumption();
  await until(() => consumer.calls.includes('run'));
  consumer.tell('CRASH', CRASH);
  consumer.tell('GROUP_JOIN', JOINED);
  consumer.tell('FETCH_START');
  await until(() => recorder.asked.length === 2);
  stop.abort();
  await consuming;
  expect(consumer.calls.at(-1)).toBe('disconnect');
});
