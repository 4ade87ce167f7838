/** From what was typed to the message of the contract, as JSON. */
import type { JsonObject } from '@bufbuild/protobuf';
import { currencyExponent } from '../../../../lib/base/currency.js';
import { typedAmount } from '../money.js';
import type { Action, ActionField } from './catalogue.js';

const UNKNOWN = 'is no currency, and no asset of this ledger';

/** By field name; the currency of a money field stands under `<name>.currency`, a check is `true` or empty. */
export type FormValues = Readonly<Record<string, string>>;

/** The decimal digits of a currency or of an asset of the ledger; undefined for a code that is neither. */
export type ExponentOf = (code: string) => number | undefined;

export interface FormResult {
  readonly json: JsonObject;
  /** What is wrong, by field. */
  readonly problems: Readonly<Record<string, string>>;
}

/** The message without ledger and request id, or what is wrong with the fields. */
export function requestJson(
  { fields }: Action,
  values: FormValues,
  exponentOf: ExponentOf = currencyExponent,
): FormResult {
  const json: JsonObject = {};
  const problems: Record<string, string> = {};
  for (const field of fields) {
    if (isReplaced(field, values)) continue;
    const text = (values[field.name] ?? '').trim();
    if (text === '') {
      if (field.isRequired === true) problems[field.name] = 'is needed';
      continue;
    }
    const problem = put(json, field, { text, values, exponentOf });
    if (problem !== undefined) problems[field.name] = problem;
  }
  return { json, problems };
}

/** Whether a check that takes its place is set. */
export function isReplaced({ unless }: ActionField, values: FormValues): boolean {
  return unless !== undefined && values[unless] === 'true';
}

/** Sets the field; what is wrong with it, otherwise. */
function put(
  json: JsonObject,
  { name, kind }: ActionField,
  { text, values, exponentOf }: Typed,
): string | undefined {
  switch (kind) {
    case 'money':
    case 'minor units': {
      const currency = currencyOf(kind === 'money' ? values[`${name}.currency`] : values['currency']);
      const exponent = exponentOf(currency);
      if (exponent === undefined) return `${currency === '' ? 'no currency' : currency} ${UNKNOWN}`;
      const amount = typedAmount(text, exponent, kind === 'money' ? 1n : 0n);
      if (!amount.ok) return amount.why;
      const minorUnits = String(amount.minorUnits);
      json[name] = kind === 'money' ? { currency, minorUnits } : minorUnits;
      return undefined;
    }
    case 'currency':
      json[name] = currencyOf(text);
      return exponentOf(currencyOf(text)) === undefined ? UNKNOWN : undefined;
    case 'check':
      json[name] = true;
      return undefined;
    default:
      json[name] = text;
      return undefined;
  }
}

interface Typed {
  readonly text: string;
  readonly values: FormValues;
  readonly exponentOf: ExponentOf;
}

function currencyOf(text: string | undefined): string {
  return (text ?? '').trim().toUpperCase();
}
