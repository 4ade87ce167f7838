import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { moneyText, plainMoney, typedAmount } from './money.js';

test.each([
  [0n, 2, '0.00'],
  [5n, 2, '0.05'],
  [-123456n, 2, '−1,234.56'],
  [1234567n, 0, '1,234,567'],
  [1n, 3, '0.001'],
  [9223372036854775807n, 2, '92,233,720,368,547,758.07'],
  ['170141183460469231731687303715884105727', 4, '17,014,118,346,046,923,173,168,730,371,588,410.5727'],
])('%s minor units of %s digits read %s', (minorUnits, exponent, text) => {
  expect(moneyText(minorUnits, exponent)).toBe(text);
});

test('what is shown plainly reads back as the same amount', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 10n ** 18n - 1n }),
      fc.integer({ min: 0, max: 4 }),
      (minorUnits, exponent) => {
        expect(typedAmount(plainMoney(minorUnits, exponent), exponent)).toEqual({ ok: true, minorUnits });
      },
    ),
  );
});

test.each([
  ['25', 2, 2500n],
  [' 25.5 ', 2, 2550n],
  ['0.01', 2, 1n],
  ['100', 0, 100n],
])('%j with %s digits is %s', (text, exponent, minorUnits) => {
  expect(typedAmount(text, exponent)).toEqual({ ok: true, minorUnits });
});

test.each([
  ['', 2, 'digits'],
  ['1,000', 2, 'digits'],
  ['1e3', 2, 'digits'],
  ['-5', 2, 'digits'],
  ['.5', 2, 'digits'],
  ['1.005', 2, 'at most 2 digits'],
  ['1.0', 0, 'no digits'],
  ['0', 2, 'more than zero'],
  ['10000000000000000', 2, 'more than one amount'],
])('%j with %s digits is refused: %s', (text, exponent, why) => {
  expect(typedAmount(text, exponent)).toEqual({ ok: false, why: expect.stringContaining(why) });
});
