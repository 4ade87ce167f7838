/**
 * The canonical rows of the reports view, the same for all stores: `<ledger> <section> <rest>`, sections in this
 * order:
 *
 *     decline      <position>                                          each declined transaction
 *     entry        <position> <index>                                  each posted entry
 *     sum-decline  <recorded bucket> <currency> <reason>               sums by 15-minute buckets
 *     sum-entry    <recorded bucket> <effective bucket> <account> <kind>
 *     sum-volume   <recorded bucket> <effective bucket> <currency> <kind>
 *     volume       <position> <currency>                               what each posted transaction moved
 *
 * Positions are of 19 digits, indexes of 3, buckets (numbers of 15 minutes since 1970) of 10. A space sorts
 * before every character of an id, so keys sort as their parts do.
 */
import type { ViewRow } from '../view.js';

/** In order of their names by code units. */
export const SECTIONS = ['decline', 'entry', 'sum-decline', 'sum-entry', 'sum-volume', 'volume'] as const;
/** One kind of row. */
export type Section = (typeof SECTIONS)[number];

/** The parts of a key. @throws RangeError for what is no key of this view. */
export function keyParts(key: string): {
  readonly ledgerId: string;
  readonly section: Section;
  readonly rest: string;
} {
  const [ledgerId = '', name = '', ...rest] = key.split(' ');
  const section = SECTIONS.find((known) => known === name);
  if (section === undefined) throw new RangeError('not a key of the reports view');
  return { ledgerId, section, rest: rest.join(' ') };
}

/** A declined transaction. */
export function declineRow(row: {
  readonly ledgerId: string;
  readonly position: bigint;
  readonly recordedTime: bigint;
  readonly reason: number;
  readonly currency: string;
  readonly principal: bigint;
}): ViewRow {
  const { ledgerId, position, recordedTime, reason, currency, principal } = row;
  return {
    key: `${ledgerId} decline ${padded(position)}`,
    position,
    content: JSON.stringify([reason, currency, String(principal), String(recordedTime)]),
  };
}

/** A posted entry; its amount is below zero if it is a debit. */
export function entryRow(row: {
  readonly ledgerId: string;
  readonly position: bigint;
  readonly index: number;
  readonly accountId: string;
  readonly type: number;
  readonly currency: string;
  readonly kind: number;
  readonly amount: bigint;
  readonly effectiveTime: bigint;
  readonly recordedTime: bigint;
}): ViewRow {
  const { ledgerId, position, index, accountId, type, currency, kind, amount } = row;
  // A template takes half of what JSON.stringify of a list takes, and there are many entries.
  const account = `${JSON.stringify(accountId)},${type},${JSON.stringify(currency)}`;
  return {
    key: `${ledgerId} entry ${padded(position)} ${String(index).padStart(3, '0')}`,
    position,
    content: `[${account},${kind},"${amount}","${row.effectiveTime}","${row.recordedTime}"]`,
  };
}

/** What a posted transaction moved in one currency. */
export function volumeRow(row: {
  readonly ledgerId: string;
  readonly position: bigint;
  readonly currency: string;
  readonly kind: number;
  readonly principal: bigint;
  readonly effectiveTime: bigint;
  readonly recordedTime: bigint;
}): ViewRow {
  const { ledgerId, position, currency, kind, principal, effectiveTime, recordedTime } = row;
  return {
    key: `${ledgerId} volume ${padded(position)} ${currency}`,
    position,
    content: `[${kind},"${principal}","${effectiveTime}","${recordedTime}"]`,
  };
}

/**
 * A sum over a 15-minute bucket. Of entries the content is [count, account type, currency, debits, credits],
 * else [count, principal]; its position is that of the last event in the sum.
 */
export function sumRow(
  ledgerId: string,
  section: Section,
  rest: string,
  position: bigint,
  content: readonly (string | number | undefined)[],
): ViewRow {
  return { key: `${ledgerId} ${section} ${rest}`, position, content: JSON.stringify(content) };
}

function padded(position: bigint): string {
  return String(position).padStart(19, '0');
}
