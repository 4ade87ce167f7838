/** How the suite fills a view, and reads all its rows. */
import type { RecordedEvent } from '../../../log/recorded-event.js';
import type { ViewRow } from '../../view.js';
import type { ReportsView } from '../view.js';
import { batchOf } from './busy-ledger.js';

export const MINUTE = 60_000_000n;

/** Wide enough that a few hundred events fall into several runs of 65,536 or 100,000 positions. */
export const STRIDE = 997n;

/** Applies events in batches of random sizes, if asked some of them again, and in overlaps. */
export async function applyCut(
  view: ReportsView,
  events: readonly RecordedEvent[],
  random: (below: number) => number,
  again = false,
): Promise<void> {
  for (let at = 0; at < events.length;) {
    const size = 1 + random(60);
    const batch = events.slice(Math.max(0, at - (again ? random(20) : 0)), at + size);
    await view.apply(batchOf(batch));
    if (again && random(5) === 0) await view.apply(batchOf(batch));
    at += size;
  }
}

export async function allRows(
  view: ReportsView,
  limit = 1_000,
  ledgerId: string | null = null,
): Promise<ViewRow[]> {
  const rows: ViewRow[] = [];
  for (;;) {
    const page = await view.rows({ ledgerId, afterKey: rows.at(-1)?.key ?? null, limit });
    rows.push(...page);
    if (page.length < limit) return rows;
  }
}
