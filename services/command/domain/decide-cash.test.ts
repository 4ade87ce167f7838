import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import {
  authorize,
  close,
  createLedger,
  deposit,
  freeze,
  money,
  open,
  unfreeze,
  update,
  withdraw,
} from './test/builders.js';
import { brief, given, START_US } from './test/given.js';

const ledger = createLedger();
const opened = (...more: readonly Command[]) =>
  given(ledger, open('A'), open('bank', 'ASSET'), open('U', 'LIABILITY', { currency: 'USD' }), ...more);

describe('Withdraw up to an amount', () => {
  const upTo = (amount: bigint) => withdraw('A', amount, { upTo: true });

  test('takes what is available where that is less, and the amount where it is not', () => {
    const spec = opened(deposit('A', 70n));
    expect(brief(spec.when(upTo(100n)).thenPosted().entries)).toEqual(['A -70', '@settlement:EUR +70']);
    expect(spec.when(upTo(100n)).thenPosted().transactions).toMatchObject([{ amount: 70n }]);
    for (const amount of [70n, 69n]) {
      expect(spec.when(upTo(amount)).thenPosted().transactions).toMatchObject([{ amount }]);
    }
  });

  test('counts holds and the overdraft limit, as every withdrawal does', () => {
    const spec = opened(
      open('B'),
      deposit('A', 70n),
      update('A', { overdraftLimit: 20n }),
      authorize('A', 'B', 30n),
    );
    expect(spec.when(upTo(100n)).thenPosted().transactions).toMatchObject([{ amount: 60n }]);
  });

  test('is declined as it was asked for where nothing is available, or the account is frozen', () => {
    for (const spec of [opened(), opened(deposit('A', 5n), withdraw('A', 5n))]) {
      spec.when(upTo(100n)).thenDeclined('INSUFFICIENT_FUNDS', 'A');
      expect(spec.when(upTo(100n)).event).toMatchObject({ transactions: [{ amount: 100n }] });
    }
    opened(deposit('A', 5n), freeze('A')).when(upTo(100n)).thenDeclined('ACCOUNT_FROZEN', 'A');
  });

  test('takes all from an account without a floor', () => {
    const command = withdraw('bank', 9n, { upTo: true });
    expect(opened().when(command).thenPosted().transactions).toMatchObject([{ amount: 9n }]);
  });
});

describe('Deposit', () => {
  test('debits the settlement account, then credits the account', () => {
    const command = deposit('A', 7n, { description: 'in', metadata: { k: 'v' } });
    const event = opened().when(command).thenPosted();
    expect(event).toMatchObject({ kind: 'DEPOSIT', forced: false, holdChanges: [] });
    expect(event.entries).toEqual([
      {
        accountId: '@settlement:EUR',
        direction: 'DEBIT',
        amount: 7n,
        currency: 'EUR',
        version: 2n,
        postedAfter: -7n,
      },
      { accountId: 'A', direction: 'CREDIT', amount: 7n, currency: 'EUR', version: 2n, postedAfter: 7n },
    ]);
    expect(event.accounts).toMatchObject([
      { accountId: '@settlement:EUR', debits: 7n, credits: 0n, version: 2n },
      { accountId: 'A', debits: 0n, credits: 7n, version: 2n },
    ]);
    expect(event.transactions).toEqual([
      {
        transactionId: command.requestId,
        kind: 'DEPOSIT',
        status: 'POSTED',
        paymentId: null,
        entries: event.entries.map(({ version: _, postedAfter: __, ...entry }) => entry),
        amount: 7n,
        currency: 'EUR',
        fees: [],
        reverses: null,
        reversedBy: null,
        description: 'in',
        metadata: { k: 'v' },
        annotated: false,
        payment: null,
        version: 1n,
      },
    ]);
  });

  test('debits the ASSET account that it names', () => {
    const event = opened()
      .when(deposit('A', 7n, { settlementAccountId: 'bank' }))
      .thenPosted();
    expect(brief(event.entries)).toEqual(['bank -7', 'A +7']);
  });

  test('refuses a settlement account that is no ASSET', () => {
    const command = deposit('A', 7n, { settlementAccountId: 'B' });
    opened(open('B'))
      .when(command)
      .thenRefused('ACCOUNT_TYPE', { field: 'settlement_account_id', resourceId: 'B' });
  });

  test('refuses to move money from the settlement account to itself', () => {
    opened().when(deposit('@settlement:EUR', 7n)).thenRefused('ACCOUNT_TYPE');
  });

  test.each(['ASSET', 'REVENUE', 'EXPENSE', 'EQUITY'] as const)('credits %s accounts as well', (type) => {
    expect(opened(open('B', type)).when(deposit('B', 1n)).after.money('B').posted).toBe(1n);
  });

  test('refuses another currency than the account has', () => {
    opened()
      .when(deposit('A', 1n, { amount: money(1n, 'USD') }))
      .thenRefused('CURRENCY_MISMATCH', { resourceId: 'A' });
  });

  test('refuses a currency that no account has as a mismatch too', () => {
    opened()
      .when(deposit('A', 1n, { amount: money(1n, 'GBP') }))
      .thenRefused('CURRENCY_MISMATCH', { resourceId: 'A' });
  });

  test('refuses a settlement account of another currency', () => {
    const command = deposit('A', 1n, { settlementAccountId: '@settlement:USD' });
    opened().when(command).thenRefused('CURRENCY_MISMATCH', { field: 'settlement_account_id' });
  });

  test('names the missing account, then the missing settlement account', () => {
    const settlementAccountId = 'Y';
    opened()
      .when(deposit('X', 1n, { settlementAccountId }))
      .thenRefused('ACCOUNT_NOT_FOUND', { resourceId: 'X' });
    opened()
      .when(deposit('A', 1n, { settlementAccountId }))
      .thenRefused('ACCOUNT_NOT_FOUND', { resourceId: 'Y' });
  });

  test('checks expected_version before errors of state', () => {
    const command = deposit('A', 1n, { expectedVersion: 5n, amount: money(1n, 'USD') });
    opened().when(command).thenRefused('VERSION_MISMATCH');
    expect(opened().when(deposit('A', 1n, { expectedVersion: 1n })).events).toHaveLength(1);
  });

  test('reaches accounts that are frozen for debits, not those frozen for all', () => {
    expect(opened(freeze('A')).when(deposit('A', 1n)).thenPosted().kind).toBe('DEPOSIT');
    opened(freeze('A', { scope: 'ALL' }))
      .when(deposit('A', 1n))
      .thenDeclined('ACCOUNT_FROZEN', 'A');
  });

  test('is declined by a closed account', () => {
    opened(close('A')).when(deposit('A', 1n)).thenDeclined('ACCOUNT_CLOSED', 'A');
  });

  test('is never judged for funds, even below zero', () => {
    const spec = given(ledger, open('A', 'LIABILITY', { overdraftLimit: 9n }), withdraw('A', 9n));
    const below = spec.and(update('A', { overdraftLimit: 0n }));
    expect(below.when(deposit('A', 1n)).after.money('A').available).toBe(-8n);
  });
});

