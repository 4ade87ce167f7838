import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import {
  authorize,
  capture,
  captureAll,
  close,
  createLedger,
  deposit,
  expire,
  fee,
  freeze,
  money,
  open,
  pay,
  update,
  voidPayment,
  withdraw,
} from './test/builders.js';
import { brief, given } from './test/given.js';

const ledger = createLedger();
const P = 'auth';
const EXPIRY_US = 4_000_000_000_000_000n;
/** P has 100 of which 60 are held for M under the payment `auth`. */
const held = (...more: readonly Command[]) =>
  given(
    ledger,
    open('P'),
    open('M'),
    open('F', 'REVENUE'),
    deposit('P', 100n),
    authorize('P', 'M', 60n, { requestId: P, expireTime: null }),
    ...more,
  );
const expiry = held().payment(P).expireTime ?? EXPIRY_US;

describe('CapturePayment of all', () => {
  test('takes what remains when it is decided, and ends the payment', () => {
    const spec = held(capture(P, 20n));
    const command = captureAll(P);
    const event = spec.when(command).thenPosted();
    expect(event.transactions).toMatchObject([
      { kind: 'CAPTURE', amount: 40n, currency: 'EUR' },
      { status: 'CAPTURED', payment: { captured: 60n, voided: 0n } },
    ]);
    expect(event.holdChanges).toMatchObject([{ accountId: 'P', delta: -40n, heldAfter: 0n }]);
    expect(event.entries.map(({ accountId, amount }) => [accountId, amount])).toEqual([
      ['P', 40n],
      ['M', 40n],
    ]);
  });

  test('is refused where nothing remains, or no longer', () => {
    held(captureAll(P)).when(captureAll(P)).thenRefused('PAYMENT_ENDED');
    held(voidPayment(P)).when(captureAll(P)).thenRefused('PAYMENT_ENDED');
    held().at(expiry).when(captureAll(P)).thenRefused('HOLD_EXPIRED');
    held().when(captureAll('none')).thenRefused('PAYMENT_NOT_FOUND');
  });

  test('of a frozen payer is declined with the amount that it would have taken', () => {
    const event = held(capture(P, 20n), freeze('P')).when(captureAll(P)).event;
    expect(event).toMatchObject({ type: 'TransactionDeclined', transactions: [{ amount: 40n }] });
  });
});

