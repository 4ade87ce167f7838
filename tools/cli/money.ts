/** Money as people write it, `25.00 EUR`, and as the contracts carry it: minor units in a bigint, never a float. */
import { currencyExponent } from '../../lib/base/currency.js';
import { UsageError } from '../../lib/process/command-line.js';

/** An amount in minor units. */
export interface Amount {
  readonly currency: string;
  readonly minorUnits: bigint;
}

/** How many decimal digits a currency has; undefined for what is none. */
export type ExponentOf = (currency: string) => number | undefined;

/** Up to 18 digits: the contracts take no more, and other forms of numbers are spelling mistakes. */
const NUMBER = /^(\d{1,18})(?:\.(\d+))?$/;
const CODE = /^[A-Z][A-Z0-9_.-]{1,15}$/;
const MOST = 10n ** 18n - 1n;

/** Whether a text may be a currency or an asset. */
export function isCurrencyCode(text: string): boolean {
  return CODE.test(text);
}

/** The currency that an amount of one word names itself. */
export function currencyIn(typed: string): string | undefined {
  return typed.trim().split(/\s+/)[1];
}

/**
 * Reads `25.00 EUR`, as one word or two. Never rounds: more digits than the currency has are an error.
 * @throws UsageError
 */
export function readMoney(
  typed: string,
  currencyTyped?: string,
  exponentOf: ExponentOf = currencyExponent,
): Amount {
  const [number = '', currency = currencyTyped, ...rest] = typed.trim().split(/\s+/);
  const isTwice = currencyTyped !== undefined && currency !== currencyTyped;
  if (currency === undefined || rest.length > 0 || isTwice)
    throw new UsageError(`${JSON.stringify(typed)} is no amount; write it as 25.00 EUR`);
  const exponent = isCurrencyCode(currency) ? exponentOf(currency) : undefined;
  if (exponent === undefined)
    throw new UsageError(
      `${JSON.stringify(currency)} is no currency, neither of ISO 4217 nor an asset of the ledger; write capitals such as EUR`,
    );
  const minorUnits = minorUnitsOf(number, exponent, currency);
  if (minorUnits > MOST)
    throw new UsageError(`${number} ${currency} is too much; at most ${decimalOf(MOST, exponent)}`);
  return { currency, minorUnits };
}

function minorUnitsOf(number: string, exponent: number, currency: string): bigint {
  const [, whole, decimals = ''] = NUMBER.exec(number) ?? [];
  if (whole === undefined)
    throw new UsageError(
      `${JSON.stringify(number)} is no amount; write digits, with a point before decimals, such as 1250.00`,
    );
  if (decimals.length > exponent)
    throw new UsageError(
      `${number} ${currency} has ${String(decimals.length)} decimal digits; ${currency} has ${String(exponent)}`,
    );
  return BigInt(whole + decimals.padEnd(exponent, '0'));
}

/** Minor units with the decimal point where the currency has it: `-0.05`. Sums of reports are texts beyond 64 bits. */
export function decimalOf(minorUnits: bigint | string, exponent: number): string {
  const units = BigInt(minorUnits);
  const sign = units < 0n ? '-' : '';
  const digits = String(units < 0n ? -units : units).padStart(exponent + 1, '0');
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}
