/** What every reader of a format works with. */
import { codeOf } from '../../lib/base/currency.js';
import { accountIdOf, textWithin } from './fields.js';
import { FieldFault, type Problems, quoted } from './problems.js';
import type { ReadSettings } from './settings.js';
import type { Source } from './source.js';

/** One pass over one file. */
export interface ReadContext {
  readonly source: Source;
  readonly encoding: string;
  readonly settings: ReadSettings;
  /** UTC microseconds; no row may be dated after it. */
  readonly now: bigint;
  /** Takes what cannot be read. */
  readonly problems: Problems;
}

/** The most characters that a value of metadata and a description may have. */
export const MAX_TEXT = 500;
/** The most characters that a reference may have; a movement's id becomes one. */
export const MAX_REFERENCE = 128;

/** The account's id in the ledger: the one that the operator gave, or the file's. @throws FieldFault */
export function ledgerAccount({ account, accounts }: ReadSettings, text: string, name: string): string {
  if (account !== undefined) return account;
  return accounts.get(text) ?? accountIdOf(text, name);
}

/** The unit of a row. @throws FieldFault if the row and the operator disagree, or none says it. */
export function rowCurrency({ currency: unit }: ReadSettings, text: string): string {
  if (unit === undefined) {
    if (text === '') throw new FieldFault('no currency is printed; give it with --currency');
    return text;
  }
  const currency = codeOf(unit);
  if (text !== '' && text !== currency)
    throw new FieldFault(`the currency ${quoted(text)} is not ${currency}, which --currency names`);
  return unit;
}

/** The counterparty as far as it is kept. @throws FieldFault if it is too long. */
export function keptCounterparty({ withCounterparty }: ReadSettings, text: string): string {
  return withCounterparty ? textWithin(text, 'counterparty', MAX_TEXT) : text;
}

/** A description as far as it is kept. @throws FieldFault if it is too long. */
export function keptDescription({ withDescription }: ReadSettings, text: string): string {
  return withDescription ? textWithin(text, 'description', MAX_TEXT) : text;
}

/** The first characters of a text that a bank's format may make longer than the ledger keeps. */
export function cutTo(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const all = Array.from(text);
  return all.length <= characters ? text : `${all.slice(0, characters - 1).join('')}…`;
}