describe('CapturePayment', () => {
  test('releases the part of the hold and moves it, hold change first', () => {
    const spec = held();
    const command = capture(P, 20n);
    const event = spec.when(command).thenPosted();
    expect(event).toMatchObject({
      kind: 'CAPTURE',
      forced: false,
      holdChanges: [{ accountId: 'P', delta: -20n, heldAfter: 40n, version: 4n }],
      entries: [
        { accountId: 'P', direction: 'DEBIT', amount: 20n, version: 5n, postedAfter: 80n },
        { accountId: 'M', direction: 'CREDIT', amount: 20n, version: 2n, postedAfter: 20n },
      ],
      accounts: [
        { accountId: 'P', version: 5n, held: 40n },
        { accountId: 'M', version: 2n },
      ],
    });
    const { after } = spec.when(command);
    expect(after.money('P')).toEqual({ posted: 80n, held: 40n, available: 40n });
  });

  test('touches its own transaction and then the payment, which stays AUTHORIZED', () => {
    const command = capture(P, 20n, { fees: [fee('PAYEE', 'F', 1n)] });
    const { transactions } = held().when(command).thenPosted();
    expect(transactions).toMatchObject([
      {
        transactionId: command.requestId,
        paymentId: P,
        kind: 'CAPTURE',
        status: 'POSTED',
        amount: 20n,
        payment: null,
        version: 1n,
      },
      {
        transactionId: P,
        kind: 'AUTHORIZATION',
        status: 'AUTHORIZED',
        version: 2n,
        payment: { authorized: 60n, captured: 20n, fees: [{ charged: 1n }] },
      },
    ]);
    expect(transactions).toHaveLength(2);
  });

  test('sums fees over captures by who bears them and where they go', () => {
    const fees = [fee('PAYEE', 'F', 1n), fee('PAYER', 'F', 2n)];
    const spec = held(capture(P, 20n, { fees }), capture(P, 10n, { fees: [fee('PAYER', 'F', 5n)] }));
    expect(spec.payment(P).fees).toEqual([
      { paidBy: 'PAYEE', toAccountId: 'F', charged: 1n, refunded: 0n },
      { paidBy: 'PAYER', toAccountId: 'F', charged: 7n, refunded: 0n },
    ]);
  });

  test('of all that is held ends the payment CAPTURED', () => {
    const spec = held(capture(P, 20n), capture(P, 40n));
    expect(spec.transaction(P)).toMatchObject({
      status: 'CAPTURED',
      version: 3n,
      payment: { captured: 60n },
    });
    expect(spec.account('P').held).toBe(0n);
  });

  test('that is final releases the rest in the same hold change', () => {
    const event = held()
      .when(capture(P, 20n, { final: true }))
      .thenPosted();
    expect(event.holdChanges).toMatchObject([{ delta: -60n, heldAfter: 0n }]);
    expect(event.transactions[1]).toMatchObject({
      status: 'CAPTURED',
      payment: { captured: 20n, voided: 40n },
    });
  });

  test('that is final and takes all voids nothing', () => {
    const spec = held(capture(P, 60n, { final: true }));
    expect(spec.payment(P)).toMatchObject({ captured: 60n, voided: 0n });
  });

  test('refuses more than remains of the hold', () => {
    held().when(capture(P, 61n)).thenRefused('CAPTURE_EXCEEDS_HOLD', { resourceId: P });
    held(capture(P, 20n)).when(capture(P, 41n)).thenRefused('CAPTURE_EXCEEDS_HOLD');
  });

  test('refuses another currency than the payment has', () => {
    const usd = capture(P, 1n, { amount: money(1n, 'USD') });
    held().when(usd).thenRefused('CURRENCY_MISMATCH', { field: 'amount.currency' });
  });

  test('refuses fees that the contract does not allow', () => {
    held()
      .when(capture(P, 2n, { fees: [fee('PAYEE', 'F', 3n)] }))
      .thenRefused('FEE_EXCEEDS_AMOUNT');
    held()
      .when(capture(P, 2n, { fees: [fee('PAYEE', 'P', 1n)] }))
      .thenRefused('ACCOUNT_TYPE');
    held()
      .when(capture(P, 2n, { fees: [fee('PAYEE', 'X', 1n)] }))
      .thenRefused('ACCOUNT_NOT_FOUND');
  });

  test('refuses fees of more than 100 pairs of bearer and fee account over the life of a payment', () => {
    const accounts = Array.from({ length: 51 }, (_, i) => `F${i}`);
    const ten = (from: number, bearer: 'PAYER' | 'PAYEE') =>
      accounts.slice(from, from + 10).map((accountId) => fee(bearer, accountId, 1n));
    const spec = held(
      ...accounts.map((accountId) => open(accountId, 'REVENUE')),
      update('P', { overdraftLimit: 1_000n }),
      ...[0, 10, 20, 30, 40].map((from) => capture(P, 1n, { fees: ten(from, 'PAYER') })),
      ...[0, 10, 20, 30].map((from) => capture(P, 10n, { fees: ten(from, 'PAYEE') })),
    );
    const more = [fee('PAYER', 'F50', 1n), ...ten(40, 'PAYEE')];
    spec.when(capture(P, 12n, { fees: more })).thenRefused('TOO_MANY_FEES', { field: 'fees', resourceId: P });
    const full = spec.and(capture(P, 12n, { fees: more.slice(1) }));
    expect(full.payment(P).fees).toHaveLength(100);
    full.when(capture(P, 1n, { fees: [fee('PAYER', 'F50', 1n)] })).thenRefused('TOO_MANY_FEES');
    expect(full.when(capture(P, 1n, { fees: ten(0, 'PAYER') })).thenPosted().kind).toBe('CAPTURE');
  });

  test('refuses a payment that is not there, and a transaction that is none', () => {
    const cash = deposit('P', 1n);
    held()
      .when(capture('none', 1n))
      .thenRefused('PAYMENT_NOT_FOUND', { field: 'payment_id', resourceId: 'none' });
    held(cash).when(capture(cash.requestId, 1n)).thenRefused('PAYMENT_NOT_FOUND');
    const captured = capture(P, 1n);
    held(captured).when(capture(captured.requestId, 1n)).thenRefused('PAYMENT_NOT_FOUND');
  });

  test('of a payment made at once is refused as ended', () => {
    const paid = pay('P', 'M', 5n);
    held(paid).when(capture(paid.requestId, 1n)).thenRefused('PAYMENT_ENDED');
  });

  test('of a declined payment is refused as declined, whatever the time', () => {
    const declined = [authorize('P', 'M', 999n), pay('P', 'M', 999n)];
    for (const command of declined) {
      const spec = held(command);
      spec.when(capture(command.requestId, 1n)).thenRefused('PAYMENT_DECLINED');
      spec
        .at(expiry * 2n)
        .when(capture(command.requestId, 1n))
        .thenRefused('PAYMENT_DECLINED');
    }
  });

  test('refuses a future effective time', () => {
    held()
      .when(capture(P, 1n, { effectiveTime: expiry }))
      .thenRefused('TIME_OUT_OF_RANGE');
  });
});