describe('Withdraw', () => {
  test('debits the account, then credits the settlement account', () => {
    const event = opened(deposit('A', 7n)).when(withdraw('A', 7n)).thenPosted();
    expect(event.kind).toBe('WITHDRAWAL');
    expect(brief(event.entries)).toEqual(['A -7', '@settlement:EUR +7']);
  });

  test('credits the ASSET account that it names', () => {
    const event = opened(deposit('A', 7n))
      .when(withdraw('A', 7n, { settlementAccountId: 'bank' }))
      .thenPosted();
    expect(brief(event.entries)).toEqual(['A -7', 'bank +7']);
  });

  test('is declined when available would end below zero, and shows the entries intended', () => {
    const command = withdraw('A', 8n);
    const event = opened(deposit('A', 7n)).when(command).thenDeclined('INSUFFICIENT_FUNDS', 'A');
    expect(event).toMatchObject({ kind: 'WITHDRAWAL', forced: false });
    expect(event.accounts.map(({ accountId }) => accountId)).toEqual(['A', '@settlement:EUR']);
    expect(brief(event.transactions[0]?.entries ?? [])).toEqual(['A -8', '@settlement:EUR +8']);
  });

  test('may use the overdraft to its limit and not beyond', () => {
    const spec = given(ledger, open('A', 'LIABILITY', { overdraftLimit: 5n }));
    expect(spec.when(withdraw('A', 5n)).after.money('A').available).toBe(0n);
    spec.when(withdraw('A', 6n)).thenDeclined('INSUFFICIENT_FUNDS', 'A');
  });

  test.each(['ASSET', 'REVENUE', 'EXPENSE', 'EQUITY'] as const)('finds no floor in %s accounts', (type) => {
    expect(opened(open('B', type)).when(withdraw('B', 9n)).after.money('B').posted).toBe(-9n);
  });

  test('is declined by a freeze of either scope', () => {
    const spec = opened(deposit('A', 7n), freeze('A'));
    spec.when(withdraw('A', 1n)).thenDeclined('ACCOUNT_FROZEN', 'A');
    spec
      .and(freeze('A', { scope: 'ALL' }))
      .when(withdraw('A', 1n))
      .thenDeclined('ACCOUNT_FROZEN', 'A');
    expect(spec.and(unfreeze('A')).when(withdraw('A', 1n)).thenPosted().kind).toBe('WITHDRAWAL');
  });

  test('looks for frozen before funds', () => {
    opened(freeze('A')).when(withdraw('A', 1n)).thenDeclined('ACCOUNT_FROZEN', 'A');
  });

  test('checks expected_version before declines', () => {
    opened()
      .when(withdraw('A', 1n, { expectedVersion: 9n }))
      .thenRefused('VERSION_MISMATCH');
  });
});

describe('the effective time', () => {
  test('is the recorded time unless it is given', () => {
    const spec = opened();
    expect(spec.when(deposit('A', 1n)).thenPosted().effectiveTime).toBe(spec.now);
    const past = deposit('A', 1n, { effectiveTime: START_US - 5n });
    expect(spec.when(past).thenPosted().effectiveTime).toBe(START_US - 5n);
  });

  test('may be now and not later', () => {
    const spec = opened();
    expect(spec.when(deposit('A', 1n, { effectiveTime: spec.now })).events).toHaveLength(1);
    const later = { effectiveTime: spec.now + 1n };
    spec.when(deposit('A', 1n, later)).thenRefused('TIME_OUT_OF_RANGE', { field: 'effective_time' });
    spec.when(withdraw('A', 1n, later)).thenRefused('TIME_OUT_OF_RANGE');
  });
});
