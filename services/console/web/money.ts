/** Money as people read and type it, from and to whole minor units. Nothing here is a floating-point number. */

/** What a contract allows for one amount. */
const AMOUNT_MAX = 10n ** 18n - 1n;
const MINUS = '\u2212';

/** An amount that was typed, or why it is none. */
export type TypedAmount =
  { readonly ok: true; readonly minorUnits: bigint } | { readonly ok: false; readonly why: string };

/** `-123456` with 2 digits is `−1,234.56`. Sums of reports come as decimal texts, for they may exceed 64 bits. */
export function moneyText(minorUnits: bigint | string, exponent: number): string {
  const { isNegative, whole, fraction } = parts(BigInt(minorUnits), exponent);
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return `${isNegative ? MINUS : ''}${grouped}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The same without grouping and with a plain hyphen: for files and for fields. */
export function plainMoney(minorUnits: bigint | string, exponent: number): string {
  const { isNegative, whole, fraction } = parts(BigInt(minorUnits), exponent);
  return `${isNegative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Reads `25`, `25.5` or `25.00`, with no more digits than the currency has. */
export function typedAmount(text: string, exponent: number, least = 1n): TypedAmount {
  const match = /^(\d{1,19})(?:\.(\d+))?$/.exec(text.trim());
  if (match === null) return { ok: false, why: 'digits, with a point before the fraction: 1234.50' };
  const [, whole = '', fraction = ''] = match;
  if (fraction.length > exponent) {
    const digits = exponent === 0 ? 'no digits' : `at most ${String(exponent)} digits`;
    return { ok: false, why: `this currency has ${digits} after the point` };
  }
  const minorUnits = BigInt(whole + fraction.padEnd(exponent, '0'));
  if (minorUnits < least) return { ok: false, why: 'must be more than zero' };
  if (minorUnits > AMOUNT_MAX) return { ok: false, why: 'is more than one amount may be' };
  return { ok: true, minorUnits };
}

function parts(minorUnits: bigint, exponent: number) {
  const isNegative = minorUnits < 0n;
  const digits = String(isNegative ? -minorUnits : minorUnits).padStart(exponent + 1, '0');
  const cut = digits.length - exponent;
  return { isNegative, whole: digits.slice(0, cut), fraction: digits.slice(cut) };
}
