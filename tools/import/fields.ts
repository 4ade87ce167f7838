/** Reads the values of a file: amounts, days, ids, texts. Each function throws FieldFault with a sentence. */
import { codeOf, currencyExponent, knownExponent } from '../../lib/base/currency.js';
import { FieldFault, quoted } from './problems.js';

/** How a file writes numbers. */
export interface NumberStyle {
  readonly decimal: '.' | ',';
  /** What may stand between groups of digits; empty: nothing. `space` also means its narrow and unbreakable forms. */
  readonly thousands: Thousands;
  /** The flags by which it can be said, for messages; empty where the format fixes it. */
  readonly flags: string;
}

export type Thousands = '' | '.' | ',' | "'" | 'space';

/** The largest amount of a command, and the largest overdraft limit. */
export const MAX_AMOUNT = 10n ** 18n - 1n;
const MAX_INT64 = 2n ** 63n - 1n;

const ACCOUNT_ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/;
const GROUPS: Readonly<Record<Thousands, RegExp | undefined>> = {
  '': undefined,
  '.': /\./g,
  ',': /,/g,
  "'": /['’]/g,
  space: /[ \u00a0\u2009\u202f]/g,
};

/** How many decimal digits the minor unit of a unit is. @throws FieldFault for a code that ISO 4217 does not list. */
export function exponentOf(currency: string): number {
  const exponent = digitsOf(currency);
  if (exponent === undefined)
    throw new FieldFault(`${quoted(currency)} is no currency of ISO 4217, such as EUR`);
  return exponent;
}

function digitsOf(unit: string): number | undefined {
  const code = codeOf(unit);
  return code === unit ? currencyExponent(code) : knownExponent(unit);
}

/** A signed whole number of minor units. */
export function minorUnits(text: string, name: string): bigint {
  const plain = unsigned(text);
  if (!/^\d{1,19}$/.test(plain.digits))
    throw new FieldFault(`${name} ${quoted(text)} is no whole number of minor units`);
  return bounded(plain.negative ? -BigInt(plain.digits) : BigInt(plain.digits), name);
}

/**
 * A signed number of major units with a decimal fraction, in minor units. The sign may stand before or after it, as
 * accountants write it; decimals beyond the currency's must be zeros.
 */
export function majorUnits(text: string, name: string, exponent: number, style: NumberStyle): bigint {
  const { digits, negative } = unsigned(text);
  const [whole = '', fraction = '', ...rest] = digits.split(style.decimal);
  const plain = ungrouped(whole, style.thousands);
  if (rest.length > 0 || plain === undefined || !/^\d{1,19}$/.test(plain) || !/^\d*$/.test(fraction))
    throw new FieldFault(`${name} ${quoted(text)} is no number ${styleInWords(style)}`);
  if (/[1-9]/.test(fraction.slice(exponent)))
    throw new FieldFault(
      `${name} ${quoted(text)} has more than ${exponent} decimals, which the currency has`,
    );
  const units = BigInt(plain + fraction.slice(0, exponent).padEnd(exponent, '0'));
  return bounded(negative ? -units : units, name);
}

function unsigned(text: string): { digits: string; negative: boolean } {
  const sign = /^([+\-\u2212]?)\s*(.*?)\s*(-?)$/s.exec(text.trim());
  const [, before = '', digits = '', after = ''] = sign ?? [];
  // A sign at both ends is none that can be trusted.
  if (before !== '' && after !== '') return { digits: '', negative: false };
  return { digits, negative: after === '-' || before === '-' || before === '\u2212' };
}

/** Without separators, which must stand between groups of three; undefined if they do not. */
function ungrouped(whole: string, thousands: Thousands): string | undefined {
  const separator = GROUPS[thousands];
  if (separator === undefined) return whole;
  const groups = whole.split(separator);
  const [first = '', ...others] = groups;
  if (others.length > 0 && (first === '' || first.length > 3 || others.some(({ length }) => length !== 3)))
    return undefined;
  return groups.join('');
}

function styleInWords({ decimal, thousands, flags }: NumberStyle): string {
  const example = decimal === ',' ? '1234,50' : '1234.50';
  if (flags === '') return `such as ${example}`;
  const groups = thousands === '' ? 'nothing' : thousands === 'space' ? 'spaces' : `"${thousands}"`;
  return `such as ${example} with ${groups} between thousands${flags}`;
}

function bounded(units: bigint, name: string): bigint {
  if (units > MAX_INT64 || units < -MAX_INT64)
    throw new FieldFault(`${name} is beyond ${String(MAX_INT64)} minor units`);
  return units;
}

/** An amount that a command can move, or zero. */
export function commandAmount(units: bigint, name: string): bigint {
  if (units > MAX_AMOUNT || units < -MAX_AMOUNT)
    throw new FieldFault(`${name} is beyond ${String(MAX_AMOUNT)} minor units`);
  return units;
}

/** Minor units for people: 900.05 CZK. */
export function moneyText(units: bigint, currency: string): string {
  const exponent = digitsOf(currency) ?? 0;
  const digits = String(units < 0n ? -units : units).padStart(exponent + 1, '0');
  const cut = digits.length - exponent;
  const fraction = exponent === 0 ? '' : `.${digits.slice(cut)}`;
  return `${units < 0n ? '-' : ''}${digits.slice(0, cut)}${fraction} ${codeOf(currency)}`;
}

/** Reads days of one format into UTC microseconds at 00:00. */
export type DayReader = (text: string, name: string) => bigint;

const DATE_PARTS: Readonly<Record<string, string>> = {
  YYYY: '(?<year>\\d{4})',
  YY: '(?<year>\\d{2})',
  MM: '(?<month>\\d{2})',
  M: '(?<month>\\d{1,2})',
  DD: '(?<day>\\d{2})',
  D: '(?<day>\\d{1,2})',
  HH: '\\d{2}',
  mm: '\\d{2}',
  ss: '\\d{2}(?:[.,]\\d+)?',
};

/**
 * A reader of a format such as DD.MM.YYYY, of YYYY or YY (20YY), MM or M, DD or D, and HH, mm, ss, which are read over.
 * @returns undefined if the format lacks a part or has one twice.
 */
export function dayReader(format: string): DayReader | undefined {
  const pattern = format.replace(/YYYY|YY|MM|M|DD|D|HH|mm|ss|[^A-Za-z0-9]|./gs, (part) => {
    return DATE_PARTS[part] ?? part.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  });
  const names = ['year', 'month', 'day'];
  if (names.some((name) => pattern.split(`?<${name}>`).length !== 2)) return undefined;
  const matcher = new RegExp(`^${pattern}$`);
  return (text, name) => {
    const { year = '', month = '', day = '' } = matcher.exec(text)?.groups ?? {};
    const full = year.length === 2 ? `20${year}` : year;
    return (
      dayOf(full, month, day) ?? fault(`${name} ${quoted(text)} is no day such as ${format} (--date-format)`)
    );
  };
}

function fault(message: string): never {
  throw new FieldFault(message);
}

/** UTC microseconds of a day at 00:00; undefined for a day that the calendar does not have. */
export function dayOf(year: string, month: string, day: string): bigint | undefined {
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const time_ms = /^\d{4}-\d{2}-\d{2}$/.test(iso) ? Date.parse(`${iso}T00:00:00Z`) : Number.NaN;
  // Date.parse takes 31 February for 3 March.
  if (Number.isNaN(time_ms) || new Date(time_ms).toISOString().slice(0, 10) !== iso) return undefined;
  return BigInt(time_ms) * 1000n;
}

/** A day that the ledger takes: not before 1970, not in the future. */
export function effectiveDay(day: bigint, now: bigint, name: string): bigint {
  if (day < 0n) throw new FieldFault(`${name} ${isoDay(day)} is before 1970`);
  if (day > now) throw new FieldFault(`${name} ${isoDay(day)} is in the future`);
  return day;
}

/** YYYY-MM-DD of UTC microseconds. */
export function isoDay(day: bigint): string {
  return new Date(Number(day / 1000n)).toISOString().slice(0, 10);
}

/** An id that an account can have. */
export function accountIdOf(text: string, name: string): string {
  if (!ACCOUNT_ID.test(text))
    throw new FieldFault(
      `${name} ${quoted(text)} is no account id: letters, digits and _.:- , at most 128 characters ("accounts" of a mapping file renames it)`,
    );
  return text;
}

/** A text of at most so many characters. */
export function textWithin(text: string, name: string, characters: number): string {
  if (text.length <= characters) return text;
  const length = Array.from(text).length;
  if (length > characters)
    throw new FieldFault(`${name} has ${length} characters; at most ${characters} are kept`);
  return text;
}
