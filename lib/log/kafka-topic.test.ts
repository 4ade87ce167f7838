import { expect, jest, test } from '@jest/globals';
import { StartError } from '../base/start-error.js';
import { untilKnown } from './kafka-topic.js';

/** As kafkajs throws it: it exports its errors in a way that modules of Node cannot import. */
function kafkaError(type: string): Error {
  return Object.assign(new Error(type), { type });
}

/** Brokers that give these answers in turn, the last one for ever. */
function brokers(answers: readonly (number | undefined | Error)[]) {
  const ask = jest.fn(() => {
    const answer = answers[Math.min(ask.mock.calls.length, answers.length) - 1];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return ask;
}

/** A clock that each pause moves forward. */
function clock() {
  let now_ms = 0;
  return {
    now_ms: () => now_ms,
    pause: (pause_ms: number) => {
      now_ms += pause_ms;
      return Promise.resolve();
    },
  };
}

test('a topic that the brokers do not list yet is asked for again', async () => {
  const ask = brokers([
    undefined,
    kafkaError('UNKNOWN_TOPIC_OR_PARTITION'),
    kafkaError('LEADER_NOT_AVAILABLE'),
    12,
  ]);
  expect(await untilKnown('events', ask, clock())).toBe(12);
  expect(ask).toHaveBeenCalledTimes(4);
});

test('any other error ends the wait', async () => {
  const denied = kafkaError('TOPIC_AUTHORIZATION_FAILED');
  const ask = brokers([undefined, denied]);
  await expect(untilKnown('events', ask, clock())).rejects.toBe(denied);
});

test('the wait ends with a sentence after half a minute', async () => {
  const time = clock();
  const waiting = untilKnown('events', brokers([undefined]), time);
  await expect(waiting).rejects.toThrow(StartError);
  await expect(waiting).rejects.toThrow(
    'Kafka has created the topic events, and its brokers do not know it yet',
  );
  expect(time.now_ms()).toBeGreaterThanOrEqual(30_000);
  expect(time.now_ms()).toBeLessThan(31_000);
});