describe('funds of a capture', () => {
  test('are never judged within the hold, even when available is below zero', () => {
    const spec = given(
      ledger,
      open('P', 'LIABILITY', { overdraftLimit: 100n }),
      open('M'),
      authorize('P', 'M', 60n, { requestId: P }),
      update('P', { overdraftLimit: 0n }),
    );
    expect(spec.money('P').available).toBe(-60n);
    expect(spec.when(capture(P, 60n)).after.money('P').available).toBe(-60n);
  });

  test('are judged for the fee of the payer, as a debit', () => {
    const spec = held(withdraw('P', 40n));
    spec.when(capture(P, 60n, { fees: [fee('PAYER', 'F', 1n)] })).thenDeclined('INSUFFICIENT_FUNDS', 'P');
    const one = held(withdraw('P', 39n));
    expect(one.when(capture(P, 60n, { fees: [fee('PAYER', 'F', 1n)] })).after.money('P').available).toBe(0n);
  });

  test('count what a final capture releases towards the fee', () => {
    const spec = held(withdraw('P', 40n));
    const withFee = (amount: bigint) => capture(P, 55n, { final: true, fees: [fee('PAYER', 'F', amount)] });
    expect(spec.when(withFee(5n)).after.money('P').available).toBe(0n);
    spec.when(withFee(6n)).thenDeclined('INSUFFICIENT_FUNDS', 'P');
  });

  test('declined leave the payment as it was, and able to be captured', () => {
    const declined = capture(P, 60n, { fees: [fee('PAYER', 'F', 1n)] });
    const spec = held(withdraw('P', 40n));
    const event = spec.when(declined).thenDeclined('INSUFFICIENT_FUNDS', 'P');
    expect(event.transactions).toMatchObject([{ kind: 'CAPTURE', paymentId: P, payment: null }]);
    expect(brief(event.transactions[0]?.entries ?? [])).toEqual(['P -60', 'M +60', 'P -1', 'F +1']);
    expect(event.accounts.map(({ accountId }) => accountId)).toEqual(['P', 'M', 'F']);
    expect(spec.and(declined).transaction(P)).toEqual(spec.transaction(P));
    expect(spec.and(declined).when(capture(P, 60n)).thenPosted().kind).toBe('CAPTURE');
  });

  test('are declined by a frozen payer, a closed payee and a payee frozen for all', () => {
    held(freeze('P')).when(capture(P, 1n)).thenDeclined('ACCOUNT_FROZEN', 'P');
    held(close('M')).when(capture(P, 1n)).thenDeclined('ACCOUNT_CLOSED', 'M');
    held(freeze('M', { scope: 'ALL' }))
      .when(capture(P, 1n))
      .thenDeclined('ACCOUNT_FROZEN', 'M');
  });
});

