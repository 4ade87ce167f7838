import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import {
  annotate,
  authorize,
  capture,
  close,
  createLedger,
  credit,
  debit,
  deposit,
  fee,
  freeze,
  journal,
  open,
  pay,
  refund,
  reverse,
  voidPayment,
  withdraw,
} from './test/builders.js';
import { brief, given } from './test/given.js';

const ledger = createLedger();
const cash = deposit('P', 100n, { requestId: 'cash' });
const funded = (...more: readonly Command[]) =>
  given(ledger, open('P'), open('M'), open('F', 'REVENUE'), cash, ...more);

describe('ReverseTransaction', () => {
  test('mirrors every entry in the same order and links both', () => {
    const fees = [fee('PAYEE', 'F', 3n), fee('PAYER', 'F', 1n)];
    const paid = pay('P', 'M', 50n, { fees });
    const command = reverse(paid.requestId);
    const event = funded(paid).when(command).thenPosted();
    expect(event).toMatchObject({ kind: 'REVERSAL', holdChanges: [], forced: false });
    expect(brief(event.entries)).toEqual(['P +50', 'M -50', 'M +3', 'F -3', 'P +1', 'F -1']);
    expect(event.transactions).toMatchObject([
      {
        transactionId: command.requestId,
        kind: 'REVERSAL',
        status: 'POSTED',
        paymentId: paid.requestId,
        reverses: paid.requestId,
        amount: 50n,
        fees,
        payment: null,
      },
      {
        transactionId: paid.requestId,
        status: 'POSTED',
        reversedBy: command.requestId,
        version: 2n,
        payment: { captured: 50n, reversed: 50n, fees: [{ charged: 0n }, { charged: 0n }] },
      },
    ]);
    expect(event.transactions).toHaveLength(2);
  });

  test('undoes deposits, withdrawals and journals', () => {
    const out = withdraw('P', 5n);
    const entries = [debit('P', 5n), credit('M', 5n)];
    const moved = journal(entries);
    for (const command of [cash, out, moved]) {
      const spec = funded(out, moved);
      const { transactions } = spec.when(reverse(command.requestId, { force: true })).thenPosted();
      expect(transactions).toMatchObject([{ reverses: command.requestId, paymentId: null }, { version: 2n }]);
    }
  });

  test('leaves every account as if nothing had happened', () => {
    const paid = pay('P', 'M', 50n, { fees: [fee('PAYEE', 'F', 3n)] });
    const spec = funded(paid, reverse(paid.requestId));
    for (const id of ['P', 'M', 'F']) expect(spec.money(id).posted).toBe(funded().money(id).posted);
  });

  test('refuses a second time', () => {
    funded(reverse('cash')).when(reverse('cash')).thenRefused('ALREADY_REVERSED', { resourceId: 'cash' });
  });

  test('refuses reversals, declined transactions and authorizations', () => {
    const reversal = reverse('cash');
    funded(reversal).when(reverse(reversal.requestId)).thenRefused('NOT_REVERSIBLE');
    const declined = pay('P', 'M', 999n);
    funded(declined).when(reverse(declined.requestId)).thenRefused('NOT_REVERSIBLE');
    const hold = authorize('P', 'M', 9n, { requestId: 'auth' });
    for (const spec of [funded(hold), funded(hold, capture('auth', 9n)), funded(hold, voidPayment('auth'))]) {
      spec
        .when(reverse('auth'))
        .thenRefused('NOT_REVERSIBLE', { field: 'transaction_id', resourceId: 'auth' });
    }
  });

  test('refuses a transaction that is not there', () => {
    funded().when(reverse('none')).thenRefused('TRANSACTION_NOT_FOUND', { field: 'transaction_id' });
  });

  test('is dated now unless it says otherwise, and never in the future', () => {
    const spec = funded();
    expect(spec.when(reverse('cash')).thenPosted().effectiveTime).toBe(spec.now);
    spec.when(reverse('cash', { effectiveTime: spec.now + 1n })).thenRefused('TIME_OUT_OF_RANGE');
  });

  test('is declined for funds, frozen and closed accounts; a decline may be tried again', () => {
    const paid = pay('P', 'M', 50n, { requestId: 'paid' });
    const spent = funded(paid, withdraw('M', 10n));
    const declined = reverse('paid');
    const event = spent.when(declined).thenDeclined('INSUFFICIENT_FUNDS', 'M');
    expect(event.transactions).toMatchObject([{ kind: 'REVERSAL', reverses: 'paid', paymentId: 'paid' }]);
    expect(brief(event.transactions[0]?.entries ?? [])).toEqual(['P +50', 'M -50']);
    expect(spent.and(declined).transaction('paid')).toEqual(spent.transaction('paid'));
    expect(spent.and(declined, deposit('M', 10n)).when(reverse('paid')).thenPosted().kind).toBe('REVERSAL');
    funded(paid, freeze('M')).when(reverse('paid')).thenDeclined('ACCOUNT_FROZEN', 'M');
    funded(paid, withdraw('P', 50n), close('P')).when(reverse('paid')).thenDeclined('ACCOUNT_CLOSED', 'P');
  });

  test('with force skips funds and freezes, never closed', () => {
    const force = { force: true };
    const paid = pay('P', 'M', 50n, { requestId: 'paid' });
    const outcome = funded(paid, withdraw('M', 10n), freeze('M')).when(reverse('paid', force));
    expect(outcome.thenPosted().forced).toBe(true);
    expect(outcome.after.money('M').available).toBe(-10n);
    funded(paid, withdraw('P', 50n), close('P'))
      .when(reverse('paid', force))
      .thenDeclined('ACCOUNT_CLOSED', 'P');
  });
});

