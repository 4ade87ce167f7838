import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimalOf, readMoney } from './money.js';

test.each([
  ['25.00', 'EUR', 2500n],
  ['25', 'EUR', 2500n],
  ['0.05', 'EUR', 5n],
  ['1.5', 'KWD', 1500n],
  ['7', 'JPY', 7n],
  ['999999999999999999', 'JPY', 999_999_999_999_999_999n],
])('%s %s is so many minor units', (number, currency, minorUnits) => {
  expect(readMoney(number, currency)).toEqual({ currency, minorUnits });
  expect(readMoney(`${number} ${currency}`)).toEqual({ currency, minorUnits });
});

test.each([
  '',
  '25',
  '25 EUR EUR',
  '.5 EUR',
  '5. EUR',
  '+5 EUR',
  '0x10 EUR',
  '1 000 EUR',
  '١ EUR',
  '1.005 EUR',
  '1 eur',
])('%j is no amount', (typed) => {
  expect(() => readMoney(typed)).toThrow(/25\.00 EUR|write digits|EUR has 2|no currency/);
});

test('two currencies for one amount are refused', () => {
  expect(() => readMoney('5 EUR', 'USD')).toThrow('no amount');
});

test('what is shown reads as what it was', () => {
  fc.assert(
    fc.property(
      fc.bigInt(0n, 10n ** 18n - 1n),
      fc.constantFrom('JPY', 'EUR', 'KWD', 'CLF'),
      (minorUnits, currency) => {
        const exponent = { JPY: 0, EUR: 2, KWD: 3, CLF: 4 }[currency];
        expect(readMoney(decimalOf(minorUnits, exponent), currency)).toEqual({ currency, minorUnits });
      },
    ),
  );
});

test('sums beyond 64 bits and below zero are shown exactly', () => {
  expect(decimalOf('-170141183460469231731687303715884105728', 2)).toBe(
    '-1701411834604692317316873037158841057.28',
  );
  expect(decimalOf(-5n, 2)).toBe('-0.05');
});
