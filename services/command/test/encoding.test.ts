import { describe, expect, test } from '@jest/globals';
import { TransactionKind, TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { transactionChangesOf, transactionOf } from '../../../lib/log/transaction-of.js';
import { LedgerFixture, testId } from '../../../test/ledger-fixture.js';
import { changed, touchedBy } from '../application/decode.js';

function openedLedger() {
  const fixture = new LedgerFixture();
  const ledgerId = 'main';
  fixture.run({ case: 'createLedger', value: { ledgerId, requestId: testId(1) } });
  for (const [index, accountId] of ['alice', 'bob', 'fees'].entries()) {
    fixture.run({
      case: 'openAccount',
      value: { ledgerId, requestId: testId(10 + index), accountId, currency: 'EUR', name: accountId },
    });
  }
  const amount = { currency: 'EUR', minorUnits: 10_000n };
  fixture.run({ case: 'deposit', value: { ledgerId, requestId: testId(20), accountId: 'alice', amount } });
  return { fixture, ledgerId };
}

describe('the encoding of events', () => {
  test('gives back a payment with its fee, reference and metadata', () => {
    const { fixture, ledgerId } = openedLedger();
    const [recorded] = fixture.run({
      case: 'submitPayment',
      value: {
        ledgerId,
        requestId: testId(30),
        payerAccountId: 'alice',
        payeeAccountId: 'bob',
        amount: { currency: 'EUR', minorUnits: 1000n },
        fees: [{ paidBy: 2, toAccountId: 'fees', amount: { currency: 'EUR', minorUnits: 30n } }],
        reference: 'order-7',
        metadata: { b: '2', a: '1' },
      },
    });
    const transaction = recorded && transactionOf(recorded.event);
    expect(transaction).toMatchObject({
      transactionId: testId(30),
      kind: TransactionKind.PAYMENT,
      status: TransactionStatus.POSTED,
      reference: 'order-7',
      metadata: { a: '1', b: '2' },
      paymentId: testId(30),
      payment: { payerAccountId: 'alice', payeeAccountId: 'bob', authorized: 1000n, captured: 1000n },
      entries: [
        { accountId: 'alice', postedAfter: 9000n },
        { accountId: 'bob', postedAfter: 1000n },
        { accountId: 'bob', postedAfter: 970n },
        { accountId: 'fees', postedAfter: 30n },
      ],
    });
  });

  test('gives back an authorization, and its capture as a change of it', () => {
    const { fixture, ledgerId } = openedLedger();
    const amount = { currency: 'EUR', minorUnits: 500n };
    const [authorized] = fixture.run({
      case: 'authorizePayment',
      value: { ledgerId, requestId: testId(40), payerAccountId: 'alice', payeeAccountId: 'bob', amount },
    });
    const [captured] = fixture.run({
      case: 'capturePayment',
      value: {
        ledgerId,
        requestId: testId(41),
        paymentId: testId(40),
        amount: { currency: 'EUR', minorUnits: 200n },
        final: true,
      },
    });
    if (!authorized || !captured) throw new Error('no events');
    const root = touchedBy(authorized.event).made;
    const [change] = transactionChangesOf(captured.event);
    if (!root || !change) throw new Error('no root');
    expect(changed(root, change)).toMatchObject({
      status: 'CAPTURED',
      version: 2n,
      payment: { payerAccountId: 'alice', authorized: 500n, captured: 200n, voided: 300n },
    });
    expect(transactionOf(captured.event)).toMatchObject({
      paymentId: testId(40),
      kind: TransactionKind.CAPTURE,
    });
  });

  test('a payment between two accounts takes few bytes', () => {
    const { fixture, ledgerId } = openedLedger();
    const [recorded] = fixture.run({
      case: 'submitPayment',
      value: {
        ledgerId,
        requestId: testId(30),
        payerAccountId: 'alice',
        payeeAccountId: 'bob',
        amount: { currency: 'EUR', minorUnits: 1000n },
      },
    });
    expect(recorded?.bytes.length).toBeLessThan(300);
  });
});
