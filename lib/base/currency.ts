/**
 * ISO 4217: which currencies there are, and how many decimal digits their minor unit is. currency.test.ts compares the table
 * with the currencies that Unicode's CLDR lists, which is published twice a year: raise `cldr-core` to learn of changes. A code
 * that the table gains is no longer free: a ledger that has registered an asset of that code must be looked for first.
 *
 * A ledger has assets of its own besides. In events, state and views one string says both code and exponent, the unit: of a
 * currency of ISO 4217 it is the code alone, of an asset code, number sign and exponent, as in `BTC#8`. So that all that is
 * stored says how to be shown, and nothing has to be looked up. The sign sorts before all that a code may have.
 */

/** ISO 4217 List One of 2026, without precious metals, bond market units and codes for testing. */
const CURRENT: readonly (readonly [exponent: number, codes: string])[] = [
  [0, `BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF`],
  [
    2,
    `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ
    GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN
    UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  ],
  [3, `BHD IQD JOD KWD LYD OMR TND`],
  [4, `CLF UYW`],
];

/**
 * Codes that ISO 4217 has withdrawn since this table began: accounts may have them. Such accounts go on as before; new ones
 * cannot be opened.
 */
const WITHDRAWN: readonly (readonly [exponent: number, codes: string])[] = [[2, `ANG BGN CUC`]];

const OPENABLE: ReadonlyMap<string, number> = new Map(CURRENT.flatMap(codesOf));
const EXPONENTS: ReadonlyMap<string, number> = new Map([...OPENABLE, ...WITHDRAWN.flatMap(codesOf)]);

function codesOf([exponent, codes]: readonly [number, string]): (readonly [string, number])[] {
  return codes.split(/\s+/).map((code) => [code, exponent]);
}

/** The decimal digits of a currency's minor unit (2 for EUR); undefined for a code that ISO 4217 has never listed here. */
export function currencyExponent(currency: string): number | undefined {
  return EXPONENTS.get(currency);
}

/** Whether an account can be opened in the currency: ISO 4217 lists it now. */
export function isOpenable(currency: string): boolean {
  return OPENABLE.has(currency);
}

/** The codes that `isOpenable` knows, and those that it knows no more. */
export function listedCurrencies(): {
  readonly openable: readonly string[];
  readonly withdrawn: readonly string[];
} {
  const openable = [...OPENABLE.keys()];
  return { openable, withdrawn: [...EXPONENTS.keys()].filter((code) => !OPENABLE.has(code)) };
}

const ISO_CODE_LENGTH = 3;
const BEFORE_EXPONENT = '#';

/** The unit of a currency of ISO 4217, or of an asset with this exponent. */
export function unitOf(code: string, exponent: number): string {
  return EXPONENTS.get(code) === exponent ? code : `${code}${BEFORE_EXPONENT}${String(exponent)}`;
}

/** Whether a unit is an asset's. Those of ISO 4217 have three letters, all others more. */
export function isAssetUnit(unit: string): boolean {
  return unit.length > ISO_CODE_LENGTH;
}

/** The code of a unit, as the API shows it. */
export function codeOf(unit: string): string {
  const end = isAssetUnit(unit) ? unit.lastIndexOf(BEFORE_EXPONENT) : -1;
  return end === -1 ? unit : unit.slice(0, end);
}

/** The exponent of a unit, which was checked when it came in. @throws RangeError for what is none. */
export function knownExponent(unit: string): number {
  if (isAssetUnit(unit)) return Number(unit.slice(unit.lastIndexOf(BEFORE_EXPONENT) + 1));
  const exponent = EXPONENTS.get(unit);
  if (exponent === undefined) throw new RangeError(`unknown currency ${unit}`);
  return exponent;
}
