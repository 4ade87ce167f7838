import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import {
  authorize,
  capture,
  close,
  createLedger,
  deposit,
  expire,
  fee,
  freeze,
  money,
  open,
  pay,
  refund,
  refundAll,
  reverse,
  voidPayment,
  withdraw,
} from './test/builders.js';
import { brief, given } from './test/given.js';

const ledger = createLedger();
const PAID = 'paid';
const fees = [fee('PAYER', 'F', 4n), fee('PAYEE', 'F', 3n), fee('PAYEE', 'G', 2n)];
/** P paid M 50; the payer bore 4 to F, the payee 3 to F and 2 to G. */
const paid = (...more: readonly Command[]) =>
  given(
    ledger,
    open('P'),
    open('M'),
    open('F', 'REVENUE'),
    open('G'),
    deposit('P', 100n),
    pay('P', 'M', 50n, { requestId: PAID, fees }),
    ...more,
  );

describe('RefundPayment of all', () => {
  /** M can return the fees that it bore. */
  const able = (...more: readonly Command[]) => paid(deposit('M', 5n), ...more);

  test('returns the principal that is left to refund, and no fee', () => {
    const event = able(refund(PAID, 20n)).when(refundAll(PAID)).thenPosted();
    expect(event.transactions).toMatchObject([
      { kind: 'REFUND', amount: 30n, fees: [] },
      { payment: { refunded: 50n, fees: [{ refunded: 0n }, { refunded: 0n }, { refunded: 0n }] } },
    ]);
  });

  test('is refused where nothing is left to refund', () => {
    able(refundAll(PAID)).when(refundAll(PAID)).thenRefused('REFUND_EXCEEDS_CAPTURED', { field: 'all' });
    const held = able(authorize('P', 'M', 5n, { requestId: 'held' }));
    held.when(refundAll('held')).thenRefused('REFUND_EXCEEDS_CAPTURED', { field: 'all' });
  });

  test('is possible again once a refund was reversed', () => {
    const spec = able(refundAll(PAID, { requestId: 'back' }), reverse('back'));
    expect(spec.when(refundAll(PAID)).thenPosted().transactions[0]).toMatchObject({ amount: 50n });
  });

  test('goes to the account that takes the place of the payer', () => {
    const event = able()
      .when(refundAll(PAID, { toAccountId: 'G' }))
      .thenPosted();
    expect(event.entries.map(({ accountId, amount }) => [accountId, amount])).toEqual([
      ['M', 50n],
      ['G', 50n],
    ]);
  });
});

