/** Positions as bounds of a list, and the position of a transaction. */
import type { TransactionListing } from '../../view.js';
import { firstAt } from '../sql/keys.sql.js';
import type { Filter } from './filter.js';

/** A condition on a column of positions. */
export type Bounds = (position: string) => string;

/**
 * What the positions of a list must be: at or before its end, beyond the page before, and in the range of
 * recorded_time, which rises with position. `orAt`: with the last position of the page before, where a page
 * may end within an event. `ledger` is the key.
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
  bounds.push(...timeBounds(schema, filter, ledger, recorded));
  return conditionsOn(bounds);
}

/** A range of recorded_time as a range of the positions of a ledger's transactions. */
export function recordedIn(
  schema: string,
  filter: Filter,
  ledger: string,
  range: TransactionListing['recorded'],
): Bounds {
  return conditionsOn(timeBounds(schema, filter, ledger, range));
}

function timeBounds(
  schema: string,
  filter: Filter,
  ledger: string,
  { from, to }: TransactionListing['recorded'],
): [comparison: string, value: string][] {
  const bounds: [comparison: string, value: string][] = [];
  if (from !== null) bounds.push(['>=', firstAt(schema, ledger, `${filter.param(from)}::bigint`)]);
  if (to !== null) bounds.push(['<', firstAt(schema, ledger, `${filter.param(to)}::bigint`)]);
  return bounds;
}

function conditionsOn(bounds: readonly (readonly [comparison: string, value: string])[]): Bounds {
  return (position) =>
    ['true', ...bounds.map(([comparison, value]) => `${position} ${comparison} ${value}`)].join(' and ');
}

/** The position of a transaction; null if there is none. */
export function positionOf(schema: string, ledger: string, transactionId: string): string {
  return `(select x.position from ${schema}.transactions x
    where x.transaction_id = ${transactionId}::uuid and x.ledger = ${ledger})`;
}
