import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import { INT64_MAX } from './limits.js';
import {
  authorize,
  close,
  createLedger,
  DAY_US,
  deposit,
  fee,
  freeze,
  money,
  open,
  pay,
  update,
  withdraw,
} from './test/builders.js';
import { brief, given, START_US } from './test/given.js';

const ledger = createLedger();
/** P has 100 to pay M with; F takes fees. */
const funded = (...more: readonly Command[]) =>
  given(
    ledger,
    open('P'),
    open('M'),
    open('F', 'REVENUE'),
    open('U', 'LIABILITY', { currency: 'USD' }),
    deposit('P', 100n),
    ...more,
  );

describe('SubmitPayment up to an amount', () => {
  test('pays what is available, and that is what was authorized and captured', () => {
    const event = funded(withdraw('P', 40n))
      .when(pay('P', 'M', 500n, { upTo: true }))
      .thenPosted();
    expect(brief(event.entries)).toEqual(['P -60', 'M +60']);
    expect(event.transactions).toMatchObject([
      { amount: 60n, payment: { authorized: 60n, captured: 60n, refunded: 0n } },
    ]);
  });

  test('pays the amount where more is available', () => {
    const event = funded()
      .when(pay('P', 'M', 30n, { upTo: true }))
      .thenPosted();
    expect(event.transactions).toMatchObject([{ amount: 30n }]);
  });

  test('is declined as it was asked for where nothing is available', () => {
    const spec = funded(withdraw('P', 100n));
    spec.when(pay('P', 'M', 30n, { upTo: true })).thenDeclined('INSUFFICIENT_FUNDS', 'P');
    expect(spec.when(pay('P', 'M', 30n, { upTo: true })).event).toMatchObject({
      transactions: [{ amount: 30n, payment: { authorized: 30n, captured: 0n } }],
    });
  });
});

describe('SubmitPayment up to an amount, with fees', () => {
  const fees = [fee('PAYER', 'F', 7n), fee('PAYEE', 'F', 3n)];

  test('leaves the fees of the payer on the account for them', () => {
    const spec = funded();
    const command = pay('P', 'M', 500n, { fees, upTo: true });
    expect(brief(spec.when(command).thenPosted().entries)).toEqual([
      'P -93',
      'M +93',
      'P -7',
      'F +7',
      'M -3',
      'F +3',
    ]);
    expect(spec.when(command).after.money('P').available).toBe(0n);
  });

  test('pays the amount where more is available', () => {
    const event = funded()
      .when(pay('P', 'M', 93n, { fees, upTo: true }))
      .thenPosted();
    expect(event.transactions).toMatchObject([{ amount: 93n, payment: { captured: 93n } }]);
  });

  test('is declined as it was asked for where less would be paid than the fees of the payee', () => {
    const spec = funded(withdraw('P', 91n));
    const command = pay('P', 'M', 50n, { fees, upTo: true });
    expect(spec.when(command).thenDeclined('INSUFFICIENT_FUNDS', 'P')).toMatchObject({
      transactions: [{ amount: 50n }],
    });
    const enough = spec.and(deposit('P', 1n)).when(command).thenPosted();
    expect(enough.transactions).toMatchObject([{ amount: 3n }]);
  });

  test('is declined where the fees of the payer alone take all', () => {
    funded(withdraw('P', 93n))
      .when(pay('P', 'M', 50n, { fees: [fee('PAYER', 'F', 7n)], upTo: true }))
      .thenDeclined('INSUFFICIENT_FUNDS', 'P');
  });

  test('pays all of it from an account without a floor', () => {
    const event = funded(open('C', 'ASSET'))
      .when(pay('C', 'M', 50n, { fees, upTo: true }))
      .thenPosted();
    expect(event.transactions).toMatchObject([{ amount: 50n }]);
  });
});

