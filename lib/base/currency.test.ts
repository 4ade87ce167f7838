import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import {
  codeOf,
  currencyExponent,
  isAssetUnit,
  isOpenable,
  knownExponent,
  listedCurrencies,
  unitOf,
} from './currency.js';

interface CurrencyData {
  readonly supplemental: {
    readonly currencyData: {
      readonly region: Readonly<
        Record<
          string,
          readonly Readonly<Record<string, { readonly _to?: string; readonly _tender?: string }>>[]
        >
      >;
    };
  };
}

/** What ISO 4217 lists though no region pays with it: units of account, funds, and codes kept beside their successors. */
const NO_TENDER = ['BOV', 'CHE', 'CHW', 'CLF', 'COU', 'MXV', 'SVC', 'USN', 'UYI', 'UYW', 'VED', 'XAD'];

/** The currencies that some region pays with, as CLDR lists them. */
function tender(): Set<string> {
  const file = createRequire(import.meta.url).resolve('cldr-core/supplemental/currencyData.json');
  const { supplemental } = JSON.parse(readFileSync(file, 'utf8')) as CurrencyData;
  const entries = Object.values(supplemental.currencyData.region)
    .flat()
    .flatMap((use) => Object.entries(use));
  const current = entries.filter(([, { _to, _tender }]) => _to === undefined && _tender !== 'false');
  return new Set(current.map(([code]) => code));
}

describe('the table of currencies against CLDR', () => {
  const { openable, withdrawn } = listedCurrencies();

  test('every currency that a region pays with can be had', () => {
    expect([...tender()].filter((code) => !isOpenable(code))).toEqual([]);
  });

  test('every currency that can be had is paid with somewhere, or known to be no tender', () => {
    const current = tender();
    expect(openable.filter((code) => !current.has(code)).sort()).toEqual(NO_TENDER);
  });

  test('a withdrawn currency is paid with nowhere, and keeps its exponent for the accounts that have it', () => {
    const current = tender();
    expect(withdrawn.filter((code) => current.has(code))).toEqual([]);
    expect(withdrawn.map((code) => currencyExponent(code))).toEqual(withdrawn.map(() => 2));
    expect(withdrawn.some((code) => isOpenable(code))).toBe(false);
  });

  test('the guilder of the Caribbean and the Arab accounting dinar are there', () => {
    expect(['XCG', 'XAD'].map((code) => [isOpenable(code), currencyExponent(code)])).toEqual([
      [true, 2],
      [true, 2],
    ]);
  });
});

describe('the unit of a currency', () => {
  test('is the code where ISO 4217 says the exponent, else code and exponent', () => {
    const units = [unitOf('EUR', 2), unitOf('JPY', 0), unitOf('BTC', 8), unitOf('XAU', 18), unitOf('EUR', 4)];
    expect(units).toEqual(['EUR', 'JPY', 'BTC#8', 'XAU#18', 'EUR#4']);
    expect(units.map(codeOf)).toEqual(['EUR', 'JPY', 'BTC', 'XAU', 'EUR']);
    expect(units.map(knownExponent)).toEqual([2, 0, 8, 18, 4]);
    expect(units.map(isAssetUnit)).toEqual([false, false, true, true, true]);
    expect(() => knownExponent('XYZ')).toThrow(RangeError);
  });

  test('sorts as its code does', () => {
    const codes = ['A-', 'A.', 'A0', 'AB', 'A_', 'AB-', 'AB.C', 'AB_', 'ABC'];
    const sorted = [...codes].sort();
    expect(
      codes
        .map((code) => unitOf(code, 8))
        .sort()
        .map(codeOf),
    ).toEqual(sorted);
  });
});