describe('VoidPayment', () => {
  test('releases all that remains and ends the payment VOIDED', () => {
    const { event } = held().when(voidPayment(P));
    expect(event).toMatchObject({
      type: 'PaymentVoided',
      holdChanges: [{ accountId: 'P', delta: -60n, heldAfter: 0n, version: 4n }],
      accounts: [{ accountId: 'P', held: 0n, version: 4n }],
      transactions: [{ transactionId: P, status: 'VOIDED', version: 2n, payment: { voided: 60n } }],
    });
  });

  test('ends a partly captured payment CAPTURED', () => {
    const spec = held(capture(P, 20n), voidPayment(P));
    expect(spec.transaction(P)).toMatchObject({
      status: 'CAPTURED',
      payment: { captured: 20n, voided: 40n },
    });
  });

  test('works on frozen accounts', () => {
    const { event } = held(freeze('P', { scope: 'ALL' })).when(voidPayment(P));
    expect(event).toMatchObject({
      type: 'PaymentVoided',
      accounts: [{ status: 'FROZEN', freezeScope: 'ALL' }],
    });
  });

  test('refuses what is not there, declined, ended or never held', () => {
    const declined = authorize('P', 'M', 999n);
    const paid = pay('P', 'M', 5n);
    held().when(voidPayment('none')).thenRefused('PAYMENT_NOT_FOUND');
    held(declined).when(voidPayment(declined.requestId)).thenRefused('PAYMENT_DECLINED');
    held(paid).when(voidPayment(paid.requestId)).thenRefused('PAYMENT_ENDED');
    held(voidPayment(P)).when(voidPayment(P)).thenRefused('PAYMENT_ENDED');
    held(capture(P, 60n)).when(voidPayment(P)).thenRefused('PAYMENT_ENDED');
    held(capture(P, 1n, { final: true }))
      .when(voidPayment(P))
      .thenRefused('PAYMENT_ENDED');
  });
});

describe('the expiry of a hold', () => {
  test('is written at the expire time and not a microsecond before', () => {
    held()
      .at(expiry - 1n)
      .when(expire(P))
      .thenNothing();
    expect(held().at(expiry).when(expire(P)).event).toMatchObject({
      type: 'PaymentExpired',
      holdChanges: [{ accountId: 'P', delta: -60n, heldAfter: 0n, version: 4n }],
      accounts: [{ accountId: 'P', held: 0n }],
      transactions: [{ transactionId: P, status: 'EXPIRED', version: 2n, payment: { expired: 60n } }],
    });
  });

  test('ends a partly captured payment CAPTURED', () => {
    const spec = held(capture(P, 20n)).at(expiry).and(expire(P));
    expect(spec.transaction(P)).toMatchObject({
      status: 'CAPTURED',
      payment: { captured: 20n, expired: 40n },
    });
  });

  test('works on frozen accounts', () => {
    expect(
      held(freeze('P', { scope: 'ALL' }))
        .at(expiry)
        .when(expire(P)).events,
    ).toHaveLength(1);
  });

  test('comes to nothing if the hold is gone, or never was', () => {
    const declined = authorize('P', 'M', 999n);
    const paid = pay('P', 'M', 5n);
    const late = (...more: readonly Command[]) => held(...more).at(expiry * 2n);
    late(voidPayment(P)).when(expire(P)).thenNothing();
    late(capture(P, 60n)).when(expire(P)).thenNothing();
    late().and(expire(P)).when(expire(P)).thenNothing();
    late(declined).when(expire(declined.requestId)).thenNothing();
    late(paid).when(expire(paid.requestId)).thenNothing();
    late().when(expire('none')).thenNothing();
  });

  test('answers captures and voids from its time on, before and after it is written', () => {
    const before = held();
    expect(
      before
        .at(expiry - 1n)
        .when(capture(P, 1n))
        .thenPosted().kind,
    ).toBe('CAPTURE');
    expect(before.at(expiry - 1n).when(voidPayment(P)).event.type).toBe('PaymentVoided');
    const after = held().at(expiry).and(expire(P));
    for (const spec of [before.at(expiry), after.at(expiry - 1n), after.at(expiry + 1n)]) {
      spec.when(capture(P, 1n)).thenRefused('HOLD_EXPIRED', { field: 'payment_id', resourceId: P });
      spec.when(voidPayment(P)).thenRefused('HOLD_EXPIRED');
    }
  });

  test('of a partly captured payment answers so too', () => {
    const spec = held(capture(P, 20n)).at(expiry).and(expire(P));
    spec.when(capture(P, 1n)).thenRefused('HOLD_EXPIRED');
    spec.when(voidPayment(P)).thenRefused('HOLD_EXPIRED');
  });

  test('does not matter to a payment that ended otherwise before it', () => {
    for (const end of [voidPayment(P), capture(P, 60n), capture(P, 20n, { final: true })]) {
      held(end)
        .at(expiry + 1n)
        .when(capture(P, 1n))
        .thenRefused('PAYMENT_ENDED');
      held(end)
        .at(expiry + 1n)
        .when(voidPayment(P))
        .thenRefused('PAYMENT_ENDED');
    }
  });
});