describe('SubmitPayment', () => {
  test('moves principal first, then each fee in the order given', () => {
    const fees = [fee('PAYEE', 'F', 3n), fee('PAYER', 'F', 2n)];
    const event = funded()
      .when(pay('P', 'M', 50n, { fees }))
      .thenPosted();
    expect(event).toMatchObject({ kind: 'PAYMENT', forced: false, holdChanges: [] });
    expect(brief(event.entries)).toEqual(['P -50', 'M +50', 'M -3', 'F +3', 'P -2', 'F +2']);
    expect(event.accounts).toMatchObject([
      { accountId: 'P', credits: 100n, debits: 52n, version: 4n },
      { accountId: 'M', credits: 50n, debits: 3n, version: 3n },
      { accountId: 'F', credits: 5n, version: 3n },
    ]);
  });

  test('is the root of its own payment, authorized and captured at once', () => {
    const fees = [fee('PAYEE', 'F', 3n), fee('PAYEE', 'F', 4n), fee('PAYER', 'F', 2n)];
    const command = pay('P', 'M', 50n, { fees });
    expect(funded().when(command).thenPosted().transactions).toMatchObject([
      {
        transactionId: command.requestId,
        paymentId: command.requestId,
        kind: 'PAYMENT',
        status: 'POSTED',
        amount: 50n,
        fees,
        version: 1n,
        payment: {
          payerAccountId: 'P',
          payeeAccountId: 'M',
          currency: 'EUR',
          authorized: 50n,
          captured: 50n,
          voided: 0n,
          expired: 0n,
          reversed: 0n,
          refunded: 0n,
          expireTime: null,
          fees: [
            { paidBy: 'PAYEE', toAccountId: 'F', charged: 7n, refunded: 0n },
            { paidBy: 'PAYER', toAccountId: 'F', charged: 2n, refunded: 0n },
          ],
        },
      },
    ]);
  });

  test('is declined when payer and fee exceed what is available, and shows what was intended', () => {
    const command = pay('P', 'M', 100n, { fees: [fee('PAYER', 'F', 1n)] });
    const event = funded().when(command).thenDeclined('INSUFFICIENT_FUNDS', 'P');
    expect(event.transactions).toMatchObject([
      {
        paymentId: command.requestId,
        amount: 100n,
        payment: { authorized: 100n, captured: 0n, voided: 0n, expired: 0n, fees: [] },
      },
    ]);
    expect(brief(event.transactions[0]?.entries ?? [])).toEqual(['P -100', 'M +100', 'P -1', 'F +1']);
  });

  test('may take the last that is available', () => {
    expect(
      funded()
        .when(pay('P', 'M', 100n))
        .after.money('P').available,
    ).toBe(0n);
  });

  test('takes nothing that is held', () => {
    const spec = funded(authorize('P', 'M', 60n));
    spec.when(pay('P', 'M', 41n)).thenDeclined('INSUFFICIENT_FUNDS', 'P');
    expect(spec.when(pay('P', 'M', 40n)).thenPosted().kind).toBe('PAYMENT');
  });

  test('lets the payee pay fees out of the amount', () => {
    expect(
      funded()
        .when(pay('P', 'M', 5n, { fees: [fee('PAYEE', 'F', 5n)] }))
        .after.money('M').posted,
    ).toBe(0n);
  });

  test('refuses fees of the payee that in all exceed the amount', () => {
    const fees = [fee('PAYEE', 'F', 3n), fee('PAYEE', 'F', 3n)];
    funded()
      .when(pay('P', 'M', 5n, { fees }))
      .thenRefused('FEE_EXCEEDS_AMOUNT', { field: 'fees' });
  });

  test('lets the payer pay fees above the amount', () => {
    expect(funded().when(pay('P', 'M', 5n, { fees: [fee('PAYER', 'F', 9n)] })).events).toHaveLength(1);
  });

  test.each(['P', 'M'])('refuses a fee to a party of the payment', (party) => {
    const command = pay('P', 'M', 5n, { fees: [fee('PAYER', party, 1n)] });
    funded().when(command).thenRefused('ACCOUNT_TYPE', { field: 'fees[0].to_account_id', resourceId: party });
  });

  test.each(['LIABILITY', 'ASSET', 'EXPENSE', 'EQUITY'] as const)(
    'pays fees to %s accounts as well',
    (type) => {
      const command = pay('P', 'M', 5n, { fees: [fee('PAYER', 'G', 1n)] });
      expect(funded(open('G', type)).when(command).after.money('G').posted).toBe(1n);
    },
  );

  test.each(['REVENUE', 'EXPENSE', 'EQUITY'] as const)('refuses %s accounts as parties', (type) => {
    const spec = funded(open('X', type));
    spec.when(pay('X', 'M', 1n)).thenRefused('ACCOUNT_TYPE', { field: 'payer_account_id', resourceId: 'X' });
    spec.when(pay('P', 'X', 1n)).thenRefused('ACCOUNT_TYPE', { field: 'payee_account_id', resourceId: 'X' });
  });

  test('pays from and to ASSET accounts, which have no floor', () => {
    const spec = funded(open('X', 'ASSET'));
    expect(spec.when(pay('X', '@settlement:EUR', 500n)).after.money('X').posted).toBe(-500n);
  });

  test('refuses accounts of another currency than the amount', () => {
    funded()
      .when(pay('U', 'M', 1n))
      .thenRefused('CURRENCY_MISMATCH', { field: 'payer_account_id' });
    funded()
      .when(pay('P', 'U', 1n))
      .thenRefused('CURRENCY_MISMATCH', { field: 'payee_account_id' });
    const usd = pay('P', 'M', 1n, { amount: money(1n, 'USD') });
    funded().when(usd).thenRefused('CURRENCY_MISMATCH', { resourceId: 'P' });
    const toUsd = pay('P', 'M', 1n, { fees: [fee('PAYER', 'U', 1n)] });
    funded().when(toUsd).thenRefused('CURRENCY_MISMATCH', { field: 'fees[0].to_account_id' });
  });

  test('names the first of payer, payee and fee accounts that is missing', () => {
    const fees = [fee('PAYER', 'X3', 1n)];
    funded()
      .when(pay('X1', 'X2', 1n, { fees }))
      .thenRefused('ACCOUNT_NOT_FOUND', { resourceId: 'X1' });
    funded()
      .when(pay('P', 'X2', 1n, { fees }))
      .thenRefused('ACCOUNT_NOT_FOUND', { resourceId: 'X2' });
    funded()
      .when(pay('P', 'M', 1n, { fees }))
      .thenRefused('ACCOUNT_NOT_FOUND', { resourceId: 'X3' });
  });

  test('is declined by closed and frozen accounts before funds', () => {
    funded(close('M'), freeze('P'))
      .when(pay('P', 'M', 999n))
      .thenDeclined('ACCOUNT_CLOSED', 'M');
    funded(freeze('P'))
      .when(pay('P', 'M', 999n))
      .thenDeclined('ACCOUNT_FROZEN', 'P');
    const withFee = pay('P', 'M', 9n, { fees: [fee('PAYER', 'F', 1n)] });
    funded(freeze('F', { scope: 'ALL' }))
      .when(withFee)
      .thenDeclined('ACCOUNT_FROZEN', 'F');
  });

  test('pays a payee frozen for debits, unless the payee bears a fee', () => {
    const spec = funded(freeze('M'));
    expect(spec.when(pay('P', 'M', 9n)).thenPosted().kind).toBe('PAYMENT');
    spec.when(pay('P', 'M', 9n, { fees: [fee('PAYEE', 'F', 1n)] })).thenDeclined('ACCOUNT_FROZEN', 'M');
  });

  test('breaks rather than pays from an account to itself', () => {
    expect(() => funded().when(pay('P', 'P', 1n))).toThrow('broken invariant');
  });

  test('refuses a future effective time', () => {
    const spec = funded();
    spec.when(pay('P', 'M', 1n, { effectiveTime: spec.now + 1n })).thenRefused('TIME_OUT_OF_RANGE');
  });
});