describe('RefundPayment', () => {
  test('moves principal from payee to payer, then each fee back from its account to who bore it', () => {
    const command = refund(PAID, 10n, { fees: [fee('PAYER', 'F', 1n), fee('PAYEE', 'G', 2n)] });
    const event = paid().when(command).thenPosted();
    expect(event).toMatchObject({ kind: 'REFUND', holdChanges: [], forced: false });
    expect(brief(event.entries)).toEqual(['M -10', 'P +10', 'F -1', 'P +1', 'G -2', 'M +2']);
    expect(event.transactions).toMatchObject([
      {
        transactionId: command.requestId,
        paymentId: PAID,
        kind: 'REFUND',
        amount: 10n,
        payment: null,
        version: 1n,
      },
      {
        transactionId: PAID,
        kind: 'PAYMENT',
        status: 'POSTED',
        version: 2n,
        payment: {
          captured: 50n,
          refunded: 10n,
          fees: [
            { paidBy: 'PAYER', toAccountId: 'F', charged: 4n, refunded: 1n },
            { paidBy: 'PAYEE', toAccountId: 'F', charged: 3n, refunded: 0n },
            { paidBy: 'PAYEE', toAccountId: 'G', charged: 2n, refunded: 2n },
          ],
        },
      },
    ]);
  });

  test('returns no fee unless it lists one', () => {
    expect(brief(paid().when(refund(PAID, 10n)).thenPosted().entries)).toEqual(['M -10', 'P +10']);
  });

  test('is bounded by what was captured, over all refunds', () => {
    const spec = paid(deposit('M', 50n));
    expect(spec.when(refund(PAID, 50n)).thenPosted().kind).toBe('REFUND');
    spec.when(refund(PAID, 51n)).thenRefused('REFUND_EXCEEDS_CAPTURED', { resourceId: PAID });
    const rest = spec.and(refund(PAID, 20n));
    rest.when(refund(PAID, 31n)).thenRefused('REFUND_EXCEEDS_CAPTURED');
    expect(rest.when(refund(PAID, 30n)).events).toHaveLength(1);
  });

  test('is bounded by what was charged of each fee, over all refunds and within one', () => {
    const spec = paid(refund(PAID, 1n, { fees: [fee('PAYEE', 'F', 1n)] }));
    const returning = (...list: Parameters<typeof fee>[]) =>
      spec.when(refund(PAID, 1n, { fees: list.map((args) => fee(...args)) }));
    expect(returning(['PAYEE', 'F', 2n]).events).toHaveLength(1);
    returning(['PAYEE', 'F', 3n]).thenRefused('FEE_REFUND_EXCEEDS_CHARGED', { field: 'fees[0]' });
    returning(['PAYEE', 'F', 1n], ['PAYEE', 'F', 2n]).thenRefused('FEE_REFUND_EXCEEDS_CHARGED');
    expect(returning(['PAYER', 'F', 4n], ['PAYEE', 'F', 2n]).events).toHaveLength(1);
    const second = { field: 'fees[1]' };
    returning(['PAYEE', 'F', 2n], ['PAYER', 'G', 1n]).thenRefused('FEE_REFUND_EXCEEDS_CHARGED', second);
  });

  test('refuses an unknown payment, an unknown fee account, and another currency', () => {
    paid().when(refund('none', 1n)).thenRefused('PAYMENT_NOT_FOUND', { resourceId: 'none' });
    paid()
      .when(refund(PAID, 1n, { fees: [fee('PAYER', 'X', 1n)] }))
      .thenRefused('ACCOUNT_NOT_FOUND');
    paid()
      .when(refund(PAID, 1n, { amount: money(1n, 'USD') }))
      .thenRefused('CURRENCY_MISMATCH');
  });

  test('refuses a payment that was declined, and one of which nothing was captured', () => {
    const declined = pay('P', 'M', 999n);
    paid(declined).when(refund(declined.requestId, 1n)).thenRefused('PAYMENT_DECLINED');
    const hold = authorize('P', 'M', 5n);
    paid(hold).when(refund(hold.requestId, 1n)).thenRefused('REFUND_EXCEEDS_CAPTURED');
    paid(hold, voidPayment(hold.requestId))
      .when(refund(hold.requestId, 1n))
      .thenRefused('REFUND_EXCEEDS_CAPTURED');
  });

  test('of an authorization is bounded by its captures, open, ended and expired alike', () => {
    const hold = authorize('P', 'M', 20n, { requestId: 'auth' });
    const spec = paid(hold, capture('auth', 5n), capture('auth', 7n));
    const expiry = spec.payment('auth').expireTime ?? 0n;
    for (const ended of [
      spec,
      spec.and(voidPayment('auth')),
      paid(hold, capture('auth', 12n)).at(expiry).and(expire('auth')),
    ]) {
      ended.when(refund('auth', 13n)).thenRefused('REFUND_EXCEEDS_CAPTURED');
      expect(ended.when(refund('auth', 12n)).after.transaction('auth')).toMatchObject({
        status: ended.transaction('auth').status,
        payment: { refunded: 12n },
      });
    }
  });

  test('is bounded by captures that were not reversed', () => {
    const first = capture('auth', 5n, { fees: [fee('PAYEE', 'F', 1n)] });
    const second = capture('auth', 7n, { fees: [fee('PAYEE', 'F', 2n)] });
    const spec = paid(
      authorize('P', 'M', 20n, { requestId: 'auth' }),
      first,
      second,
      reverse(second.requestId),
    );
    spec.when(refund('auth', 6n)).thenRefused('REFUND_EXCEEDS_CAPTURED');
    spec
      .when(refund('auth', 5n, { fees: [fee('PAYEE', 'F', 2n)] }))
      .thenRefused('FEE_REFUND_EXCEEDS_CHARGED');
    expect(spec.when(refund('auth', 5n, { fees: [fee('PAYEE', 'F', 1n)] })).events).toHaveLength(1);
  });

  test('is declined when the payee lacks the funds, and leaves the payment as it was', () => {
    const spec = paid(withdraw('M', 45n));
    const command = refund(PAID, 1n);
    const event = spec.when(command).thenDeclined('INSUFFICIENT_FUNDS', 'M');
    expect(event).toMatchObject({ kind: 'REFUND', transactions: [{ paymentId: PAID }] });
    expect(spec.and(command).transaction(PAID)).toEqual(spec.transaction(PAID));
  });

  test('judges the payee after all entries, a returned fee included', () => {
    const spec = paid(withdraw('M', 45n));
    const returned = refund(PAID, 3n, { fees: [fee('PAYEE', 'F', 3n)] });
    expect(spec.when(returned).after.money('M').posted).toBe(0n);
  });

  test('judges a fee account with a floor', () => {
    const spec = paid(withdraw('G', 2n));
    spec.when(refund(PAID, 3n, { fees: [fee('PAYEE', 'G', 1n)] })).thenDeclined('INSUFFICIENT_FUNDS', 'G');
  });

  test('is declined by frozen and closed accounts', () => {
    paid(freeze('M')).when(refund(PAID, 1n)).thenDeclined('ACCOUNT_FROZEN', 'M');
    paid(freeze('P', { scope: 'ALL' }))
      .when(refund(PAID, 1n))
      .thenDeclined('ACCOUNT_FROZEN', 'P');
    paid(withdraw('P', 46n), close('P')).when(refund(PAID, 1n)).thenDeclined('ACCOUNT_CLOSED', 'P');
  });

  test('with force skips funds and freezes, never closed, and is recorded', () => {
    const force = { force: true };
    const spec = paid(withdraw('M', 45n), freeze('M'), freeze('P', { scope: 'ALL' }));
    const outcome = spec.when(refund(PAID, 9n, force));
    expect(outcome.thenPosted().forced).toBe(true);
    expect(outcome.after.money('M').available).toBe(-9n);
    paid(withdraw('P', 46n), close('P'))
      .when(refund(PAID, 1n, force))
      .thenDeclined('ACCOUNT_CLOSED', 'P');
  });

  test('refuses a future effective time', () => {
    const spec = paid();
    spec.when(refund(PAID, 1n, { effectiveTime: spec.now + 1n })).thenRefused('TIME_OUT_OF_RANGE');
  });
});

