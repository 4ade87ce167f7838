/** What every store of the balances view must do: the suite that the test of each adapter runs. */
import { expect, test } from '@jest/globals';
import { UnknownEventError, type ViewGenerations } from '../../view.js';
import type { BalancesView } from '../view.js';
import { readsAreExact } from './reads.js';
import { batchesAreJudged, writesAreIdempotent } from './writes.js';
import { allRows, busyLedger, expectedRows, withoutPayload, withUnknownStatus } from './naive-balances.js';

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
