/** What every read method is given, and how it reads from the generation of a view that serves. */
import type { LogReader } from '../../lib/log/reader.js';
import type { Freshness } from './consistency.js';
import type { CurrentBalances } from './current-balances.js';
import { isGenerationGone, type ReadableView, type ViewGetter } from './serving-view.js';
import type { WholeHistory, WholeReports } from './whole-views.js';

/** What the read methods share. */
export interface QueryContext {
  readonly log: LogReader;
  /** The partition that a ledger lives in, as the bus has it. */
  partitionOf(ledgerId: string): number;
  readonly balances: ViewGetter<CurrentBalances>;
  readonly history: ViewGetter<WholeHistory>;
  readonly reports: ViewGetter<WholeReports>;
  readonly freshness: Freshness;
  /** How often a watch without news sends its as_of. */
  readonly heartbeat_ms: number;
}

/** How often, if the composition does not say: what the contracts promise. */
export const DEFAULT_HEARTBEAT_MS = 5_000;

/**
 * Reads from the serving generation. If that was dropped since its pointer was read, reads the pointer again
 * and tries once more, so a rebuild is never seen by a caller. `read` may run twice: it must only read.
 */
export async function readView<V extends ReadableView, T>(
  getter: ViewGetter<V>,
  read: (view: V) => Promise<T>,
): Promise<T> {
  const view = await getter();
  try {
    return await read(view);
  } catch (error) {
    if (!isGenerationGone(error)) throw error;
    const next = await getter.refresh();
    if (next.generation === view.generation) throw error;
    return await read(next);
  }
}
