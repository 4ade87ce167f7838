/** From what was typed to the message of the contract, as JSON. */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
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

/**
 * The message without ledger and request id, or what is wrong with the fields.
 *
 * @param before what the fields of an update had: those that still have it are not sent
 */
export function requestJson(
  { fields, masked }: Action,
  values: FormValues,
  exponentOf: ExponentOf = currencyExponent,
  before: FormValues = {},
): FormResult {
  const json: JsonObject = {};
  const problems: Record<string, string> = {};
  const changed = new Set(
    fields.filter(({ name }) => textOf(values, name) !== textOf(before, name)).map(({ name }) => topOf(name)),
  );
  for (const field of fields) {
    if (isReplaced(field, values) || field.isLocal === true) continue;
    if (masked?.includes(topOf(field.name)) === true && !changed.has(topOf(field.name))) continue;
    const text = textOf(values, field.name);
    if (text === '') {
      if (field.isRequired === true) problems[field.name] = 'is needed';
      continue;
    }
    const problem = put(json, field, { text, values, exponentOf });
    if (problem !== undefined) problems[field.name] = problem;
  }
  if (masked === undefined) return { json, problems };
  const paths = masked.filter((name) => changed.has(name));
  if (paths.length === 0) problems[masked[0] ?? ''] = 'nothing is changed';
  return { json: { ...json, updateMask: paths.join(',') }, problems };
}

/** Whether a check that takes its place is set. */
export function isReplaced({ unless }: ActionField, values: FormValues): boolean {
  return unless !== undefined && values[unless] === 'true';
}

function textOf(values: FormValues, name: string): string {
  return (values[name] ?? '').trim();
}

/** The field of the message itself. */
function topOf(name: string): string {
  return name.split('.')[0] ?? name;
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
      set(json, name, kind === 'money' ? { currency, minorUnits } : minorUnits);
      return undefined;
    }
    case 'currency':
      set(json, name, currencyOf(text));
      return exponentOf(currencyOf(text)) === undefined ? UNKNOWN : undefined;
    case 'check':
      set(json, name, true);
      return undefined;
    case 'count':
      set(json, name, text);
      return /^\d{1,10}$/.test(text) ? undefined : 'a whole number';
    case 'end': {
      const end = endOf(text);
      set(json, name, end ?? '');
      return end === undefined
        ? 'a day such as 2026-10-31, or a time such as 2026-10-31T23:59:59+01:00'
        : undefined;
    }
    default:
      set(json, name, text);
      return undefined;
  }
}

interface Typed {
  readonly text: string;
  readonly values: FormValues;
  readonly exponentOf: ExponentOf;
}

/** `limits.day.amount` is the amount of the day of the limits. */
function set(json: JsonObject, name: string, value: JsonValue): void {
  const [first = '', ...rest] = name.split('.');
  if (rest.length === 0) {
    json[first] = value;
    return;
  }
  const present = json[first];
  const inner: JsonObject =
    typeof present === 'object' && present !== null && !Array.isArray(present) ? present : {};
  set(inner, rest.join('.'), value);
  json[first] = inner;
}

/** The last microsecond of a day in UTC, or a time as it was typed. */
function endOf(text: string): string | undefined {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  if ((!isDay && !isTime) || Number.isNaN(Date.parse(text))) return undefined;
  if (isDay) return `${text}T23:59:59.999999Z`;
  // The contract's times have seconds.
  return text.replace(/(T\d\d:\d\d)(Z|[+-])/, '$1:00$2');
}

function currencyOf(text: string | undefined): string {
  return (text ?? '').trim().toUpperCase();
}
