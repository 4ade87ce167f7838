import { describe, expect, test } from '@jest/globals';
import {
  assetMoney,
  authorize,
  capture,
  createLedger,
  credit,
  debit,
  deposit,
  journal,
  money,
  open,
  openInAsset,
  pay,
  refund,
  registerAsset,
  reverse,
  withdraw,
} from './test/builders.js';
import { given } from './test/given.js';

const books = given(createLedger(), open('E'), registerAsset(), openInAsset('A'), openInAsset('B'));
const funded = books.and(deposit('A', 0n, { amount: assetMoney(100n), requestId: 'cash' }));

describe('an account in an asset', () => {
  test('is opened in its unit, and opens no settlement account', () => {
    expect(books.when(openInAsset('C', 'ASSET')).events).toMatchObject([
      { type: 'AccountOpened', account: { state: { accountId: 'C', currency: 'BTC#8' } } },
    ]);
  });

  test('is not opened in what the ledger has not registered', () => {
    books.when(openInAsset('C', 'LIABILITY', 'ETH')).thenRefused('UNKNOWN_CURRENCY', { field: 'currency' });
  });

  test('takes no amount of another currency', () => {
    books.when(deposit('A', 5n)).thenRefused('CURRENCY_MISMATCH');
    books.when(deposit('E', 0n, { amount: assetMoney(5n) })).thenRefused('CURRENCY_MISMATCH');
  });
});

describe('an amount of an asset', () => {
  test('moves like any other, through the settlement account of its code', () => {
    const events = [
      deposit('A', 0n, { amount: assetMoney(5n) }),
      withdraw('A', 0n, { amount: assetMoney(5n) }),
      pay('A', 'B', 0n, { amount: assetMoney(5n) }),
      authorize('A', 'B', 0n, { amount: assetMoney(5n) }),
      reverse('cash'),
    ].map((command) => funded.when(command).event);
    expect(events.map(({ type }) => type)).toEqual([
      'TransactionPosted',
      'TransactionPosted',
      'TransactionPosted',
      'PaymentAuthorized',
      'TransactionPosted',
    ]);
    const accounts = events.flatMap((event) => ('accounts' in event ? event.accounts : []));
    expect(new Set(accounts.map(({ currency }) => currency))).toEqual(new Set(['BTC#8']));
    expect(events[0]).toMatchObject({
      accounts: [
        { accountId: '@settlement:BTC', debits: 105n },
        { accountId: 'A', credits: 105n },
      ],
      transactions: [{ currency: 'BTC#8', amount: 5n }],
    });
  });

  test('is captured and refunded within its payment', () => {
    const held = funded.and(authorize('A', 'B', 0n, { amount: assetMoney(50n), requestId: 'auth' }));
    const taken = held.and(capture('auth', 0n, { amount: assetMoney(30n) }));
    expect(taken.when(refund('auth', 0n, { amount: assetMoney(10n) })).event).toMatchObject({
      transactions: [{ currency: 'BTC#8' }, { payment: { currency: 'BTC#8', captured: 30n, refunded: 10n } }],
    });
    taken.when(refund('auth', 10n)).thenRefused('CURRENCY_MISMATCH');
  });

  test('may say the exponent, if it is the right one', () => {
    const stated = (exponent: number) => deposit('A', 0n, { amount: assetMoney(5n, 'BTC', exponent) });
    expect(books.when(stated(8)).events).toHaveLength(1);
    books.when(stated(2)).thenRefused('INVALID_FIELD', { field: 'amount.exponent' });
  });

  test('is unknown until the asset is registered, before its accounts are looked for', () => {
    const amount = assetMoney(5n, 'ETH');
    books.when(deposit('none', 0n, { amount })).thenRefused('UNKNOWN_CURRENCY', { field: 'amount.currency' });
    books
      .when(
        journal([
          { accountId: 'E', direction: 'DEBIT', amount: money(1n) },
          { accountId: 'A', direction: 'CREDIT', amount },
        ]),
      )
      .thenRefused('UNKNOWN_CURRENCY', { field: 'entries[1].amount.currency' });
  });

  test('shares a journal with amounts of ISO 4217', () => {
    const entries = [
      debit('@settlement:EUR', 7n),
      credit('E', 7n),
      { accountId: 'A', direction: 'DEBIT', amount: assetMoney(3n) } as const,
      { accountId: 'B', direction: 'CREDIT', amount: assetMoney(3n) } as const,
    ];
    expect(funded.when(journal(entries)).event).toMatchObject({
      entries: [{ currency: 'EUR' }, { currency: 'EUR' }, { currency: 'BTC#8' }, { currency: 'BTC#8' }],
    });
  });

  test('stands in the unit of the asset in items of a declined batch that were not decided', () => {
    const outcome = funded.whenAtomic(
      deposit('A', 0n, { amount: assetMoney(1n) }),
      withdraw('B', 0n, { amount: assetMoney(5n) }),
      authorize('A', 'B', 0n, { amount: assetMoney(2n) }),
      journal([
        { accountId: 'A', direction: 'DEBIT', amount: assetMoney(3n) },
        { accountId: 'B', direction: 'CREDIT', amount: assetMoney(3n) },
      ]),
    );
    if (outcome.outcome === 'refused') throw new Error(outcome.refusal.message);
    const own = outcome.events.map(({ transactions: [transaction] }) => transaction);
    expect(own.map((transaction) => [transaction?.status, transaction?.currency])).toEqual(
      Array(4).fill(['DECLINED', 'BTC#8']),
    );
    expect(own[2]?.payment?.currency).toBe('BTC#8');
  });

  test('refuses an atomic batch before any item is decided, if one names an unknown asset', () => {
    const decision = funded.whenAtomic(
      withdraw('B', 0n, { amount: assetMoney(5n) }),
      deposit('A', 0n, { amount: assetMoney(1n, 'ETH') }),
    );
    expect(decision).toMatchObject({ outcome: 'refused', index: 1, refusal: { reason: 'UNKNOWN_CURRENCY' } });
  });
});
