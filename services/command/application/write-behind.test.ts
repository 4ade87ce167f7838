import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { LedgerFixture, testId } from '../../../test/ledger-fixture.js';
import { BEFORE_THE_LOG } from '../../../lib/log/recorded-event.js';
import type { StateBatch } from '../../../lib/log/state/state-changes.js';
import { Memory } from './memory.js';
import { type StateWriter, WriteBehind } from './write-behind.js';

const HOUR_MS = 3_600_000;

/** State tables in memory. What they were given is on disk as soon as `isOnDisk` is set. */
class FakeTables implements StateWriter {
  readonly batches: StateBatch[] = [];
  isOnDisk = false;
  #checkpoint = { epoch: 0, position: -1n, hash: new Uint8Array(0) };
  #onWrite: () => void = () => undefined;

  async write(...[changesAfter]: Parameters<StateWriter['write']>) {
    const batch = await changesAfter(this.#checkpoint);
    if (batch !== undefined) {
      this.batches.push(batch);
      this.#checkpoint = { ...batch.through, hash: new Uint8Array(batch.through.hash) };
    }
    this.#onWrite();
    return { position: this.#checkpoint.position, lsn: String(this.batches.length) };
  }

  isDurable(): Promise<boolean> {
    return Promise.resolve(this.isOnDisk);
  }

  written(): Promise<void> {
    return new Promise((resolve) => (this.#onWrite = resolve));
  }
}

function ledgerWith(payments: number): LedgerFixture {
  const fixture = new LedgerFixture();
  fixture.run({ case: 'createLedger', value: { ledgerId: 'main', requestId: testId(1) } });
  const account = { ledgerId: 'main', accountId: 'alice', currency: 'EUR' };
  fixture.run({ case: 'openAccount', value: { ...account, requestId: testId(2) } });
  const amount = { currency: 'EUR', minorUnits: 100n };
  for (let n = 0; n < payments; n++) {
    const value = { ledgerId: 'main', accountId: 'alice', requestId: testId(10 + n), amount };
    fixture.run({ case: 'deposit', value });
  }
  return fixture;
}

function writeBehindOf(fixture: LedgerFixture, eventsPerWrite: number) {
  const memory = new Memory(BEFORE_THE_LOG);
  for (const recorded of fixture.events) memory.absorb(recorded);
  const tables = new FakeTables();
  const options = { interval_ms: HOUR_MS, eventsPerWrite };
  const writeBehind = new WriteBehind(memory, tables, pino({ level: 'silent' }), options);
  return { memory, tables, writeBehind };
}

describe('the state tables', () => {
  test('are written before their time when enough events wait, and no more of them at once', async () => {
    const fixture = ledgerWith(1_500);
    const { tables, writeBehind } = writeBehindOf(fixture, 1_000);
    const written = tables.written();
    writeBehind.start();
    await written;
    expect(tables.batches.map(({ through }) => through.position)).toEqual([999n]);
    expect(Buffer.from(tables.batches[0]?.through.hash ?? [])).toEqual(
      Buffer.from(fixture.events[999]?.hash ?? []),
    );
    await writeBehind.stop();
  });

  test('are not written for a few events before their time, but are at the stop, to the end', async () => {
    const fixture = ledgerWith(1_500);
    const { memory, tables, writeBehind } = writeBehindOf(fixture, 10_000);
    writeBehind.start();
    await new Promise(setImmediate);
    expect(tables.batches).toEqual([]);
    await writeBehind.stop();
    expect(tables.batches.map(({ through }) => through.position)).toEqual([memory.end.position]);
    expect(Buffer.from(tables.batches[0]?.through.hash ?? [])).toEqual(Buffer.from(memory.end.hash));
    const [alice] =
      tables.batches[0]?.changes.accounts.filter(({ state }) => state.accountId === 'alice') ?? [];
    expect(alice?.state.credits).toBe(150_000n);
  });

  test('take several writes at the stop where one may not hold all', async () => {
    const { memory, tables, writeBehind } = writeBehindOf(ledgerWith(1_500), 600);
    writeBehind.start();
    await writeBehind.stop();
    expect(tables.batches.at(-1)?.through.position).toBe(memory.end.position);
    expect(tables.batches.length).toBe(3);
  });

  test('let the tail go only when what was written is on disk', async () => {
    const { memory, tables, writeBehind } = writeBehindOf(ledgerWith(10), 10);
    const size = memory.tailSize;
    const written = tables.written();
    writeBehind.start();
    await written;
    expect(memory.tailSize).toBe(size);
    tables.isOnDisk = true;
    while (memory.tailFrom < 9n) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(memory.tailSize).toBe(size - 10);
    await writeBehind.stop();
  });
});
