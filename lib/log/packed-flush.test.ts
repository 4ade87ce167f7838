import { expect, test } from '@jest/globals';
import { FakeLog } from '../../test/fake-log.js';
import { packFlush, unpackFlush } from './packed-flush.js';

test('a flush comes out as it went in: positions, bytes, hashes and what they decode to', () => {
  const log = new FakeLog();
  log.fill(5);
  const events = log.events.slice(2);
  const flush = structuredClone(packFlush(events));
  expect(
    unpackFlush(flush).map((record) => ({ ...record, bytes: [...record.bytes], hash: [...record.hash] })),
  ).toEqual(events.map((record) => ({ ...record, bytes: [...record.bytes], hash: [...record.hash] })));
});