describe('RefundPayment through other accounts', () => {
  /** P is closed; so is M in the second. N is another customer, U has another currency. */
  const withoutPayer = (...more: readonly Command[]) =>
    paid(open('N'), open('U', 'LIABILITY', { currency: 'USD' }), withdraw('P', 46n), close('P'), ...more);
  const withoutPayee = () => paid(open('N'), deposit('N', 30n), withdraw('M', 45n), close('M'));

  test('pays another account where the payer is closed, and keeps the totals of the payment', () => {
    const spec = withoutPayer();
    const command = refund(PAID, 10n, { toAccountId: 'N', fees: [fee('PAYER', 'F', 1n)] });
    const outcome = spec.when(command);
    expect(brief(outcome.thenPosted().entries)).toEqual(['M -10', 'N +10', 'F -1', 'N +1']);
    expect(outcome.after.transaction(PAID)).toMatchObject({
      payment: { payerAccountId: 'P', payeeAccountId: 'M', captured: 50n, refunded: 10n },
    });
    spec
      .and(command)
      .when(refund(PAID, 41n, { toAccountId: 'N' }))
      .thenRefused('REFUND_EXCEEDS_CAPTURED');
  });

  test('takes the money from another account where the payee is closed', () => {
    const command = refund(PAID, 10n, { fromAccountId: 'N', fees: [fee('PAYEE', 'F', 1n)] });
    expect(brief(withoutPayee().when(command).thenPosted().entries)).toEqual([
      'N -10',
      'P +10',
      'F -1',
      'N +1',
    ]);
    withoutPayee().when(refund(PAID, 1n)).thenDeclined('ACCOUNT_CLOSED', 'M');
  });

  test('judges the account that gives the money like a payee', () => {
    withoutPayee()
      .when(refund(PAID, 31n, { fromAccountId: 'N' }))
      .thenDeclined('INSUFFICIENT_FUNDS', 'N');
  });

  test('can be reversed, and is refundable again', () => {
    const command = refund(PAID, 10n, { toAccountId: 'N' });
    const spec = withoutPayer(command);
    const outcome = spec.when(reverse(command.requestId));
    expect(brief(outcome.thenPosted().entries)).toEqual(['M +10', 'N -10']);
    expect(outcome.after.transaction(PAID)).toMatchObject({ payment: { refunded: 0n } });
  });

  test('refuses accounts that are not there, that no payment could have, or that would pay themselves', () => {
    const spec = withoutPayer();
    const at = (resourceId: string, field: string) => ({ resourceId, field });
    const refuses = (
      more: Parameters<typeof refund>[2],
      ...expected: Parameters<ReturnType<typeof spec.when>['thenRefused']>
    ) => {
      spec.when(refund(PAID, 1n, more)).thenRefused(...expected);
    };
    refuses({ toAccountId: 'none' }, 'ACCOUNT_NOT_FOUND', at('none', 'to_account_id'));
    refuses({ fromAccountId: 'none' }, 'ACCOUNT_NOT_FOUND', at('none', 'from_account_id'));
    refuses({ toAccountId: 'F' }, 'ACCOUNT_TYPE', at('F', 'to_account_id'));
    refuses({ toAccountId: 'U' }, 'CURRENCY_MISMATCH', at('U', 'to_account_id'));
    refuses({ toAccountId: 'M' }, 'ACCOUNT_TYPE', at('M', 'to_account_id'));
    refuses({ fromAccountId: 'P' }, 'ACCOUNT_TYPE', at('P', 'from_account_id'));
    const fees = [fee('PAYEE', 'G', 1n)];
    refuses({ toAccountId: 'G', fees }, 'ACCOUNT_TYPE', at('G', 'fees[0].to_account_id'));
  });
});
