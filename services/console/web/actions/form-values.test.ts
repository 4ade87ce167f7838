import { describe, expect, test } from '@jest/globals';
import { ACTIONS } from './catalogue.js';
import { requestJson } from './form-values.js';

function resultOf(id: string, values: Readonly<Record<string, string>>) {
  const action = ACTIONS.find((each) => each.id === id);
  if (action === undefined) throw new Error(`there is no action ${id}`);
  return requestJson(action, values);
}

test('a decimal amount becomes minor units of its currency, and empty fields are left out', () => {
  const pay = {
    payerAccountId: 'alice',
    payeeAccountId: 'shop',
    amount: '25',
    'amount.currency': 'eur',
    reference: ' ',
  };
  expect(resultOf('pay', pay)).toEqual({
    json: {
      payerAccountId: 'alice',
      payeeAccountId: 'shop',
      amount: { currency: 'EUR', minorUnits: '2500' },
    },
    problems: {},
  });
  const limit = { accountId: 'a', currency: 'JPY', overdraftLimit: '500' };
  expect(resultOf('open-account', limit).json).toEqual({
    accountId: 'a',
    currency: 'JPY',
    overdraftLimit: '500',
  });
});

test.each([
  [{ amount: '25.001', 'amount.currency': 'EUR' }, 'at most 2 digits'],
  [{ amount: '25.5', 'amount.currency': 'JPY' }, 'no digits'],
  [{ amount: '25', 'amount.currency': 'XYZ' }, 'XYZ is no currency, and no asset'],
  [{ amount: '25' }, 'no currency'],
  [{}, 'is needed'],
])('the amount %j is refused: %s', (values, why) => {
  const { problems } = resultOf('deposit', { accountId: 'alice', ...values });
  expect(problems).toEqual({ amount: expect.stringContaining(why) });
});

test('an asset of the ledger has its own digits', () => {
  const action = ACTIONS.find(({ id }) => id === 'deposit');
  if (action === undefined) throw new Error('there is no deposit');
  const values = { accountId: 'miner', amount: '0.000000000000000001', 'amount.currency': 'ETH' };
  const { json, problems } = requestJson(action, values, (code) => (code === 'ETH' ? 18 : undefined));
  expect({ json, problems }).toEqual({
    json: { accountId: 'miner', amount: { currency: 'ETH', minorUnits: '1' } },
    problems: {},
  });
});

test('all that is left takes the place of the amount, which is needed otherwise', () => {
  const paymentId = '0198c0de-0000-7000-8000-000000000001';
  const typed = { paymentId, amount: '1.00', 'amount.currency': 'EUR', all: 'true' };
  for (const id of ['capture', 'refund']) {
    expect(resultOf(id, typed)).toEqual({ json: { paymentId, all: true }, problems: {} });
    expect(resultOf(id, { paymentId }).problems).toEqual({ amount: 'is needed' });
  }
});

test('as much as there is is asked for beside the amount', () => {
  const typed = { accountId: 'alice', amount: '1.00', 'amount.currency': 'EUR', upTo: 'true' };
  expect(resultOf('withdraw', typed).json).toEqual({
    accountId: 'alice',
    amount: { currency: 'EUR', minorUnits: '100' },
    upTo: true,
  });
  expect(resultOf('deposit', typed).json).not.toHaveProperty('upTo');
});

test('a check is sent where it is set', () => {
  const id = '0198c0de-0000-7000-8000-000000000001';
  expect(resultOf('reverse', { transactionId: id, force: 'true' }).json).toEqual({
    transactionId: id,
    force: true,
  });
});

describe('a change of an account', () => {
  const before = {
    accountId: 'card',
    currency: 'EUR',
    name: 'Card',
    'limits.debit': '100.00',
    'limits.day.count': '3',
  };
  const changed = (values: Readonly<Record<string, string>>) => {
    const action = ACTIONS.find(({ id }) => id === 'update-account');
    if (action === undefined) throw new Error('there is no such action');
    return requestJson(action, { ...before, ...values }, undefined, before);
  };

  test('sends what is no longer what it was, limits as a whole', () => {
    expect(changed({ 'limits.day.amount': '500' })).toEqual({
      json: {
        accountId: 'card',
        limits: { debit: '10000', day: { amount: '50000', count: '3' } },
        updateMask: 'limits',
      },
      problems: {},
    });
    expect(changed({ name: '', 'limits.debit': '', 'limits.day.count': '' })).toEqual({
      json: { accountId: 'card', updateMask: 'name,limits' },
      problems: {},
    });
  });

  test('that changes nothing is refused before it is sent', () => {
    expect(changed({}).problems).toEqual({ name: 'nothing is changed' });
    expect(changed({ 'limits.month.count': 'many' }).problems).toEqual({
      'limits.month.count': 'a whole number',
    });
  });
});

test.each([
  ['2026-10-31', '2026-10-31T23:59:59.999999Z'],
  ['2026-10-31T23:59+01:00', '2026-10-31T23:59:00+01:00'],
  ['2026-10-31T23:59:59.5Z', '2026-10-31T23:59:59.5Z'],
])('the end %s of a period is the time %s', (typed, closedThrough) => {
  expect(resultOf('close-period', { closedThrough: typed })).toEqual({
    json: { closedThrough },
    problems: {},
  });
});

test.each(['2026-13-01', '31.10.2026', '2026-10-31T23:59'])('%s is no end of a period', (closedThrough) => {
  expect(resultOf('close-period', { closedThrough }).problems).toEqual({
    closedThrough: expect.stringContaining('a day such as'),
  });
});
