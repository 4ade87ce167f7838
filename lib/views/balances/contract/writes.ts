/** Batches: applied once, in whatever pieces they come, or not at all. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BusBatch } from '../../../log/bus.js';
import type { ViewGenerations } from '../../view.js';
import { LostEventsError, MissedEventsError } from '../../view-errors.js';
import type { BalancesView } from '../view.js';
import { allRows, busyLedger, expectedRows } from './naive-balances.js';

export function writesAreIdempotent(freshView: () => Promise<BalancesView>): void {
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

export function batchesAreJudged(fresh: () => Promise<ViewGenerations<BalancesView>>): void {
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
