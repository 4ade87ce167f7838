/** From what was typed to the message of the contract, as JSON. */
import type { JsonObject } from '@bufbuild/protobuf';
import { currencyExponent } from '../../../../lib/base/currency.js';
import { typedAmount } from '../money.js';
import type { Action, ActionField } from './catalogue.js';

/** By field name; the currency of a money field stands under `<name>.currency`, a check is `true` or empty. */
export type FormValues = Readonly<Record<string, string>>;

export interface FormResult {
  readonly json: JsonObject;
  /** What is wrong, by field. */
  readonly problems: Readonly<Record<string, string>>;
}

/** The message without ledger and request id, or what is wrong with the fields. */
export function requestJson({ fields }: Action, values: FormValues): FormResult {
  const json: JsonObject = {};
  const problems: Record<string, string> = {};
  for (const field of fields) {
    const text = (values[field.name] ?? '').trim();
    if (text === '') {
      if (field.isRequired === true) problems[field.name] = 'is needed';
      continue;
    }
    const problem = put(json, field, text, values);
    if (problem !== undefined) problems[field.name] = problem;
  }
  return { json, problems };
}

/** Sets the field; what is wrong with it, otherwise. */
function put(
  json: JsonObject,
  { name, kind }: ActionField,
  text: string,
  values: FormValues,
): string | undefined {
  switch (kind) {
    case 'money':
    case 'minor units': {
      const currency = currencyOf(kind === 'money' ? values[`${name}.currency`] : values['currency']);
      const exponent = currencyExponent(currency);
      if (exponent === undefined)
        return `${currency === '' ? 'no currency' : currency} is no currency of ISO 4217`;
      const amount = typedAmount(text, exponent, kind === 'money' ? 1n : 0n);
      if (!amount.ok) return amount.why;
      const minorUnits = String(amount.minorUnits);
      json[name] = kind === 'money' ? { currency, minorUnits } : minorUnits;
      return undefined;
    }
    case 'currency':
      json[name] = currencyOf(text);
      return currencyExponent(currencyOf(text)) === undefined ? 'is no currency of ISO 4217' : undefined;
    case 'check':
      json[name] = true;
      return undefined;
    default:
      json[name] = text;
      return undefined;
  }
}

function currencyOf(text: string | undefined): string {
  return (text ?? '').trim().toUpperCase();
}
