/** What every store of the history view must do: the suite that the test of each adapter runs. */
import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import { parkingContract, servingView } from '../../parked/contract/suite.js';
import type { ViewGenerations } from '../../view.js';
import type { HistoryView } from '../view.js';
import type { FreshView } from './reading.js';
import { theLogsAreRich } from './logs.js';
import { balancesBeforeTheFirstEntry, readsOfOneThing } from './one-thing.js';
import { readsOfLists } from './lists.js';
import { readsOfStatements } from './statements.js';
import { readsWhileEventsComeIn } from './moving.js';
import { whatIsNotApplied, writesAreIdempotent } from './writes.js';
import { generationsOf, rowsForComparison } from './generations.js';

/** A store that holds nothing yet. */
export interface HistoryStore {
  readonly generations: ViewGenerations<HistoryView>;
  close(): Promise<void>;
}

/**
 * Runs the suite for one kind of store. `make` gives a store that nothing was written to, not even its
 * schema.
 */
export function historyContract(name: string, make: () => Promise<HistoryStore>): void {
  describe(`the history view in ${name}`, () => {
    let store: HistoryStore | undefined;
    const theStore = () => {
      if (store === undefined) throw new Error('the store is not open');
      return store;
    };
    beforeAll(async () => {
      store = await make();
      await Promise.all([store.generations.migrate(), store.generations.migrate()]);
    });
    // A server takes the longer for each of them the more there are, and for all of them at once longer than a test may take.
    afterEach(() => dropAllButTheServing(theStore().generations));
    afterAll(() => store?.close());
    const freshView: FreshView = () => theStore().generations.create();

    theLogsAreRich();
    readsOfOneThing(freshView);
    balancesBeforeTheFirstEntry(freshView);
    readsOfLists(freshView);
    readsOfStatements(freshView);
    readsWhileEventsComeIn(freshView);
    writesAreIdempotent(freshView);
    whatIsNotApplied(freshView);
    generationsOf(() => theStore().generations);
    rowsForComparison(freshView);
    parkingContract(async () => {
      const { generations } = theStore();
      const view = await generations.create();
      await generations.switchTo(view.generation);
      return servingView(generations);
    });
  });
}

async function dropAllButTheServing(generations: ViewGenerations<HistoryView>): Promise<void> {
  const { generation: serving } = await generations.current();
  for (const generation of await generations.list()) {
    if (generation !== serving) await generations.drop(generation);
  }
}
