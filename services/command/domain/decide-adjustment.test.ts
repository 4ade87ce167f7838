import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import {
  adjust,
  assetMoney,
  authorize,
  capture,
  captureAll,
  close,
  createLedger,
  DAY_US,
  deposit,
  expire,
  freeze,
  money,
  MOST,
  open,
  pay,
  update,
  voidPayment,
  withdraw,
} from './test/builders.js';
import { given } from './test/given.js';

const ledger = createLedger();
const P = 'auth';
/** P has 100 of which 60 are held for M under the payment `auth`. */
const held = (...more: readonly Command[]) =>
  given(
    ledger,
    open('P'),
    open('M'),
    deposit('P', 100n),
    authorize('P', 'M', 60n, { requestId: P, expireTime: null }),
    ...more,
  );
const expiry = held().payment(P).expireTime ?? 0n;

describe('AdjustAuthorization to more', () => {
  test('holds the difference, and changes nothing of the payment but what is authorized', () => {
    const spec = held(capture(P, 20n));
    const before = spec.transaction(P);
    const { event, after } = spec.when(adjust(P, 90n));
    expect(event).toEqual({
      type: 'PaymentAdjusted',
      holdChanges: [{ accountId: 'P', delta: 30n, heldAfter: 70n, version: 6n }],
      accounts: [{ ...spec.account('P'), held: 70n, version: 6n }],
      transactions: [
        { ...before, version: before.version + 1n, payment: { ...before.payment, authorized: 90n } },
      ],
    });
    expect(after.money('P')).toEqual({ posted: 80n, held: 70n, available: 10n });
  });

  test('takes all that is available and the overdraft, and is declined beyond, the hold staying as it was', () => {
    const spec = held(update('P', { overdraftLimit: 5n }));
    expect(spec.when(adjust(P, 105n)).after.money('P').available).toBe(0n);
    const command = adjust(P, 106n);
    const event = spec.when(command).thenDeclined('INSUFFICIENT_FUNDS', 'P');
    expect(event).toMatchObject({
      kind: 'ADJUSTMENT',
      effectiveTime: spec.now,
      forced: false,
      accounts: [{ accountId: 'P', held: 60n }],
      transactions: [{ kind: 'ADJUSTMENT', amount: 106n, currency: 'EUR', paymentId: P, payment: null }],
    });
    const { after } = spec.when(command);
    expect(after.payment(P)).toEqual(spec.payment(P));
    expect(after.transaction(command.requestId)).toMatchObject({ status: 'DECLINED', entries: [] });
  });

  test.each([
    ['a payer that is frozen', [freeze('P')], 'ACCOUNT_FROZEN', 'P'],
    ['a payee that is frozen for credits', [freeze('M', { scope: 'ALL' })], 'ACCOUNT_FROZEN', 'M'],
    ['a payee that is closed', [close('M')], 'ACCOUNT_CLOSED', 'M'],
  ] as const)('is declined as an authorization would be for %s', (_, more, reason, accountId) => {
    held(...more)
      .when(adjust(P, 61n))
      .thenDeclined(reason, accountId);
  });

  test('lets a later capture take it', () => {
    const spec = held(adjust(P, 100n), capture(P, 100n));
    expect(spec.transaction(P)).toMatchObject({ status: 'CAPTURED', payment: { authorized: 100n } });
    expect(spec.money('M').posted).toBe(100n);
  });

  test('may hold what another hold of the payer released', () => {
    const spec = held(authorize('P', 'M', 40n, { requestId: 'other' }));
    spec.when(adjust(P, 100n)).thenDeclined('INSUFFICIENT_FUNDS', 'P');
    expect(spec.and(voidPayment('other'), adjust(P, 100n)).money('P').held).toBe(100n);
  });

  test('is refused where a total would leave 64 bits', () => {
    const spec = given(ledger, open('P', 'ASSET'), open('M'), authorize('P', 'M', 1n, { requestId: P }));
    const holds = Array.from({ length: 9 }, () => authorize('P', 'M', MOST));
    spec
      .and(...holds)
      .when(adjust(P, MOST))
      .thenRefused('BALANCE_OVERFLOW');
  });
});

