import { expect, test } from '@jest/globals';
import { TransactionKind } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { currencyExponent } from '../../../../lib/base/currency.js';
import { parseFilter } from './filter.js';
import { FilterReader } from './filter-reader.js';

const KEYS = ['kind', 'reference', 'currency', 'min', 'metadata', 'forced', 'from'];
const NOW = new Date('2026-11-28T12:00:00Z');
const readerOf = (text: string) => new FilterReader(parseFilter(text, KEYS, ['kind', 'metadata']));

test('a value with spaces stands between quotes', () => {
  expect(readerOf('reference:"order 1" currency:eur').text('reference')).toBe('order 1');
  expect(readerOf('reference:order 1').problems).toEqual([expect.stringContaining('“1” is no filter')]);
});

test('kinds are joined by commas, or stand several times; another key does not', () => {
  const kinds = readerOf('kind:refund,reversal kind:fee kind:deposit');
  expect(kinds.words<TransactionKind>('kind', TransactionKind)).toEqual([
    TransactionKind.REFUND,
    TransactionKind.REVERSAL,
    TransactionKind.DEPOSIT,
  ]);
  expect(kinds.problems).toEqual([expect.stringMatching(/^kind: is one of /)]);
  expect(readerOf('currency:EUR currency:USD').problems).toEqual(['currency: stands twice']);
});

test('an amount has the digits of the currency that the filter names', () => {
  const amount = (text: string, isSigned = false) => {
    const reader = readerOf(text);
    return { units: reader.amount('min', currencyExponent, isSigned), problems: reader.problems };
  };
  expect(amount('min:25 currency:eur')).toEqual({ units: 2_500n, problems: [] });
  expect(amount('min:-0.01 currency:EUR', true)).toEqual({ units: -1n, problems: [] });
  expect(amount('min:25')).toEqual({
    units: undefined,
    problems: [expect.stringContaining('needs currency:')],
  });
  expect(amount('min:0.001 currency:EUR')).toEqual({
    units: undefined,
    problems: [expect.stringContaining('at most 2 digits')],
  });
});

test('metadata is a key with its value, or a key alone', () => {
  expect(readerOf('metadata:order=17 metadata:channel').metadata()).toEqual([
    { key: 'order', value: '17' },
    { key: 'channel' },
  ]);
});

test('a switch takes yes alone, and a time is a day, a time, or a distance', () => {
  const reader = readerOf('forced:no from:soon');
  expect([reader.isSet('forced'), reader.time('from', NOW)]).toEqual([false, undefined]);
  expect(reader.problems).toEqual(['forced: is yes', 'from: is a day, a time, or -2h, -7d']);
  expect(readerOf('from:-2h').time('from', NOW)).toMatchObject({ seconds: 1_795_860_000n });
});
