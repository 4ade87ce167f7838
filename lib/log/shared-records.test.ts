import { expect, test } from '@jest/globals';
import { FakeLog } from '../../test/fake-log.js';
import { decodeRecord, sharedRecords } from './shared-records.js';

/** As each consumer gets it: bytes of its own. */
function messages(log: FakeLog) {
  return log.events.map(({ position, bytes }) => ({ position, bytes: Buffer.from(bytes) }));
}

test('each event is decoded once for all consumers, however far these are apart', () => {
  const log = new FakeLog();
  log.fill(100);
  const decode = sharedRecords(3);
  const [one, two, three] = [messages(log), messages(log), messages(log)].map((all) =>
    all.map(({ position, bytes }) => decode(position, bytes)),
  );
  one?.forEach((record, index) => {
    expect(two?.[index]).toBe(record);
    expect(three?.[index]).toBe(record);
    const { position, bytes } = record;
    expect(record).toEqual(decodeRecord(position, Buffer.from(bytes)));
  });
});

test('what every consumer has is not kept', () => {
  const log = new FakeLog();
  const decode = sharedRecords(2);
  const [{ position, bytes } = { position: 0n, bytes: Buffer.alloc(0) }] = messages(log);
  const first = decode(position, bytes);
  expect(decode(position, bytes)).toBe(first);
  expect(decode(position, bytes)).not.toBe(first);
});

test('another event at the same position is decoded: the log was restored', () => {
  const [log, other] = [new FakeLog(1), new FakeLog(2)];
  const decode = sharedRecords(3);
  const [before] = messages(log);
  const [after] = messages(other);
  if (before === undefined || after === undefined) throw new Error('the logs have a first event');
  decode(before.position, before.bytes);
  const record = decode(after.position, after.bytes);
  expect(record).toEqual(decodeRecord(after.position, after.bytes));
  expect(decode(after.position, Buffer.from(after.bytes))).toBe(record);
});

test('a consumer that is far behind decodes again: what is kept is bounded', () => {
  const log = new FakeLog();
  log.fill(10_500);
  const decode = sharedRecords(2);
  const all = messages(log);
  const quick = all.map(({ position, bytes }) => decode(position, bytes));
  const last = all.at(-1);
  const [first] = all;
  if (first === undefined || last === undefined) throw new Error('the log has events');
  expect(decode(last.position, last.bytes)).toBe(quick.at(-1));
  const again = decode(first.position, first.bytes);
  expect(again).not.toBe(quick[0]);
  expect(again).toEqual(quick[0]);
});
