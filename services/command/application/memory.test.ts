import { describe, expect, test } from '@jest/globals';
import { BEFORE_THE_LOG } from '../../../lib/log/recorded-event.js';
import { timestampOf } from '../../../lib/base/time.js';
import { LedgerFixture, testId } from '../../../test/ledger-fixture.js';
import { Memory } from './memory.js';

const LEDGER = 'main';

/** A memory that has taken in a payment, the last event of its log. */
function withPayment() {
  const fixture = new LedgerFixture();
  const memory = new Memory(BEFORE_THE_LOG);
  for (const started of fixture.events) memory.absorb(started);
  const run = (...args: Parameters<LedgerFixture['run']>) => {
    const events = fixture.run(...args);
    for (const recorded of events) memory.absorb(recorded);
    return events;
  };
  const amount = { currency: 'EUR', minorUnits: 100n };
  run({ case: 'createLedger', value: { ledgerId: LEDGER, requestId: testId(1) } });
  for (const [index, accountId] of ['alice', 'bob'].entries()) {
    const value = { ledgerId: LEDGER, requestId: testId(10 + index), accountId, currency: 'EUR' };
    run({ case: 'openAccount', value });
  }
  run({ case: 'deposit', value: { ledgerId: LEDGER, requestId: testId(20), accountId: 'alice', amount } });
  // What was asked for before it was made is remembered as absent.
  memory.transactions.fill(LEDGER, testId(30), null);
  const [paid] = run({
    case: 'submitPayment',
    value: {
      ledgerId: LEDGER,
      requestId: testId(30),
      payerAccountId: 'alice',
      payeeAccountId: 'bob',
      amount,
      reference: 'order-7',
    },
  });
  if (paid === undefined) throw new Error('no payment');
  return { memory, run, paid, fixture };
}

describe('the memory of the write side', () => {
  test('finds a payment that nothing changed in its event', () => {
    const { memory } = withPayment();
    expect(memory.transaction(LEDGER, testId(30))).toMatchObject({
      transactionId: testId(30),
      kind: 'PAYMENT',
      status: 'POSTED',
      version: 1n,
      payment: { captured: 100n, payerAccountId: 'alice' },
    });
    expect(memory.transaction('other', testId(30))).toBeUndefined();
  });

  test('finds it as a refund left it', () => {
    const { memory, run } = withPayment();
    const amount = { currency: 'EUR', minorUnits: 40n };
    const value = { ledgerId: LEDGER, requestId: testId(31), paymentId: testId(30), amount };
    run({ case: 'refundPayment', value });
    expect(memory.transaction(LEDGER, testId(30))).toMatchObject({
      version: 2n,
      payment: { refunded: 40n },
    });
  });

  test('asks for it again once the tail has let it go, and does not believe that there was none', () => {
    const { memory, paid } = withPayment();
    memory.dropThrough(paid.position);
    expect(memory.hasRequest(LEDGER, testId(30))).toBe(false);
    expect(memory.transaction(LEDGER, testId(30))).toBeUndefined();
  });

  test('follows the time of a hold as another process moves it, and forgets one that is not open any more', () => {
    const { memory, run, fixture } = withPayment();
    const amount = { currency: 'EUR', minorUnits: 1n };
    const parties = { payerAccountId: 'bob', payeeAccountId: 'alice' };
    const paymentId = testId(40);
    let next = 41;
    const common = () => ({ ledgerId: LEDGER, requestId: testId(next++) });
    const adjust = (expireTime: bigint) => {
      run({
        case: 'adjustAuthorization',
        value: { ...common(), paymentId, expireTime: timestampOf(expireTime) },
      });
    };
    const due = (time: bigint) => memory.holds.due(time, 10).map(({ expireTime }) => expireTime);
    const { now } = fixture;
    const [near, soon, far] = [now + 10_000_000n, now + 20_000_000n, now + 90_000_000n];
    run({
      case: 'authorizePayment',
      value: { ledgerId: LEDGER, requestId: paymentId, ...parties, amount, expireTime: timestampOf(soon) },
    });
    expect(due(soon)).toEqual([soon]);
    adjust(far);
    expect(due(far)).toEqual([]);
    adjust(near);
    expect(due(near)).toEqual([near]);
    run({ case: 'voidPayment', value: { ...common(), paymentId } });
    expect(due(far)).toEqual([]);
  });

  test('knows the request ids of the tail, and no others', () => {
    const { memory, paid } = withPayment();
    expect(memory.hasRequest(LEDGER, testId(20))).toBe(true);
    memory.dropThrough(paid.position - 1n);
    expect(memory.hasRequest(LEDGER, testId(20))).toBe(false);
    expect(memory.hasRequest(LEDGER, testId(30))).toBe(true);
    expect(memory.tailSize).toBe(1);
  });
});
