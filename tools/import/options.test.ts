import { expect, test } from '@jest/globals';
import { HELP, readOptions } from './options.js';

const COMPLETE = ['bank.csv', '--ledger', 'bank', '--currency', 'CZK'];

test('file, ledger and currency are enough', () => {
  expect(readOptions(COMPLETE)).toEqual({
    file: 'bank.csv',
    ledgerId: 'bank',
    currency: 'CZK',
    address: 'localhost:50051',
    withCounterparty: false,
    patience_ms: 60_000,
  });
});

test('help is given wherever it is asked for, and names every column', () => {
  expect(readOptions(['--help'])).toBeUndefined();
  for (const column of ['movement_id', 'account_id', 'booked_on', 'amount_minor', 'balance_after_minor'])
    expect(HELP).toContain(column);
});

test.each([
  [[], 'which FILE'],
  [['a.csv', 'b.csv', '--ledger', 'bank', '--currency', 'CZK'], 'one FILE at a time'],
  [['a.csv', '--currency', 'CZK'], '--ledger is missing'],
  [['a.csv', '--ledger', '@bank', '--currency', 'CZK'], '--ledger: letters'],
  [['a.csv', '--ledger', 'bank'], '--currency'],
  [['a.csv', '--ledger', 'bank', '--currency', 'koruna'], '--currency'],
  [[...COMPLETE, '--patience', 'long'], '--patience'],
  [[...COMPLETE, '--verbose'], '--verbose'],
])('%j is refused in a line', (args, message) => {
  expect(() => readOptions(args)).toThrow(message);
});
