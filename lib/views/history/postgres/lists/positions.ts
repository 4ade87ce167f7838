/** Positions as bounds of a list, and positions that stand for a time or for a transaction. */
import { INT64_MAX } from '../../../../base/bigints.js';
import type { TransactionListing } from '../../view.js';
import type { Filter } from './filter.js';

/** A condition on a column of positions. */
export type Bounds = (position: string) => string;

/**
 * What the positions of a list must be: at or before its end, beyond the page before, and in the range of
 * recorded_time, which rises with position. `orAt`: with the last position of the page before, where a page
 * may end within an event.
 */
export function positionBounds(
  schema: string,
  filter: Filter,
  ledger: string,
  listing: Pick<TransactionListing, 'through' | 'after' | 'descending' | 'recorded'>,
  orAt: '=' | '' = '',
): Bounds {
  const { through, after, descending, recorded } = listing;
  const bounds: [comparison: string, value: string][] = [];
  if (through !== null) bounds.push(['<=', filter.param(through)]);
  if (after !== null) bounds.push([`${descending ? '<' : '>'}${orAt}`, filter.param(after)]);
  if (recorded.from !== null) bounds.push(['>=', firstAt(schema, ledger, filter.param(recorded.from))]);
  if (recorded.to !== null) bounds.push(['<', firstAt(schema, ledger, filter.param(recorded.to))]);
  return (position) =>
    ['true', ...bounds.map(([comparison, value]) => `${position} ${comparison} ${value}`)].join(' and ');
}

/**
 * The position of the ledger's first transaction recorded at or after a time; beyond all positions if there
 * is none.
 */
export function firstAt(schema: string, ledger: string, time: string): string {
  return `coalesce((select x.position from ${schema}.transactions x
    where x.ledger_id = ${ledger} and x.recorded_time >= ${time} order by x.recorded_time limit 1),
    ${String(INT64_MAX)})`;
}

/** The position of a transaction; null if there is none. */
export function positionOf(schema: string, ledger: string, transactionId: string): string {
  return `(select x.position from ${schema}.transactions x
    where x.ledger_id = ${ledger} and x.transaction_id = ${transactionId}::uuid)`;
}
