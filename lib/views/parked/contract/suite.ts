/** What every store must do with events that are parked: the suite that the tests of all adapters of all views run. */
import { expect, test } from '@jest/globals';
import type { LedgerFixture } from '../../../../test/ledger-fixture.js';
import type { BusBatch } from '../../../log/bus.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { batchOf, busyLedger } from '../../reports/contract/busy-ledger.js';
import type { View, ViewGenerations, ViewRow } from '../../view.js';
import { ParkedChangedError } from '../../view-errors.js';
import { parkedAt } from '../parked.js';
import { ParkedStreams } from '../parked-streams.js';

const NOW = 1_767_225_600_000_000n;
const FAILURE = 'refused by the test';

/** Runs the suite. `fresh` gives views in a store that holds nothing. */
export function parkingContract(fresh: () => Promise<FreshView>): void {
  test('what is parked is not in the view, and its checkpoint says up to where each ledger is whole', async () => {
    const { view, empty } = await fresh();
    const { events, poison } = theEvents();
    const streams = await applyAllBut(view, events, poison);
    const { letters } = streams;
    expect(letters.length).toBeGreaterThan(1);
    expect(letters.length).toBeLessThan(events.length / 2);
    const checkpoint = await view.checkpoint(0);
    expect(checkpoint.position).toBe(events.at(-1)?.position);
    expect(checkpoint.parked).toEqual(streams.parked);
    expect(parkedAt(checkpoint).heads.get('main')).toMatchObject({
      position: poison.position - 1n,
      hash: new Uint8Array(poison.event.previousHash),
    });
    expect(parkedAt(checkpoint).heads.has('main-b')).toBe(false);
    expect(await view.deadLetters(0)).toEqual({ parked: streams.parked, letters });

    const parked = new Set(letters.map(({ position }) => position));
    const without = await empty();
    await without.apply({
      ...batchOf(events),
      events: events.filter(({ position }) => !parked.has(position)),
    });
    expect(await rowsOf(view)).toEqual(await rowsOf(without));
  });

  test('parked events that are applied in order leave what one would have that never refused any', async () => {
    const { view, empty } = await fresh();
    const { events, poison } = theEvents();
    await applyAllBut(view, events, poison);
    const before = parkedAt(await view.checkpoint(0)).version;
    for (let open = await view.deadLetters(0); open.letters.length > 0; open = await view.deadLetters(0)) {
      const streams = new ParkedStreams(open);
      const [letter] = streams.letters;
      const record = events.find(({ position }) => position === letter?.position);
      if (letter === undefined || record === undefined) throw new Error('a letter is of an event');
      await view.unpark(streams.apply(letter, record));
    }
    const checkpoint = await view.checkpoint(0);
    expect(parkedAt(checkpoint)).toMatchObject({ count: 0, heads: new Map() });
    expect(parkedAt(checkpoint).version).toBeGreaterThan(before);
    expect(checkpoint.position).toBe(events.at(-1)?.position);
    const whole = await empty();
    await whole.apply(batchOf(events));
    expect(await rowsOf(view)).toEqual(await rowsOf(whole));
  });

  test('what another process has parked or applied is noticed, and nothing is changed then', async () => {
    const { view, again } = await fresh();
    const { events, poison } = theEvents();
    const [first, rest] = [events.slice(0, events.indexOf(poison)), events.slice(events.indexOf(poison) + 1)];
    await view.apply(batchOf(first));
    await view.apply(new ParkedStreams().park(batchOf([poison]), refusal(poison), NOW));
    const other = await again();
    const before = [await rowsOf(view), await view.checkpoint(0)];
    await expect(other.apply(batchOf(rest))).rejects.toThrow(ParkedChangedError);
    expect([await rowsOf(view), await view.checkpoint(0)]).toEqual(before);

    const streams = new ParkedStreams(await other.deadLetters(0));
    await other.apply(streams.plan(batchOf(rest), NOW));
    const stale = new ParkedStreams(await view.deadLetters(0));
    const [letter] = stale.letters;
    if (letter === undefined) throw new Error('something is parked');
    await view.unpark(new ParkedStreams(await view.deadLetters(0)).apply(letter, poison));
    await expect(other.unpark(stale.apply(letter, poison))).rejects.toThrow(ParkedChangedError);
    expect((await view.deadLetters(0)).letters.map(({ position }) => position)).not.toContain(
      poison.position,
    );
  });

  test('a letter that was tried again in vain says so, and stays', async () => {
    const { view } = await fresh();
    const { events, poison } = theEvents();
    const streams = await applyAllBut(view, events, poison);
    const rows = await rowsOf(view);
    const [letter] = streams.letters;
    if (letter === undefined) throw new Error('something is parked');
    const tried = { ...letter, tries: 7, failure: 'refused again', parkedTime: NOW + 1n };
    await view.unpark(streams.note(tried));
    expect((await view.deadLetters(0)).letters).toEqual([tried, ...streams.letters.slice(1)]);
    expect(await rowsOf(view)).toEqual(rows);
  });
}

export interface FreshView {
  /** Empty. */
  readonly view: View;
  /** The same, as another process has it. */
  readonly again: () => Promise<View>;
  /** Another one. */
  readonly empty: () => Promise<View>;
}

/** Of the generation that serves. */
export async function servingView(generations: ViewGenerations<View>): Promise<FreshView> {
  return {
    view: await generations.current(),
    again: () => generations.current(),
    empty: () => generations.create(),
  };
}

/** A payment in the middle of a busy ledger, behind which some of the rest has to wait. */
function theEvents(): { events: readonly RecordedEvent[]; poison: RecordedEvent } {
  const { events }: LedgerFixture = busyLedger(4, 120);
  const poison = events
    .slice(events.length / 2)
    .find(
      ({ event }) =>
        event.ledgerId === 'main' &&
        event.payload.case === 'transactionPosted' &&
        event.payload.value.accounts.every(({ accountId }) => !accountId.startsWith('@')),
    );
  if (poison === undefined) throw new Error('there is a payment');
  return { events, poison };
}

const refusal = (record: RecordedEvent) => ({ record, tries: 3, failure: FAILURE });

/** As the projector does, some events at a time. */
async function applyAllBut(
  view: View,
  events: readonly RecordedEvent[],
  poison: RecordedEvent,
): Promise<ParkedStreams> {
  const streams = new ParkedStreams();
  const at = events.indexOf(poison);
  const apply = (batch: BusBatch) => view.apply(streams.plan(batch, NOW));
  await apply(batchOf(events.slice(0, at)));
  await view.apply(streams.park(batchOf([poison]), refusal(poison), NOW));
  for (let from = at + 1; from < events.length; from += 20)
    await apply(batchOf(events.slice(from, from + 20)));
  return streams;
}

async function rowsOf(view: View): Promise<readonly ViewRow[]> {
  return view.rows({ ledgerId: null, afterKey: null, limit: 10_000 });
}
