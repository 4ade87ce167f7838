/** What every store of the balances view must do: the suite that each adapter's test runs. */
import { expect, test } from '@jest/globals';
import { clone } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { type Event, EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import { type CommandInit, LedgerFixture, testId } from '../../../../test/ledger-fixture.js';
import { accountsChangedBy } from '../../../log/account-of.js';
import type { BusBatch } from '../../../log/bus.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { emptyCheckpoint, UnknownEventError, type ViewGenerations, type ViewRow } from '../../view.js';
import { LostEventsError, MissedEventsError } from '../../view-errors.js';
import { accountKey, contentOf } from '../fold.js';
import type { BalanceRow, BalancesView } from '../view.js';

/** Runs the suite. `fresh` gives generations in a store that holds nothing, migrated. */
export function balancesContract(fresh: () => Promise<ViewGenerations<BalancesView>>): void {
  const freshView = async () => (await fresh()).current();

  readsAreExact(freshView);
  writesAreIdempotent(freshView);
  batchesAreJudged(fresh);

  test('an unknown event stops the view and moves neither data nor checkpoint', async () => {
    const view = await freshView();
    const fixture = busyLedger();
    const last = fixture.events.at(-1);
    if (last === undefined) throw new Error('no events');
    await view.apply(fixture.batch(0n, last.position - 2n));
    const before = [await allRows(view), await view.checkpoint(0)];
    const batch = fixture.batch();
    for (const alien of [withoutPayload(last), withUnknownStatus(last)]) {
      const events = [...batch.events.slice(0, -1), alien];
      await expect(view.apply({ ...batch, events })).rejects.toThrow(UnknownEventError);
      expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
    }
    const ignorable = withoutPayload(last);
    ignorable.event.ignorable = true;
    await view.apply({ ...batch, events: [...batch.events.slice(0, -1), ignorable] });
    expect(await view.checkpoint(0)).toMatchObject({ position: last.position });
  });

  test('generations fill beside each other; readers see the one that serves', async () => {
    const generations = await fresh();
    const fixture = busyLedger();
    const first = await generations.current();
    await first.apply(fixture.batch(0n, 5n));
    const second = await generations.create();
    expect((await generations.current()).generation).toBe(first.generation);
    expect(await allRows(second)).toEqual([]);
    await second.apply(fixture.batch());
    await generations.switchTo(second.generation);
    const serving = await generations.current();
    expect(serving.generation).toBe(second.generation);
    expect(await allRows(serving)).toEqual(expectedRows(fixture.events));
    await generations.drop(first.generation);
    expect(await generations.list()).toEqual([second.generation]);
    await expect(first.balances(0, 'main', ['alice'])).rejects.toThrow(/gone/);
  });
}

function readsAreExact(freshView: () => Promise<BalancesView>): void {
  test('a view that has seen nothing has no accounts and the empty checkpoint', async () => {
    const view = await freshView();
    expect(await view.balances(0, 'main', ['alice'])).toEqual({
      value: [undefined],
      asOf: emptyCheckpoint(0),
    });
    expect(await view.checkpoint(0)).toEqual(emptyCheckpoint(0));
  });

  test('rows come in the order asked for, with gaps for accounts that do not exist in that ledger', async () => {
    const view = await freshView();
    const fixture = busyLedger();
    await view.apply(fixture.batch());
    const { value, asOf } = await view.balances(0, 'main', ['nobody', 'bob', 'other-alice', 'alice']);
    expect(value.map((row) => row?.state.accountId)).toEqual([undefined, 'bob', undefined, 'alice']);
    const last = fixture.events.at(-1)?.position ?? 0n;
    expect(asOf).toEqual({ partition: 0, offset: last, ...fixture.point(last) });
    const states = lastStates(fixture.events);
    expect(value[3]).toEqual(states.get(accountKey('main', 'alice')));
  });

  test('many readers at once each get their own rows', async () => {
    const view = await freshView();
    const fixture = busyLedger();
    await view.apply(fixture.batch());
    const asked = ['alice', 'bob', 'nobody', '@settlement:EUR'].flatMap((id) => Array<string>(50).fill(id));
    const reads = await Promise.all(asked.map((id) => view.balances(0, 'main', [id])));
    expect(reads.map(({ value }) => value[0]?.state.accountId)).toEqual(
      asked.map((id) => (id === 'nobody' ? undefined : id)),
    );
  });

  test('1,000 accounts are one read', async () => {
    const view = await freshView();
    const fixture = new LedgerFixture();
    fixture.run(createLedger(1));
    const ids = Array.from({ length: 1000 }, (_, index) => `account-${String(index)}`);
    ids.forEach((id, index) => fixture.run(openAccount(2 + index, 'main', id)));
    await view.apply(fixture.batch());
    const { value } = await view.balances(0, 'main', ids);
    expect(value.map((row) => row?.state.accountId)).toEqual(ids);
    expect(await allRows(view, 300)).toEqual(expectedRows(fixture.events));
  });

  test('every state read is one that the account had, never older than one read before', async () => {
    const view = await freshView();
    const fixture = busyLedger(40);
    const states = new Map<string, string>();
    for (const { position, event } of fixture.events) {
      for (const state of accountsChangedBy(event)) {
        const key = `${event.ledgerId} ${state.accountId} ${String(state.version)}`;
        states.set(key, contentOf({ state, position }));
      }
    }
    let applying = true;
    const seen = new Map<string, bigint>();
    const reader = async () => {
      while (applying) {
        const { value, asOf } = await view.balances(0, 'main', ['alice', 'bob']);
        for (const row of value) {
          if (row === undefined) continue;
          const { accountId, version } = row.state;
          expect(contentOf(row)).toBe(states.get(`main ${accountId} ${String(version)}`));
          expect(version).toBeGreaterThanOrEqual(seen.get(accountId) ?? 0n);
          expect(row.position).toBeLessThanOrEqual(asOf.position);
          seen.set(accountId, version);
        }
      }
    };
    const reading = [reader(), reader()];
    for (const { position } of fixture.events) await view.apply(fixture.batch(position, position));
    applying = false;
    await Promise.all(reading);
    expect(await allRows(view)).toEqual(expectedRows(fixture.events));
  });
}

function writesAreIdempotent(freshView: () => Promise<BalancesView>): void {
  test('a redelivered or overlapping batch changes nothing, and no version ever goes back', async () => {
    const view = await freshView();
    const fixture = busyLedger();
    await view.apply(fixture.batch());
    const before = [await allRows(view), await view.checkpoint(0)];
    await view.apply(fixture.batch());
    await view.apply(fixture.batch(3n, 7n));
    await view.apply(fixture.batch(0n, 9n));
    expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
  });

  test('a batch without events moves the checkpoint alone', async () => {
    const view = await freshView();
    const fixture = busyLedger();
    const batch: BusBatch = { ...fixture.batch(0n, 4n), events: [] };
    await view.apply(batch);
    expect(await allRows(view)).toEqual([]);
    expect(await view.checkpoint(0)).toMatchObject({ position: 4n, offset: 4n });
  });

  test('however a log is cut into batches, and however these overlap, the rows are the same', async () => {
    const fixture = busyLedger(12);
    const end = fixture.events.length - 1;
    const batches = fc.array(fc.record({ overlap: fc.nat(6), length: fc.integer({ min: 1, max: 9 }) }), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(batches, async (cuts) => {
        const view = await freshView();
        let next = 0;
        for (const { overlap, length } of cuts) {
          const from = Math.max(0, next - overlap);
          const through = Math.min(end, next + length - 1);
          await view.apply(fixture.batch(BigInt(from), BigInt(through)));
          next = through + 1;
          if (next > end) break;
        }
        expect(await allRows(view, 3)).toEqual(expectedRows(fixture.events.slice(0, next)));
        expect(await allRows(view, 2, 'other')).toEqual(
          expectedRows(fixture.events.slice(0, next)).filter(({ key }) => key.startsWith('other ')),
        );
      }),
      { numRuns: 15, seed: 7 },
    );
  });
}

function batchesAreJudged(fresh: () => Promise<ViewGenerations<BalancesView>>): void {
  test('a batch that follows an event which the view has not seen is refused, and changes nothing', async () => {
    const view = await (await fresh()).current();
    const fixture = busyLedger();
    await view.apply({ ...fixture.batch(0n, 5n), after: -1n });
    const before = [await allRows(view), await view.checkpoint(0)];
    const late = { ...fixture.batch(8n), after: 7n };
    await expect(view.apply(late)).rejects.toThrow(MissedEventsError);
    await expect(view.apply({ ...late, events: [] })).rejects.toThrow(MissedEventsError);
    expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
    await view.apply({ ...fixture.batch(6n, 7n), after: 5n });
    await view.apply(late);
    expect(await allRows(view)).toEqual(expectedRows(fixture.events));
  });

  test('a batch of a later epoch that begins below the checkpoint is refused, and changes nothing', async () => {
    const view = await (await fresh()).current();
    const fixture = busyLedger();
    await view.apply(fixture.batch());
    const before = [await allRows(view), await view.checkpoint(0)];
    const forked = { ...fixture.batch(4n, 5n), watermark: { ...fixture.point(5n), epoch: 1 } };
    await expect(view.apply(forked)).rejects.toThrow(LostEventsError);
    expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
  });

  test('processes that apply the same partition at once, cut differently, leave what one would have left', async () => {
    const generations = await fresh();
    const fixture = busyLedger(25);
    const end = fixture.events.length - 1;
    const applier = async (length: number) => {
      const view = await generations.current();
      for (let from = 0; from <= end; from += length) {
        const batch = fixture.batch(BigInt(from), BigInt(Math.min(end, from + length - 1)));
        await view.apply({ ...batch, after: BigInt(from - 1) });
        // One that was left behind by a rebalance goes on with what the other has applied long since.
        if (from >= length) await view.apply(fixture.batch(BigInt(from - length), BigInt(from - 1)));
      }
    };
    await Promise.all([applier(1), applier(3), applier(10)]);
    const view = await generations.current();
    expect(await allRows(view)).toEqual(expectedRows(fixture.events));
    expect(await view.checkpoint(0)).toMatchObject({ position: BigInt(end), offset: BigInt(end) });
  });
}

function createLedger(id: number, ledgerId = 'main'): CommandInit {
  return { case: 'createLedger', value: { ledgerId, requestId: testId(id) } };
}

function openAccount(id: number, ledgerId: string, accountId: string): CommandInit {
  return { case: 'openAccount', value: { ledgerId, accountId, requestId: testId(id), currency: 'EUR' } };
}

/** Two ledgers whose ids are prefixes of each other's accounts, with every kind of change of an account. */
function busyLedger(payments = 3): LedgerFixture {
  const fixture = new LedgerFixture();
  let id = 0;
  const next = () => testId(++id);
  for (const ledgerId of ['main', 'main-2', 'other']) {
    fixture.run(createLedger(++id, ledgerId));
    fixture.run(openAccount(++id, ledgerId, 'alice'));
    fixture.run(openAccount(++id, ledgerId, 'bob'));
    const amount = { currency: 'EUR', minorUnits: 100_000n };
    fixture.run({ case: 'deposit', value: { ledgerId, requestId: next(), accountId: 'alice', amount } });
  }
  const ledgerId = 'main';
  const parties = { ledgerId, payerAccountId: 'alice', payeeAccountId: 'bob' };
  for (let index = 0; index < payments; index++) {
    const amount = { currency: 'EUR', minorUnits: BigInt(10 + index) };
    fixture.run({ case: 'submitPayment', value: { ...parties, requestId: next(), amount } });
    const paymentId = next();
    fixture.run({ case: 'authorizePayment', value: { ...parties, requestId: paymentId, amount } });
    if (index % 2 === 0) {
      fixture.run({ case: 'voidPayment', value: { ledgerId, requestId: next(), paymentId } });
    }
    const huge = { currency: 'EUR', minorUnits: 1_000_000_000n };
    fixture.run({ case: 'withdraw', value: { ledgerId, requestId: next(), accountId: 'bob', amount: huge } });
  }
  fixture.run({ case: 'freezeAccount', value: { ledgerId, requestId: next(), accountId: 'bob' } });
  return fixture;
}

/** The second opinion: the last state of each account by the order of the log. */
function lastStates(events: readonly RecordedEvent[]): Map<string, BalanceRow> {
  const states = new Map<string, BalanceRow>();
  for (const { position, event } of events) {
    for (const state of accountsChangedBy(event)) {
      states.set(accountKey(event.ledgerId, state.accountId), { state, position });
    }
  }
  return states;
}

function expectedRows(events: readonly RecordedEvent[]): ViewRow[] {
  return [...lastStates(events)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, row]) => ({ key, position: row.position, content: contentOf(row) }));
}

async function allRows(view: BalancesView, limit = 1000, ledgerId: string | null = null): Promise<ViewRow[]> {
  const rows: ViewRow[] = [];
  for (;;) {
    const page = await view.rows({ ledgerId, afterKey: rows.at(-1)?.key ?? null, limit });
    rows.push(...page);
    if (page.length < limit) return rows;
  }
}

function changed(record: RecordedEvent, change: (event: Event) => void): RecordedEvent {
  const event = clone(EventSchema, record.event);
  change(event);
  return { ...record, event };
}

function withoutPayload(record: RecordedEvent): RecordedEvent {
  return changed(record, (event) => {
    event.payload = { case: undefined };
  });
}

function withUnknownStatus(record: RecordedEvent): RecordedEvent {
  return changed(record, (event) => {
    for (const state of accountsChangedBy(event)) Object.assign(state, { status: 99 });
  });
}
