/** The relay against a bus in memory that can fail: what it sends, in which order, and what it says of it. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { firstCursor, type RelayCursor } from '../../../../lib/log/relay-cursor.js';
import type { BusPublisher, OutgoingMessage } from '../../../../lib/log/bus.js';
import { partitioner } from '../../../../lib/log/partition.js';
import { until } from '../../../../test/until.js';
import { FakeLog } from '../../../../test/fake-log.js';
import { Relay } from '../relay.js';

const PARTITIONS = 4;
const partitionOf = partitioner(PARTITIONS);
const quiet = { info: () => undefined, warn: () => undefined };

let log: FakeLog;
let relay: Relay;
/** What the bus has stored, by partition. */
let stored: OutgoingMessage[][];
let saved: RelayCursor;
let opened: number;
let health: boolean[];
let reported: { readonly epoch: number; readonly position: bigint }[];
/** Decides of each batch what becomes of it. */
let fault: (messages: readonly OutgoingMessage[]) => 'stored' | 'lost' | 'stored and denied';

const open = async (): Promise<BusPublisher> => {
  opened += 1;
  let isBroken = false;
  return {
    publish: async (messages) => {
      if (isBroken) throw new Error('used after a failure');
      const fate = fault(messages);
      if (fate !== 'lost') for (const message of messages) stored[message.partition]?.push(message);
      if (fate !== 'stored') {
        isBroken = true;
        throw new Error('the broker is away');
      }
    },
    close: async () => undefined,
  };
};

const build = () =>
  new Relay({
    log,
    partitions: PARTITIONS,
    partitionOf,
    wakeups: log.wakeups,
    logger: quiet,
    open,
    cursor: {
      read: async () => saved,
      save: async (cursor) => {
        saved = cursor;
      },
    },
    reportLost: async (point) => {
      reported.push(point);
    },
    onHealth: (isUp) => health.push(isUp),
  });

const head = () => BigInt(log.events.length - 1);
const add = (count: number) => {
  for (let index = 0; index < count; index += 1) log.fill(1, `ledger-${String(index % 9)}`);
};
const own = (partition: number) =>
  log.events
    .filter(({ event }) => event.ledgerId === '' || partitionOf(event.ledgerId) === partition)
    .map(({ position }) => position);
const sent = (partition: number) =>
  (stored[partition] ?? []).flatMap(({ record }) => (record === undefined ? [] : [record.position]));
const all = [0, 1, 2, 3];
/** Every message follows one that is there, and the last one says that all is. */
const expectChain = () => {
  for (const messages of stored) {
    let last = -1n;
    for (const { record, after, watermark } of messages) {
      expect(after).toBeLessThanOrEqual(last);
      if (record !== undefined && record.position > last) last = record.position;
      if (watermark !== undefined)
        expect(watermark.position).toBeGreaterThanOrEqual(record?.position ?? after);
    }
    expect(messages.at(-1)?.watermark?.position).toBe(head());
  }
};
const isTold = () => stored.every((messages) => messages.at(-1)?.watermark?.position === head());

beforeEach(() => {
  log = new FakeLog();
  stored = all.map(() => []);
  saved = firstCursor(PARTITIONS);
  opened = 0;
  health = [];
  reported = [];
  fault = () => 'stored';
  relay = build();
});

afterEach(() => relay.stop());

test('every event goes once to its own partition, in order, and those of no ledger to all', async () => {
  add(2_500);
  relay.start();
  await until(isTold);
  for (const partition of all) expect(sent(partition)).toEqual(own(partition));
  expectChain();
  expect(opened).toBe(1);
});

test('what is committed later follows, and quiet partitions hear of it', async () => {
  relay.start();
  await until(isTold);
  log.fill(1, 'ledger-0');
  await until(isTold);
  const quietOnes = all.filter((partition) => partition !== partitionOf('ledger-0'));
  for (const partition of quietOnes) {
    expect(stored[partition]?.at(-1)).toMatchObject({ record: undefined, after: 0n });
  }
  expectChain();
});

test('after any failure another publisher sends again from the cursor: at least once, never out of order', async () => {
  let batches = 0;
  fault = () => {
    batches += 1;
    if (batches % 3 === 0) return 'lost';
    return batches % 5 === 0 ? 'stored and denied' : 'stored';
  };
  relay.start();
  for (let round = 0; round < 12; round += 1) {
    add(40);
    const before = batches;
    await until(() => batches > before);
  }
  fault = () => 'stored';
  await until(isTold);
  for (const partition of all) {
    const positions = sent(partition);
    expect([...new Set(positions)].sort((one, other) => (one < other ? -1 : 1))).toEqual(own(partition));
  }
  for (const messages of stored) {
    // A repetition begins again somewhere before, and from there nothing is left out.
    let last = -1n;
    for (const { record, after } of messages) {
      expect(after).toBeLessThanOrEqual(last);
      if (record !== undefined && record.position > last) last = record.position;
    }
  }
  expect(opened).toBeGreaterThan(1);
  expect(health).toContain(false);
  expect(health.at(-1)).toBe(true);
});

test('a restart goes on at the cursor and still knows what came before in each partition', async () => {
  add(100);
  relay.start();
  await until(isTold);
  await relay.stop();
  expect(saved.position).toBe(head());
  stored = all.map(() => []);
  relay = build();
  relay.start();
  const before = all.map((partition) => own(partition).at(-1) ?? -1n);
  add(100);
  await until(isTold);
  for (const partition of all) {
    expect(stored[partition]?.[0]?.after).toBe(before[partition]);
    expect(sent(partition)).toEqual(own(partition).filter((position) => position > 100n));
  }
});

test('a log restored under the relay is sent from the fork on: nothing new is left out', async () => {
  add(100);
  relay.start();
  await until(isTold);
  stored = all.map(() => []);
  log.restoreTo(60n);
  add(20);
  await until(isTold);
  for (const partition of all) {
    expect(sent(partition)).toEqual(own(partition).filter((position) => position > 60n));
    expect(stored[partition]?.every(({ after }) => after >= 60n)).toBe(true);
  }
  expect(relay.position).toBe(head());
});

test('a log restored while no relay ran is sent from the fork on', async () => {
  add(100);
  relay.start();
  await until(isTold);
  await relay.stop();
  stored = all.map(() => []);
  log.restoreTo(60n);
  add(70);
  relay = build();
  relay.start();
  await until(isTold);
  for (const partition of all) {
    expect(sent(partition)).toEqual(own(partition).filter((position) => position > 60n));
  }
});

test('a log that has lost what was relayed, but has no new epoch, is not sent before one begins', async () => {
  add(50);
  saved = { ...firstCursor(PARTITIONS), position: 20n, hash: new Uint8Array(32) };
  relay.start();
  await until(() => reported.length > 0);
  expect(reported[0]).toMatchObject({ epoch: 0, position: 20n });
  expect(stored.flat()).toEqual([]);
  // What it shares with that history is not known: all is sent.
  log.restoreTo(head());
  await until(isTold);
  for (const partition of all) expect(sent(partition)).toEqual(own(partition));
});

test('while the bus is away nothing is lost and the lag is exact', async () => {
  fault = () => 'lost';
  add(30);
  relay.start();
  await until(() => health.includes(false));
  expect(relay.isUp).toBe(false);
  expect((await relay.lag()).events).toBe(31n);
  fault = () => 'stored';
  await until(isTold);
  expect((await relay.lag()).events).toBe(0n);
  for (const partition of all) expect(sent(partition)).toEqual(own(partition));
});
