/** Finds out what was typed: a UUID is a transaction or a payment, digits a position, else an account or a reference. */
import { typedPosition } from '../numbers.js';
import { linkTo } from '../state/route.js';

/** Whether a text in small letters is the id of a transaction. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function linkOfSearch(typed: string): string {
  const text = typed.trim();
  const id = text.toLowerCase();
  if (isUuid(id)) return linkTo('transaction', id);
  const position = typedPosition(text);
  if (position !== undefined) return linkTo('events', '', { until: String(position) });
  if (text.startsWith('reference:')) return linkTo('transactions', '', { q: text });
  return linkTo('accounts', '', { q: `prefix:${text}` });
}
