/** Batches: applied once, in whatever pieces they come, or not at all; and generations apart. */
import { expect, test } from '@jest/globals';
import { clone } from '@bufbuild/protobuf';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import type { BusBatch } from '../../../log/bus.js';
import { UnknownEventError, type ViewGenerations } from '../../view.js';
import { LostEventsError, MissedEventsError } from '../../view-errors.js';
import type { ReportsView } from '../view.js';
import { batchOf, LEDGERS, seeded } from './busy-ledger.js';
import { allRows, applyCut } from './applying.js';

export function writesAreIdempotent(
  events: readonly RecordedEvent[],
  fresh: () => Promise<ViewGenerations<ReportsView>>,
): void {
  test('rows are the same however the events were cut, repeated and overlapped', async () => {
    const generations = await fresh();
    const whole = await generations.current();
    await whole.apply(batchOf(events));
    const expected = await allRows(whole);
    expect(expected.map(({ key }) => key)).toEqual(expected.map(({ key }) => key).sort());
    expect(new Set(expected.map(({ key }) => key)).size).toBe(expected.length);
    for (const seed of [1, 2, 3]) {
      const view = await generations.create();
      await applyCut(view, events, seeded(seed), true);
      expect(await allRows(view, 7 + seed * 200)).toEqual(expected);
    }
    for (const ledgerId of LEDGERS) {
      const own = expected.filter(({ key }) => key.startsWith(`${ledgerId} `));
      expect(own.length).toBeGreaterThan(100);
      expect(await allRows(whole, 397, ledgerId)).toEqual(own);
    }
    expect(await allRows(whole, 10, 'nowhere')).toEqual([]);
  });

  test('rows at an earlier checkpoint are those of the events up to it', async () => {
    const generations = await fresh();
    const view = await generations.current();
    const half = events.slice(0, events.length / 2);
    await applyCut(view, half, seeded(4));
    const other = await generations.create();
    await other.apply(batchOf(events));
    const through = half.at(-1)?.position ?? 0n;
    const older = (await allRows(other)).filter(({ position }) => position <= through);
    const keys = new Set(older.map(({ key }) => key));
    expect((await allRows(view)).filter(({ key }) => keys.has(key))).toEqual(older);
  });

  test('a batch without events moves the checkpoint', async () => {
    const view = await (await fresh()).current();
    const first = batchOf(events.slice(0, 20));
    await view.apply(first);
    const watermark = { ...first.watermark, position: first.watermark.position + 5n };
    await view.apply({ ...first, events: [], offset: first.offset + 1n, watermark });
    expect(await view.checkpoint(0)).toEqual({ partition: 0, offset: first.offset + 1n, ...watermark });
  });

  test('an unknown event stops the view and moves neither data nor checkpoint', async () => {
    const view = await (await fresh()).current();
    await view.apply(batchOf(events.slice(0, 300)));
    const before = [await allRows(view), await view.checkpoint(0)];
    const next = events.slice(300, 340);
    const last = next.at(-1);
    if (last === undefined) throw new Error('no events');
    const alien = clone(EventSchema, last.event);
    alien.payload = { case: undefined };
    const withAlien = [...next.slice(0, -1), { ...last, event: alien }];
    await expect(view.apply(batchOf(withAlien))).rejects.toThrow(UnknownEventError);
    expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
    alien.ignorable = true;
    await view.apply(batchOf(withAlien));
    expect((await view.checkpoint(0)).position).toBe(last.position);
  });
}

export function batchesAreJudged(
  events: readonly RecordedEvent[],
  fresh: () => Promise<ViewGenerations<ReportsView>>,
): void {
  const part = (from: number, to = events.length): BusBatch => batchOf(events.slice(from, to));
  const positionOf = (index: number) => events[index]?.position ?? -1n;

  test('a batch that follows an event which the view has not seen is refused, and changes nothing', async () => {
    const generations = await fresh();
    const view = await generations.current();
    await view.apply({ ...part(0, 200), after: -1n });
    const before = [await allRows(view), await view.checkpoint(0)];
    const late = { ...part(250), after: positionOf(249) };
    await expect(view.apply(late)).rejects.toThrow(MissedEventsError);
    await expect(view.apply({ ...late, events: [] })).rejects.toThrow(MissedEventsError);
    expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
    await view.apply({ ...part(200, 250), after: positionOf(199) });
    await view.apply(late);
    const whole = await generations.create();
    await whole.apply(part(0));
    expect(await allRows(view)).toEqual(await allRows(whole));
  });

  test('a batch of a later epoch that begins below the checkpoint is refused, and changes nothing', async () => {
    const view = await (await fresh()).current();
    await view.apply(part(0, 200));
    const before = [await allRows(view), await view.checkpoint(0)];
    const { watermark, ...forked } = part(150, 180);
    await expect(view.apply({ ...forked, watermark: { ...watermark, epoch: 1 } })).rejects.toThrow(
      LostEventsError,
    );
    expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
  });

  test('processes that apply the same partition at once, cut differently, leave what one would have left', async () => {
    const generations = await fresh();
    const applier = async (size: number) => {
      const view = await generations.current();
      for (let from = 0; from < events.length; from += size) {
        await view.apply({ ...part(from, from + size), after: positionOf(from - 1) });
        // One that was left behind by a rebalance goes on with what the other has applied long since.
        if (from >= size) await view.apply(part(from - size, from));
      }
    };
    await Promise.all([applier(20), applier(33), applier(150)]);
    const view = await generations.current();
    const whole = await generations.create();
    await whole.apply(part(0));
    expect(await allRows(view)).toEqual(await allRows(whole));
    expect(await view.checkpoint(0)).toEqual(await whole.checkpoint(0));
  });
}

export function generationsAreApart(
  events: readonly RecordedEvent[],
  fresh: () => Promise<ViewGenerations<ReportsView>>,
): void {
  test('generations fill beside each other; readers see the one that serves', async () => {
    const generations = await fresh();
    const first = await generations.current();
    await first.apply(batchOf(events.slice(0, 200)));
    const second = await generations.create();
    expect(await allRows(second)).toEqual([]);
    await second.apply(batchOf(events));
    expect((await generations.current()).generation).toBe(first.generation);
    await generations.switchTo(second.generation);
    expect((await generations.current()).generation).toBe(second.generation);
    await generations.drop(first.generation);
    const query = { partition: 0, ledgerId: 'main', through: null, currency: '' } as const;
    await expect(first.volume({ ...query, basis: 'effective', bounds: [0n, 1n] })).rejects.toThrow(/gone/);
    expect(await generations.list()).toEqual([second.generation]);
  });
}
