/** All rows that a view gives of a ledger in any order, sorted by key. */
import type { View, ViewRow } from '../lib/views/view.js';

/** @throws Error if the view cannot scan */
export async function scannedRows(view: View, ledgerId: string): Promise<ViewRow[]> {
  if (view.scan === undefined) throw new Error(`the ${view.id} view has no scan`);
  const rows: ViewRow[] = [];
  await view.scan(ledgerId, (piece) => {
    rows.push(...piece);
    return Promise.resolve();
  });
  return rows.sort((one, other) => (one.key < other.key ? -1 : 1));
}
