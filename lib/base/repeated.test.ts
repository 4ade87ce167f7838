import { afterEach, expect, test } from '@jest/globals';
import { until } from '../../test/until.js';
import { Repeated } from './repeated.js';

const lines: string[] = [];
const line = (_values: object, text: string) => lines.push(text);
const logger = { info: line, warn: line };
const texts = { failed: 'it fails', ended: 'it works again' };
let repeated: Repeated | undefined;

afterEach(async () => {
  await repeated?.stop();
  lines.length = 0;
});

test('work is done again and again until it is stopped, and stop waits for what is under way', async () => {
  let begun = 0;
  let ended = 0;
  const work = async () => {
    begun += 1;
    await new Promise(setImmediate);
    ended += 1;
    return 'done' as const;
  };
  repeated = new Repeated({ interval_ms: 1, logger, texts, work });
  repeated.begin();
  repeated.begin();
  await until(() => begun >= 3);
  await repeated.stop();
  expect(ended).toBe(begun);
  const before = begun;
  await new Promise(setImmediate);
  expect(begun).toBe(before);
});

test('where more is left there is no pause', async () => {
  let times = 0;
  const work = () => Promise.resolve((times += 1) < 50 ? ('more' as const) : ('done' as const));
  repeated = new Repeated({ interval_ms: 1, logger, texts, work });
  repeated.begin();
  await until(() => times >= 50);
});

test('a failure is a line in the log, and so is its end; the work goes on', async () => {
  let times = 0;
  const work = () => {
    times += 1;
    return times <= 3 ? Promise.reject(new Error('away')) : Promise.resolve('done' as const);
  };
  repeated = new Repeated({ interval_ms: 1, logger, texts, work });
  repeated.begin();
  await until(() => times >= 4 && lines.length >= 2);
  expect(lines).toEqual(['it fails', 'it works again']);
});