describe('AdjustAuthorization to less', () => {
  test('releases the difference, on frozen accounts too', () => {
    const spec = held(capture(P, 20n), freeze('P'), freeze('M', { scope: 'ALL' }));
    const { event, after } = spec.when(adjust(P, 30n));
    expect(event).toMatchObject({ type: 'PaymentAdjusted', holdChanges: [{ delta: -30n, heldAfter: 10n }] });
    expect(after.transaction(P)).toMatchObject({
      status: 'AUTHORIZED',
      payment: { authorized: 30n, captured: 20n, voided: 0n },
    });
  });

  test('to exactly what was captured ends the payment', () => {
    const spec = held(capture(P, 20n), adjust(P, 20n));
    expect(spec.transaction(P)).toMatchObject({ status: 'CAPTURED', payment: { authorized: 20n } });
    expect(spec.money('P').held).toBe(0n);
    spec.when(captureAll(P)).thenRefused('PAYMENT_ENDED');
    spec.when(adjust(P, 60n)).thenRefused('PAYMENT_ENDED');
  });

  test('is refused below what was captured', () => {
    held(capture(P, 20n))
      .when(adjust(P, 19n))
      .thenRefused('AUTHORIZATION_BELOW_CAPTURED', { field: 'amount.minor_units', resourceId: P });
  });
});

describe('AdjustAuthorization of the time', () => {
  test('moves it later or earlier, and touches no account', () => {
    for (const expireTime of [expiry + 1n, expiry - DAY_US]) {
      const spec = held(freeze('P'));
      const before = spec.transaction(P);
      expect(spec.when(adjust(P, null, { expireTime })).event).toEqual({
        type: 'PaymentAdjusted',
        holdChanges: [],
        accounts: [],
        transactions: [{ ...before, version: 2n, payment: { ...before.payment, expireTime } }],
      });
    }
  });

  test('goes with an amount', () => {
    const { event } = held().when(adjust(P, 70n, { expireTime: expiry + 1n }));
    expect(event).toMatchObject({
      holdChanges: [{ delta: 10n }],
      transactions: [{ payment: { authorized: 70n, expireTime: expiry + 1n } }],
    });
  });

  test('decides from then on when the hold expires', () => {
    const later = held(adjust(P, null, { expireTime: expiry + DAY_US })).at(expiry);
    later.when(expire(P)).thenNothing();
    expect(later.when(capture(P, 1n)).thenPosted().kind).toBe('CAPTURE');
    later
      .at(expiry + DAY_US)
      .when(capture(P, 1n))
      .thenRefused('HOLD_EXPIRED');
    const earlier = held(adjust(P, null, { expireTime: expiry - DAY_US })).at(expiry - DAY_US);
    expect(earlier.when(expire(P)).event).toMatchObject({ type: 'PaymentExpired' });
  });

  test('is in the future, and at most 400 days ahead', () => {
    const spec = held();
    const at = { field: 'expire_time' };
    spec.when(adjust(P, null, { expireTime: spec.now })).thenRefused('TIME_OUT_OF_RANGE', at);
    spec
      .when(adjust(P, null, { expireTime: spec.now + 400n * DAY_US + 1n }))
      .thenRefused('TIME_OUT_OF_RANGE', at);
    expect(spec.when(adjust(P, null, { expireTime: spec.now + 400n * DAY_US })).events).toHaveLength(1);
  });
});

describe('AdjustAuthorization', () => {
  test('to what it is already changes the version alone', () => {
    const spec = held();
    expect(spec.when(adjust(P, 60n, { expireTime: expiry })).event).toEqual({
      type: 'PaymentAdjusted',
      holdChanges: [],
      accounts: [],
      transactions: [{ ...spec.transaction(P), version: 2n }],
    });
  });

  test('needs a hold that is open', () => {
    held(voidPayment(P)).when(adjust(P, 61n)).thenRefused('PAYMENT_ENDED');
    held(captureAll(P)).when(adjust(P, 61n)).thenRefused('PAYMENT_ENDED');
    held().at(expiry).when(adjust(P, 61n)).thenRefused('HOLD_EXPIRED');
    held(withdraw('P', 40n), authorize('P', 'M', 1n, { requestId: 'poor' }))
      .when(adjust('poor', 1n))
      .thenRefused('PAYMENT_DECLINED');
    held(pay('P', 'M', 1n, { requestId: 'paid' }))
      .when(adjust('paid', 2n))
      .thenRefused('PAYMENT_ENDED');
    held().when(adjust('none', 2n)).thenRefused('PAYMENT_NOT_FOUND', { field: 'payment_id' });
  });

  test('is in the currency of the payment', () => {
    const spec = held(open('U', 'LIABILITY', { currency: 'USD' }));
    spec
      .when(adjust(P, 61n, { amount: money(61n, 'USD') }))
      .thenRefused('CURRENCY_MISMATCH', { field: 'amount.currency' });
    spec.when(adjust(P, 61n, { amount: assetMoney(61n) })).thenRefused('UNKNOWN_CURRENCY');
  });
});
