/** Generations beside each other, and rows for their comparison. */
import { expect, test } from '@jest/globals';
import type { ViewGenerations } from '../../view.js';
import { GenerationGoneError } from '../../view-errors.js';
import type { HistoryView } from '../view.js';
import { naive, scenario } from './logs.js';
import { allRows, type FreshView } from './reading.js';
import { transactionListing } from './listings.js';
import { LEDGERS } from './scenario.js';

export function generationsOf(generations: () => ViewGenerations<HistoryView>): void {
  test('generations fill beside each other; readers see the one that serves, and learn when theirs is gone', async () => {
    const all = generations();
    const fixture = scenario(20, 40);
    const first = await all.current();
    await first.apply(fixture.batch(0n, 20n));
    const second = await all.create();
    expect((await all.current()).generation).toBe(first.generation);
    expect(await allRows(second)).toEqual([]);
    await second.apply(fixture.batch());
    expect(await first.checkpoint(0)).toMatchObject({ position: 20n });
    await expect(all.drop(first.generation)).rejects.toThrow();
    await expect(all.switchTo(second.generation + 1000)).rejects.toThrow();
    await all.switchTo(second.generation);
    expect((await all.current()).generation).toBe(second.generation);
    expect(await all.list()).toEqual(expect.arrayContaining([first.generation, second.generation]));
    await first.account(0, 'main', 'alice');
    await all.drop(first.generation);
    expect(await all.list()).not.toContain(first.generation);
    await expect(first.account(0, 'main', 'alice')).rejects.toThrow(GenerationGoneError);
    await expect(first.transactions(transactionListing('main'))).rejects.toThrow(GenerationGoneError);
    await expect(first.checkpoint(0)).rejects.toThrow(GenerationGoneError);
    await expect(first.apply(fixture.batch())).rejects.toThrow(GenerationGoneError);
    const third = await all.create();
    expect(third.generation).toBeGreaterThan(second.generation);
    expect(await allRows(await all.current())).toEqual(naive(fixture.events).rows());
    await all.migrate();
    expect((await all.current()).generation).toBe(second.generation);
  });
}

export function rowsForComparison(freshView: FreshView): void {
  test('rows come in order of their keys in pages of any size, of one ledger or of all', async () => {
    const view = await freshView();
    const fixture = scenario(21, 60);
    await view.apply(fixture.batch());
    const expected = naive(fixture.events).rows();
    for (const limit of [1, 7, 1000]) expect(await allRows(view, null, limit)).toEqual(expected);
    for (const ledgerId of LEDGERS) {
      const own = expected.filter(({ key }) => key.split(' ')[1] === ledgerId);
      expect(await allRows(view, ledgerId, 13)).toEqual(own);
    }
    expect(await allRows(view, 'mai', 13)).toEqual([]);
  });
}
