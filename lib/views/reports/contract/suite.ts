/** What every store of the reports view must do: the suite that the test of each adapter runs. */
import type { ViewGenerations } from '../../view.js';
import type { ReportsView } from '../view.js';
import { busyLedger, spread } from './busy-ledger.js';
import { STRIDE } from './applying.js';
import { answersAreExact, sumsAreWide } from './answers.js';
import { batchesAreJudged, generationsAreApart, writesAreIdempotent } from './writes.js';

/** Runs the suite. `fresh` gives generations in a store that holds nothing, migrated. */
export function reportsContract(fresh: () => Promise<ViewGenerations<ReportsView>>): void {
  const events = spread(busyLedger(11, 900).events, STRIDE);
  answersAreExact(events, fresh);
  sumsAreWide(events, fresh);
  writesAreIdempotent(events, fresh);
  batchesAreJudged(events.slice(0, 400), fresh);
  generationsAreApart(events, fresh);
}