describe('AuthorizePayment', () => {
  test('holds the amount on the payer and moves nothing', () => {
    const command = authorize('P', 'M', 60n);
    const spec = funded();
    const { event } = spec.when(command);
    expect(event).toEqual({
      type: 'PaymentAuthorized',
      holdChanges: [{ accountId: 'P', delta: 60n, heldAfter: 60n, version: 3n }],
      effectiveTime: spec.now,
      accounts: [{ ...spec.account('P'), held: 60n, version: 3n }],
      transactions: [expect.objectContaining({ kind: 'AUTHORIZATION', status: 'AUTHORIZED', entries: [] })],
    });
    const { after } = spec.when(command);
    expect(after.money('P')).toEqual({ posted: 100n, held: 60n, available: 40n });
    expect(after.payment(command.requestId)).toEqual({
      payerAccountId: 'P',
      payeeAccountId: 'M',
      currency: 'EUR',
      authorized: 60n,
      captured: 0n,
      voided: 0n,
      expired: 0n,
      reversed: 0n,
      refunded: 0n,
      expireTime: spec.now + 7n * DAY_US,
      fees: [],
    });
  });

  test('is declined for funds as a debit is', () => {
    const command = authorize('P', 'M', 101n);
    const event = funded().when(command).thenDeclined('INSUFFICIENT_FUNDS', 'P');
    expect(event).toMatchObject({
      kind: 'AUTHORIZATION',
      transactions: [
        {
          paymentId: command.requestId,
          entries: [],
          payment: { authorized: 101n, captured: 0n, expired: 0n },
        },
      ],
    });
    expect(event.accounts.map(({ accountId }) => accountId)).toEqual(['P']);
  });

  test('counts other holds', () => {
    funded(authorize('P', 'M', 60n))
      .when(authorize('P', 'M', 41n))
      .thenDeclined('INSUFFICIENT_FUNDS', 'P');
  });

  test('finds no floor in an ASSET payer', () => {
    const { after } = funded(open('X', 'ASSET')).when(authorize('X', 'M', 500n));
    expect(after.account('X').held).toBe(500n);
  });

  test('is declined by a payer frozen for debits', () => {
    funded(freeze('P'))
      .when(authorize('P', 'M', 1n))
      .thenDeclined('ACCOUNT_FROZEN', 'P');
  });

  test('is declined when the payee could not be paid, and carries that account too', () => {
    const closed = funded(close('M'))
      .when(authorize('P', 'M', 1n))
      .thenDeclined('ACCOUNT_CLOSED', 'M');
    expect(closed.accounts.map(({ accountId }) => accountId)).toEqual(['P', 'M']);
    const spec = funded(freeze('M', { scope: 'ALL' }));
    spec.when(authorize('P', 'M', 1n)).thenDeclined('ACCOUNT_FROZEN', 'M');
    expect(funded(freeze('M')).when(authorize('P', 'M', 1n)).event.type).toBe('PaymentAuthorized');
  });

  test('takes an expire time after now, up to 400 days ahead', () => {
    const spec = funded();
    const until = (expireTime: bigint) => spec.when(authorize('P', 'M', 1n, { expireTime }));
    until(spec.now).thenRefused('TIME_OUT_OF_RANGE', { field: 'expire_time' });
    until(spec.now + 400n * DAY_US + 1n).thenRefused('TIME_OUT_OF_RANGE', { field: 'expire_time' });
    expect(until(spec.now + 1n).events).toHaveLength(1);
    const latest = spec.now + 400n * DAY_US;
    expect(until(latest).event).toMatchObject({ transactions: [{ payment: { expireTime: latest } }] });
  });

  test('takes an effective time in the past and none in the future', () => {
    const effectiveTime = START_US;
    expect(funded().when(authorize('P', 'M', 1n, { effectiveTime })).event).toMatchObject({ effectiveTime });
    const spec = funded();
    const future = authorize('P', 'M', 1n, { effectiveTime: spec.now + 1n });
    spec.when(future).thenRefused('TIME_OUT_OF_RANGE', { field: 'effective_time' });
  });

  test('refuses the same types, currencies and missing accounts as a payment', () => {
    funded()
      .when(authorize('P', 'F', 1n))
      .thenRefused('ACCOUNT_TYPE');
    funded()
      .when(authorize('P', 'U', 1n))
      .thenRefused('CURRENCY_MISMATCH');
    funded()
      .when(authorize('P', 'X', 1n))
      .thenRefused('ACCOUNT_NOT_FOUND', { field: 'payee_account_id' });
  });

  test('refuses holds beyond 64 bits, also on accounts without a floor', () => {
    const holds = Array.from({ length: 9 }, () => authorize('X', 'M', 10n ** 18n - 1n));
    const spec = funded(open('X', 'ASSET'), ...holds);
    spec.when(authorize('X', 'M', 10n ** 18n - 1n)).thenRefused('BALANCE_OVERFLOW', { resourceId: 'X' });
  });

  test('refuses holds that take what is posted less what is held beyond 64 bits', () => {
    const limit = { overdraftLimit: INT64_MAX };
    const spec = given(
      ledger,
      open('P', 'LIABILITY', limit),
      open('M'),
      ...nine(withdraw('P', 10n ** 18n - 1n)),
    );
    const most = spec.and(update('P', { overdraftLimit: INT64_MAX }));
    most.when(authorize('P', 'M', 10n ** 18n - 1n)).thenRefused('BALANCE_OVERFLOW');
  });
});

function nine<T extends Command>(command: T): T[] {
  return Array.from({ length: 9 }, (_, i) => ({ ...command, requestId: `${command.requestId}.${i}` }));
}
