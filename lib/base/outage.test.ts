import { expect, test } from '@jest/globals';
import { Outage } from './outage.js';

/** An outage whose clock stands at `now_ms`, and the lines that it has written. */
function observed() {
  const clock = { now_ms: 0 };
  const lines: string[] = [];
  const write = (level: string) => (values: object, text: string) => {
    const numbers = Object.values(values).filter((value) => typeof value === 'number');
    lines.push([level, text, ...numbers].join(' '));
  };
  const outage = new Outage(
    { info: write('info'), warn: write('warn') },
    { failed: 'away', ended: 'back' },
    () => clock.now_ms,
  );
  return { clock, lines, outage };
}

test('an outage of a minute is a line at once, one for each ten seconds, and one when it is over', () => {
  const { clock, lines, outage } = observed();
  for (; clock.now_ms < 60_000; clock.now_ms += 50) outage.failed(new Error('connection refused'));
  outage.succeeded();
  outage.succeeded();
  expect(lines).toEqual([
    'warn away 1',
    'warn away 201',
    'warn away 401',
    'warn away 601',
    'warn away 801',
    'warn away 1001',
    'info back 1200 60000',
  ]);
});

test('failures that come and go are not more than a line for each ten seconds, and one for the end', () => {
  const { clock, lines, outage } = observed();
  for (; clock.now_ms < 20_000; clock.now_ms += 100) {
    outage.failed(new Error('connection lost'));
    outage.succeeded();
  }
  expect(lines).toEqual(['warn away 1', 'info back 1 0', 'warn away 1', 'info back 1 0']);
});
