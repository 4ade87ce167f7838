/** Who has the lease, by what the database and our own clock say. */
import { afterEach, expect, test } from '@jest/globals';
import type { Candidate, Lease, LeaseStore } from '../../../lib/log/lease/lease.js';
import { until } from '../../../test/until.js';
import { Standing } from './standing.js';

/** The row of a lease, its expiry said by the test. */
class FakeLease implements LeaseStore {
  row: Lease | undefined;
  /** Reads and renewals fail: the database is away. */
  isAway = false;
  renewals = 0;

  read(): Promise<Lease | undefined> {
    return this.#answer(() => this.row);
  }

  take({ id, address }: Candidate): Promise<bigint | undefined> {
    return this.#answer(() => {
      const { row } = this;
      if (row !== undefined && !row.hasExpired && row.address !== address) return undefined;
      const term = (row?.term ?? 0n) + 1n;
      this.row = { holder: id, address, term, hasExpired: false };
      return term;
    });
  }

  renew({ id }: Candidate, term: bigint): Promise<boolean> {
    this.renewals += 1;
    return this.#answer(() => this.row?.holder === id && this.row.term === term);
  }

  release({ id }: Candidate, term: bigint): Promise<void> {
    return this.#answer(() => {
      if (this.row?.holder === id && this.row.term === term) this.expire();
    });
  }

  expire(): void {
    if (this.row !== undefined) this.row = { ...this.row, hasExpired: true };
  }

  #answer<T>(answer: () => T): Promise<T> {
    return this.isAway ? Promise.reject(new Error('the database is away')) : Promise.resolve(answer());
  }
}

/** A lease outlives a pause of the machine here; it is short only where a test waits for its end. */
const LONG = { lease_ms: 60_000, renew_ms: 5, look_ms: 5, handOver_ms: 100 };
const SHORT = { lease_ms: 50, renew_ms: 5, look_ms: 5, handOver_ms: 100 };

const open: Standing[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((standing) => standing.stop()));
});

async function start(lease: LeaseStore, name: string, times = LONG) {
  const decider = { isFit: true, settled: () => Promise.resolve() };
  const candidate = { id: name, address: `${name}:1` };
  const logger = { info: () => undefined, warn: () => undefined };
  const standing = new Standing({ lease, candidate, logger, times });
  open.push(standing);
  await standing.start(decider);
  return { standing, decider };
}

test('the first takes the lease, the second knows where it is and takes it when it has expired', async () => {
  const lease = new FakeLease();
  const { standing: one } = await start(lease, 'one');
  const { standing: two } = await start(lease, 'two');
  expect(one.place).toEqual({ at: 'here', term: 1n });
  expect(two.place).toEqual({ at: 'peer', term: 1n, address: 'one:1' });
  await one.stop();
  await until(() => two.isHolder);
  expect(two.place).toEqual({ at: 'here', term: 2n });
});

test('a holder that the database does not answer has lost the lease when it has run out by its own clock', async () => {
  const lease = new FakeLease();
  const { standing } = await start(lease, 'one', SHORT);
  lease.isAway = true;
  await until(() => !standing.isHolder);
  expect(standing.place).toEqual({ at: 'unknown' });
  // No other process has taken it meanwhile: it is the same term.
  lease.isAway = false;
  await until(() => standing.isHolder);
  expect(standing.place).toEqual({ at: 'here', term: 1n });
});

test('a holder whose lease was taken says where it is now', async () => {
  const lease = new FakeLease();
  const { standing } = await start(lease, 'one');
  lease.row = { holder: 'two', address: 'two:1', term: 2n, hasExpired: false };
  await until(() => !standing.isHolder);
  await until(() => standing.place.at === 'peer');
  expect(standing.place).toEqual({ at: 'peer', term: 2n, address: 'two:1' });
});

test('a holder whose append was refused has lost the lease at once, unless the append was of an earlier term', async () => {
  const lease = new FakeLease();
  const { standing } = await start(lease, 'one', { ...LONG, renew_ms: 60_000 });
  lease.row = { holder: 'two', address: 'two:1', term: 2n, hasExpired: false };
  standing.lost(0n);
  expect(standing.term).toBe(1n);
  standing.lost(1n);
  expect(standing.term).toBeUndefined();
  // It does not wait for its next renewal.
  await until(() => standing.place.at === 'peer');
  expect(standing.place).toEqual({ at: 'peer', term: 2n, address: 'two:1' });
});

test('a process that cannot decide gives the lease up, and does not take it', async () => {
  const lease = new FakeLease();
  const { standing: one, decider } = await start(lease, 'one');
  const { standing: two } = await start(lease, 'two');
  decider.isFit = false;
  await until(() => two.isHolder);
  expect(one.isHolder).toBe(false);
  await two.stop();
  await until(() => lease.row?.hasExpired === true);
  expect(one.isHolder).toBe(false);
});

test('a hand-over ends when another process has the lease, and the one that left does not take it again', async () => {
  const lease = new FakeLease();
  const { standing: one } = await start(lease, 'one');
  const { standing: two } = await start(lease, 'two');
  expect(await one.handOver()).toBe(true);
  expect(two.isHolder).toBe(true);
  expect(one.place).toMatchObject({ at: 'peer', address: 'two:1' });
});

test('a hand-over that no process accepts is taken back', async () => {
  const lease = new FakeLease();
  const { standing } = await start(lease, 'one');
  expect(await standing.handOver()).toBe(false);
  await until(() => standing.isHolder);
  expect(standing.place).toEqual({ at: 'here', term: 2n });
});

test('a process that starts at the address of the holder takes the lease at once', async () => {
  const lease = new FakeLease();
  lease.row = { holder: 'killed', address: 'one:1', term: 7n, hasExpired: false };
  const { standing } = await start(lease, 'one');
  expect(standing.place).toEqual({ at: 'here', term: 8n });
});

test('listeners hear of each change once, also of the end of a lease that is not renewed', async () => {
  const lease = new FakeLease();
  const { standing } = await start(lease, 'one', SHORT);
  const places: string[] = [];
  standing.onChange(() => places.push(standing.place.at));
  lease.isAway = true;
  await until(() => places.length > 0);
  expect(places).toEqual(['unknown']);
});