describe('reversals within a payment', () => {
  const hold = authorize('P', 'M', 60n, { requestId: 'auth' });
  const first = capture('auth', 20n, { requestId: 'cap1', fees: [fee('PAYEE', 'F', 2n)] });
  const second = capture('auth', 10n, { requestId: 'cap2', fees: [fee('PAYEE', 'F', 1n)] });
  const back = refund('auth', 5n, { requestId: 'back', fees: [fee('PAYEE', 'F', 1n)] });

  test('of a capture counts as reversed, keeps captured, and does not reopen the hold', () => {
    const spec = funded(hold, first, second);
    const { transactions } = spec.when(reverse('cap1')).thenPosted();
    expect(transactions).toMatchObject([
      { paymentId: 'auth', reverses: 'cap1' },
      { transactionId: 'cap1', version: 2n, payment: null },
      {
        transactionId: 'auth',
        status: 'AUTHORIZED',
        version: 4n,
        payment: { captured: 30n, reversed: 20n, fees: [{ charged: 1n, refunded: 0n }] },
      },
    ]);
    const after = spec.and(reverse('cap1'));
    expect(after.account('P').held).toBe(30n);
    after.when(capture('auth', 31n)).thenRefused('CAPTURE_EXCEEDS_HOLD');
  });

  test('of a capture or payment is refused while a refund stands', () => {
    const spec = funded(hold, first, second, back);
    spec.when(reverse('cap2')).thenRefused('PAYMENT_HAS_REFUNDS', { resourceId: 'auth' });
    const paid = pay('P', 'M', 5n, { requestId: 'paid' });
    funded(paid, refund('paid', 1n))
      .when(reverse('paid'))
      .thenRefused('PAYMENT_HAS_REFUNDS', { resourceId: 'paid' });
  });

  test('of a refund makes it refundable again, with its fees', () => {
    const spec = funded(hold, first, back, reverse('back'));
    expect(spec.payment('auth')).toMatchObject({
      captured: 20n,
      reversed: 0n,
      refunded: 0n,
      fees: [{ charged: 2n, refunded: 0n }],
    });
    expect(spec.transaction('back')).toMatchObject({ version: 2n });
    expect(
      spec.when(refund('auth', 20n, { fees: [fee('PAYEE', 'F', 2n)], force: true })).events,
    ).toHaveLength(1);
  });

  test('of all refunds opens the way to reverse the capture', () => {
    const spec = funded(hold, first, back, reverse('back'));
    expect(spec.when(reverse('cap1')).thenPosted().kind).toBe('REVERSAL');
  });

  test('of a refund is allowed while another stands', () => {
    const spec = funded(hold, first, back, refund('auth', 1n));
    expect(spec.when(reverse('back')).after.payment('auth').refunded).toBe(1n);
  });

  test('of a capture leaves an ended payment CAPTURED', () => {
    const spec = funded(hold, capture('auth', 60n, { requestId: 'all' }), reverse('all'));
    expect(spec.transaction('auth')).toMatchObject({ status: 'CAPTURED', payment: { reversed: 60n } });
    spec.when(refund('auth', 1n)).thenRefused('REFUND_EXCEEDS_CAPTURED');
  });
});

describe('UpdateTransaction', () => {
  test('changes description and metadata of any transaction, and raises its version', () => {
    const command = annotate('cash', { description: 'late', metadata: { k: 'v' } });
    const spec = funded();
    expect(spec.when(command).event).toEqual({
      type: 'TransactionUpdated',
      accounts: [],
      transactions: [
        {
          ...spec.transaction('cash'),
          description: 'late',
          metadata: { k: 'v' },
          annotated: true,
          version: 2n,
        },
      ],
    });
  });

  test('keeps what it does not name', () => {
    const noted = deposit('P', 1n, { requestId: 'noted', description: 'd', metadata: { k: 'v' } });
    const spec = funded(noted, annotate('noted', { description: '' }));
    expect(spec.transaction('noted')).toMatchObject({ description: '', metadata: { k: 'v' }, version: 2n });
    expect(spec.and(annotate('noted', { metadata: {} })).transaction('noted')).toMatchObject({
      metadata: {},
    });
  });

  test('reaches declined transactions and authorizations', () => {
    const declined = pay('P', 'M', 999n);
    const hold = authorize('P', 'M', 9n);
    const spec = funded(declined, hold);
    for (const { requestId } of [declined, hold]) {
      expect(spec.when(annotate(requestId, { description: 'x' })).after.transaction(requestId)).toMatchObject(
        {
          ...spec.transaction(requestId),
          description: 'x',
          annotated: true,
          version: 2n,
        },
      );
    }
  });

  test('survives later changes of the payment', () => {
    const hold = authorize('P', 'M', 9n, { requestId: 'auth' });
    const spec = funded(hold, annotate('auth', { description: 'x' }), capture('auth', 1n));
    expect(spec.transaction('auth')).toMatchObject({ description: 'x', annotated: true, version: 3n });
  });

  test('refuses a transaction that is not there', () => {
    funded().when(annotate('none')).thenRefused('TRANSACTION_NOT_FOUND', { resourceId: 'none' });
  });
});
