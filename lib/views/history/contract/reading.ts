/** How the suite reads a view to the end, and compares what it reads. */
import { expect } from '@jest/globals';
import { create, type DescMessage, type MessageShape, toJson } from '@bufbuild/protobuf';
import { EntrySchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import type { ViewRow } from '../../view.js';
import type { EntryRow, HistoryView } from '../view.js';

export type FreshView = () => Promise<HistoryView>;

export async function allRows(
  view: HistoryView,
  ledgerId: string | null = null,
  limit = 500,
): Promise<ViewRow[]> {
  const all: ViewRow[] = [];
  for (;;) {
    const page = await view.rows({ ledgerId, afterKey: all.at(-1)?.key ?? null, limit });
    all.push(...page);
    if (page.length < limit) return all;
  }
}

export async function pages<T, K>(
  read: (after: K | null) => Promise<readonly T[]>,
  keyOf: (last: T) => K,
): Promise<T[]> {
  const all: T[] = [];
  let after: K | null = null;
  for (;;) {
    const page: readonly T[] = await read(after);
    const last = page.at(-1);
    if (last === undefined) return all;
    all.push(...page);
    after = keyOf(last);
  }
}

export function plain(row: EntryRow) {
  return { ...row, entry: toJson(EntrySchema, row.entry) };
}

/** Messages are equal if they say the same; what they are made of may differ. */
export function expectMessage<D extends DescMessage>(
  schema: D,
  actual: { readonly value: MessageShape<D> | undefined; readonly asOf?: unknown },
  expected: { readonly value: MessageShape<D> | undefined; readonly asOf?: unknown },
): void {
  const text = ({ value, asOf }: typeof actual) => ({
    value: value === undefined ? undefined : toJson(schema, create(schema, value)),
    asOf,
  });
  expect(text(actual)).toEqual(text(expected));
}
