/** Batches: applied once, in whatever pieces they come, or not at all. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clone } from '@bufbuild/protobuf';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import type { BusBatch } from '../../../log/bus.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { emptyCheckpoint, UnknownEventError } from '../../view.js';
import { LostEventsError } from '../../view-errors.js';
import { allRows, type FreshView } from './reading.js';
import { aliens, naive, scenario } from './logs.js';

export function writesAreIdempotent(freshView: FreshView): void {
  test('batches cut anywhere, repeated and overlapping, leave equal rows', async () => {
    const fixture = scenario(14, 80);
    const expected = naive(fixture.events).rows();
    const last = fixture.events.length - 1;
    const cuts = fc.array(fc.tuple(fc.nat(last), fc.nat(20)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (pairs) => {
        const view = await freshView();
        const ends = [...pairs.map(([end]) => end), last].sort((a, b) => a - b);
        for (const [index, end] of ends.entries()) {
          const overlap = pairs[index]?.[1] ?? 0;
          const start = Math.max(0, (ends[index - 1] ?? -1) + 1 - overlap);
          await view.apply(fixture.batch(BigInt(Math.min(start, end)), BigInt(end)));
          if (overlap % 3 === 0) await view.apply(fixture.batch(BigInt(Math.min(start, end)), BigInt(end)));
        }
        expect(await allRows(view)).toEqual(expected);
      }),
      { numRuns: 15, seed: 14 },
    );
  });

  test('appliers that race with the same batches apply each event once', async () => {
    const view = await freshView();
    const fixture = scenario(15, 100);
    const applyAll = async (step: bigint) => {
      for (let from = 0n; from < fixture.events.length; from += step)
        await view.apply(fixture.batch(from, from + step - 1n));
    };
    await Promise.all([applyAll(7n), applyAll(7n), applyAll(7n)]);
    expect(await allRows(view)).toEqual(naive(fixture.events).rows());
  });

  test('partitions move their checkpoints by themselves', async () => {
    const view = await freshView();
    const fixture = scenario(16, 40);
    const of = (partition: number): BusBatch => {
      const batch = fixture.batch();
      const isHere = ({ event }: RecordedEvent) =>
        event.ledgerId === '' || (event.ledgerId === 'main') === (partition === 0);
      return { ...batch, partition, events: batch.events.filter(isHere) };
    };
    await view.apply(of(0));
    expect(await view.checkpoint(1)).toEqual(emptyCheckpoint(1));
    expect((await view.account(0, 'main', 'alice')).value).toBeDefined();
    expect((await view.account(1, 'main-B', 'alice')).value).toBeUndefined();
    await view.apply(of(1));
    expect(await allRows(view)).toEqual(naive(fixture.events).rows());
    const ledgers = { partition: 1, through: null, limit: 10, idPrefix: '', after: null };
    expect((await view.ledgers(ledgers)).value.map(({ ledgerId }) => ledgerId)).toEqual(['main-B', 'main.a']);
  });

  test('the checkpoint moves by a watermark alone, and never back', async () => {
    const view = await freshView();
    const fixture = scenario(17, 10);
    await view.apply(fixture.batch(0n, 0n));
    await view.apply({ partition: 0, events: [], offset: 7n, watermark: fixture.point(5n) });
    const moved = { partition: 0, offset: 7n, ...fixture.point(5n) };
    expect(await view.checkpoint(0)).toEqual(moved);
    await view.apply({ partition: 0, events: [], offset: 3n, watermark: fixture.point(4n) });
    expect(await view.checkpoint(0)).toEqual(moved);
    expect(await allRows(view)).toEqual([]);
  });
}

export function whatIsNotApplied(freshView: FreshView): void {
  test('an unknown event stops the view and moves neither data nor checkpoint', async () => {
    const view = await freshView();
    const fixture = scenario(18, 60);
    const batch = fixture.batch();
    const last = batch.events.findLast(({ event }) => event.payload.case === 'transactionPosted');
    if (last === undefined) throw new Error('nothing was posted');
    await view.apply(fixture.batch(0n, last.position - 5n));
    const before = [await allRows(view), await view.checkpoint(0)];
    const upTo = batch.events.filter(({ position }) => position < last.position);
    for (const alien of aliens(last)) {
      await expect(view.apply({ ...batch, events: [...upTo, alien] })).rejects.toThrow(UnknownEventError);
      expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
    }
    const [ignorable] = aliens(last);
    if (ignorable === undefined) throw new Error('no alien');
    ignorable.event.ignorable = true;
    const watermark = fixture.point(last.position);
    await view.apply({ ...batch, events: [...upTo, ignorable], offset: last.position, watermark });
    expect(await allRows(view)).toEqual(naive(fixture.events, last.position - 1n).rows());
    expect(await view.checkpoint(0)).toMatchObject({ position: last.position });
  });

  test('a later epoch that begins where the view has been fails, what an ended epoch sent late is passed over', async () => {
    const view = await freshView();
    const fixture = scenario(19, 30);
    const batch = fixture.batch();
    const fork = 40n;
    await view.apply(fixture.batch(0n, fork));
    const inEpoch = (recorded: RecordedEvent, epoch: number): RecordedEvent => {
      const event = clone(EventSchema, recorded.event);
      event.epoch = epoch;
      return { ...recorded, event };
    };
    const later = (from: bigint): BusBatch => ({
      ...batch,
      events: fixture.batch(from).events.map((recorded) => inEpoch(recorded, 1)),
      watermark: { ...batch.watermark, epoch: 1 },
    });
    await expect(view.apply(later(fork))).rejects.toThrow(LostEventsError);
    expect(await view.checkpoint(0)).toMatchObject({ epoch: 0, position: fork });
    await view.apply({
      partition: 0,
      events: [],
      offset: fork + 1n,
      watermark: { ...fixture.point(fork + 1n), epoch: 1 },
    });
    const rows = await allRows(view);
    await view.apply(fixture.batch(fork + 2n));
    expect(await allRows(view)).toEqual(rows);
    expect(await view.checkpoint(0)).toMatchObject({ epoch: 1, position: fork + 1n });
  });
}
