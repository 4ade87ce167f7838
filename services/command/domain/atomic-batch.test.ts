import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import {
  adjust,
  authorize,
  capture,
  captureAll,
  close,
  createLedger,
  credit,
  debit,
  deposit,
  fee,
  freeze,
  journal,
  MOST,
  open,
  pay,
  refund,
  refundAll,
  reverse,
  voidPayment,
  withdraw,
} from './test/builders.js';
import { apply, overlay } from './evolve.js';
import { given } from './test/given.js';

const ledger = createLedger();
const funded = (...more: readonly Command[]) =>
  given(
    ledger,
    open('A'),
    open('B'),
    open('F', 'REVENUE'),
    deposit('A', 100n, { requestId: 'cash' }),
    ...more,
  );

describe('a capture or refund of all in an atomic batch', () => {
  test('takes what earlier items leave', () => {
    const decision = funded().whenAtomic(
      authorize('A', 'B', 60n, { requestId: 'auth' }),
      capture('auth', 20n),
      captureAll('auth'),
      refundAll('auth'),
    );
    if (decision.outcome === 'refused') throw new Error(decision.refusal.message);
    expect(decision.events.map(({ transactions: [own] }) => own?.amount)).toEqual([60n, 20n, 40n, 60n]);
  });

  test('that was not decided says what there was, or what was asked for of a payment of the batch', () => {
    const spec = funded(
      authorize('A', 'B', 60n, { requestId: 'auth' }),
      capture('auth', 20n),
      pay('A', 'B', 10n, { requestId: 'paid' }),
    );
    const decision = spec.whenAtomic(
      withdraw('B', 1_000n),
      captureAll('auth'),
      refundAll('paid'),
      authorize('A', 'B', 7n, { requestId: 'more' }),
      captureAll('more'),
    );
    if (decision.outcome === 'refused') throw new Error(decision.refusal.message);
    expect(decision.events.map(({ transactions: [own] }) => [own?.status, own?.amount])).toEqual(
      [1_000n, 40n, 10n, 7n, 7n].map((amount) => ['DECLINED', amount]),
    );
  });
});

describe('a hold in an atomic batch', () => {
  const held = () => funded(authorize('A', 'B', 60n, { requestId: 'auth' }));

  test('is adjusted and voided, later items seeing it', () => {
    const decision = held().whenAtomic(
      adjust('auth', 100n),
      capture('auth', 70n),
      voidPayment('auth'),
      withdraw('A', 30n),
      authorize('B', 'A', 10n, { requestId: 'next' }),
      adjust('next', 20n),
      voidPayment('next'),
    );
    if (decision.outcome === 'refused') throw new Error(decision.refusal.message);
    expect(decision.events.map(({ type }) => type)).toEqual([
      'PaymentAdjusted',
      'TransactionPosted',
      'PaymentVoided',
      'TransactionPosted',
      'PaymentAuthorized',
      'PaymentAdjusted',
      'PaymentVoided',
    ]);
    expect(decision.events[2]?.transactions[0]).toMatchObject({
      transactionId: 'auth',
      status: 'CAPTURED',
      payment: { authorized: 100n, captured: 70n, voided: 30n },
    });
  });

  test('stays as it was where the batch is declined, before the culprit and after it', () => {
    const spec = held();
    const items = [
      adjust('auth', 80n),
      voidPayment('auth'),
      authorize('A', 'B', 5n, { requestId: 'next' }),
      withdraw('B', 1n),
      adjust('next', 7n),
      voidPayment('next'),
      adjust('auth', null, { expireTime: spec.now + 10n }),
    ];
    const decision = spec.whenAtomic(...items);
    if (decision.outcome === 'refused') throw new Error(decision.refusal.message);
    const { events } = decision;
    expect(events.map((event) => 'reason' in event && event.reason)).toEqual([
      ...Array(3).fill('BATCH_DECLINED'),
      'INSUFFICIENT_FUNDS',
      ...Array(3).fill('BATCH_DECLINED'),
    ]);
    expect(
      events.map(({ transactions: [own] }) => [own?.transactionId, own?.kind, own?.amount, own?.paymentId]),
    ).toEqual([
      [items[0]?.requestId, 'ADJUSTMENT', 80n, 'auth'],
      [items[1]?.requestId, 'VOID', 60n, 'auth'],
      ['next', 'AUTHORIZATION', 5n, 'next'],
      [items[3]?.requestId, 'WITHDRAWAL', 1n, null],
      [items[4]?.requestId, 'ADJUSTMENT', 7n, 'next'],
      [items[5]?.requestId, 'VOID', 5n, 'next'],
      [items[6]?.requestId, 'ADJUSTMENT', 60n, 'auth'],
    ]);
    expect(events[1]?.accounts).toEqual([spec.account('A')]);
    const after = overlay(spec.ledger);
    apply(after, events);
    expect(after.account('A')?.state).toEqual(spec.account('A'));
    expect(after.transaction('auth')).toEqual(spec.transaction('auth'));
  });

  test('is refused as it is alone, and names the item', () => {
    expect(held().whenAtomic(voidPayment('auth'), voidPayment('auth'))).toMatchObject({
      outcome: 'refused',
      index: 1,
      refusal: { reason: 'PAYMENT_ENDED' },
    });
    expect(held().whenAtomic(adjust('none', 1n))).toMatchObject({
      refusal: { reason: 'PAYMENT_NOT_FOUND' },
    });
  });

  test('makes no transaction that a later item could reverse', () => {
    for (const item of [
      adjust('auth', 1n, { requestId: 'change' }),
      voidPayment('auth', { requestId: 'change' }),
    ]) {
      expect(held().whenAtomic(item, reverse('change'))).toMatchObject({
        outcome: 'refused',
        index: 1,
        refusal: { reason: 'TRANSACTION_NOT_FOUND' },
      });
    }
  });
});

describe('an atomic batch', () => {
  test('comes to one event an item, in order, a microsecond apart', () => {
    const spec = funded();
    const items = [deposit('B', 5n), pay('A', 'B', 100n), withdraw('B', 105n)];
    const decision = spec.whenAtomic(...items);
    expect(decision).toMatchObject({
      outcome: 'events',
      events: [
        { kind: 'DEPOSIT', effectiveTime: spec.now },
        { kind: 'PAYMENT', effectiveTime: spec.now + 1n },
        { kind: 'WITHDRAWAL', effectiveTime: spec.now + 2n },
      ],
    });
  });

  test('lets later items see earlier ones', () => {
    const decision = funded().whenAtomic(
      authorize('A', 'B', 60n, { requestId: 'auth' }),
      capture('auth', 20n, { requestId: 'cap', final: true }),
      refund('auth', 5n, { requestId: 'back' }),
      reverse('back'),
      reverse('cap'),
      reverse('cash'),
    );
    expect(decision).toMatchObject({ outcome: 'events' });
    if (decision.outcome !== 'events') return;
    expect(decision.events.map(({ type }) => type)).toEqual([
      'PaymentAuthorized',
      ...Array(5).fill('TransactionPosted'),
    ]);
    expect(decision.events[4]?.transactions[2]).toMatchObject({ transactionId: 'auth', version: 5n });
  });

  test('leaves the reader as it was', () => {
    const spec = funded();
    const before = spec.account('A');
    spec.whenAtomic(pay('A', 'B', 1n), pay('A', 'B', 1n));
    expect(spec.account('A')).toBe(before);
  });

  test('lets an expected version see earlier items', () => {
    const decision = funded().whenAtomic(deposit('B', 5n), withdraw('B', 1n, { expectedVersion: 2n }));
    expect(decision.outcome).toBe('events');
  });
});

describe('an error in an atomic batch', () => {
  test('refuses the batch and names the item', () => {
    const decision = funded().whenAtomic(pay('A', 'B', 1n), pay('A', 'F', 1n), pay('A', 'F', 1n));
    expect(decision).toMatchObject({ outcome: 'refused', index: 1, refusal: { reason: 'ACCOUNT_TYPE' } });
  });

  test('of existence comes first, over all items', () => {
    const decision = funded().whenAtomic(pay('A', 'F', 1n), pay('A', 'B', 999n), pay('A', 'X', 1n));
    expect(decision).toMatchObject({
      outcome: 'refused',
      index: 2,
      refusal: { reason: 'ACCOUNT_NOT_FOUND', resourceId: 'X' },
    });
  });

  test('of a missing ledger is the first item`s', () => {
    const decision = given().whenAtomic(pay('A', 'B', 1n));
    expect(decision).toMatchObject({ outcome: 'refused', index: 0, refusal: { reason: 'LEDGER_NOT_FOUND' } });
  });

  test('is a payment or transaction that only a later item makes', () => {
    const begun = authorize('A', 'B', 60n, { requestId: 'auth' });
    const early = funded().whenAtomic(capture('auth', 20n), begun);
    expect(early).toMatchObject({ outcome: 'refused', index: 0, refusal: { reason: 'PAYMENT_NOT_FOUND' } });
    const reversed = funded().whenAtomic(reverse('auth'), begun);
    expect(reversed).toMatchObject({
      outcome: 'refused',
      index: 0,
      refusal: { reason: 'TRANSACTION_NOT_FOUND' },
    });
  });

  test('is a payment that an earlier item makes, but of another kind', () => {
    const decision = funded().whenAtomic(deposit('A', 1n, { requestId: 'more' }), capture('more', 1n));
    expect(decision).toMatchObject({
      outcome: 'refused',
      index: 1,
      refusal: { reason: 'PAYMENT_NOT_FOUND' },
    });
  });

  test('after a decline does not matter: the decline answers', () => {
    const decision = funded().whenAtomic(pay('A', 'B', 999n), pay('A', 'F', 1n));
    expect(decision.outcome).toBe('events');
  });

  test('of a principal beyond 64 bits is found before any decline, since it could not be stored', () => {
    const ids = Array.from({ length: 10 }, (_, i) => `E${i}`);
    const spec = funded(...ids.map((id) => open(id, 'EQUITY')));
    const huge = journal(ids.flatMap((id) => [debit(id, MOST), credit(id, MOST)]));
    const decision = spec.whenAtomic(pay('A', 'B', 999n), huge);
    expect(decision).toMatchObject({ outcome: 'refused', index: 1, refusal: { reason: 'BALANCE_OVERFLOW' } });
  });
});

describe('a decline in an atomic batch', () => {
  const before = [
    pay('A', 'B', 90n, { requestId: 'paid', fees: [fee('PAYEE', 'F', 2n)] }),
    authorize('A', 'B', 10n, { requestId: 'auth' }),
  ];
  const culprit = withdraw('A', 1n, { requestId: 'culprit' });
  const after = [
    deposit('B', 7n, { effectiveTime: 5n }),
    capture('auth', 3n, { requestId: 'cap', fees: [fee('PAYER', 'F', 1n)] }),
    refund('paid', 4n, { force: true }),
    reverse('cap', { requestId: 'undo' }),
    reverse('cash'),
    journal([debit('F', 6n), credit('A', 6n)]),
    pay('A', 'B', 8n, { requestId: 'paid2' }),
    authorize('A', 'B', 9n, { requestId: 'auth2' }),
  ];
  const spec = funded();
  const decision = spec.whenAtomic(...before, culprit, ...after);
  const made = decision.outcome === 'events' ? decision.events : [];
  const events = made.filter((event) => event.type === 'TransactionDeclined');

  test('declines every item', () => {
    expect(made.map(({ type }) => type)).toEqual(Array(11).fill('TransactionDeclined'));
    expect(events.map(({ transactions }) => transactions.length)).toEqual(Array(11).fill(1));
    for (const { transactions } of events)
      expect(transactions[0]).toMatchObject({ status: 'DECLINED', version: 1n });
  });

  test('gives the culprit its own reason and the others BATCH_DECLINED', () => {
    expect(events[2]).toMatchObject({
      reason: 'INSUFFICIENT_FUNDS',
      declinedAccountId: 'A',
      kind: 'WITHDRAWAL',
    });
    for (const event of events.filter((_, i) => i !== 2)) {
      expect(event).toMatchObject({ reason: 'BATCH_DECLINED', declinedAccountId: null });
    }
  });

  test('shows the accounts as they were before the batch', () => {
    for (const { accounts } of events) {
      for (const state of accounts) expect(state).toEqual(spec.account(state.accountId));
    }
    expect(events[2]?.accounts.map(({ accountId }) => accountId)).toEqual(['A', '@settlement:EUR']);
  });

  test('keeps what decided items intended, and of payments only what was asked', () => {
    expect(events[0]).toMatchObject({
      kind: 'PAYMENT',
      effectiveTime: spec.now,
      accounts: [{ accountId: 'A' }, { accountId: 'B' }, { accountId: 'F' }],
      transactions: [{ transactionId: 'paid', payment: { authorized: 90n, captured: 0n, fees: [] } }],
    });
    expect(events[0]?.transactions[0]?.entries).toHaveLength(4);
    expect(events[1]).toMatchObject({
      kind: 'AUTHORIZATION',
      transactions: [{ transactionId: 'auth', payment: { authorized: 10n, captured: 0n } }],
    });
  });

  test('keeps of undecided items kind, amount and chain, and no entries', () => {
    const undecided = events
      .slice(3)
      .map(({ kind, effectiveTime, forced, accounts, transactions: [own] }) => ({
        kind,
        effectiveTime,
        forced,
        accounts,
        amount: own?.amount,
        currency: own?.currency,
        entries: own?.entries,
        paymentId: own?.paymentId,
        reverses: own?.reverses,
      }));
    const none = {
      forced: false,
      accounts: [],
      entries: [],
      currency: 'EUR',
      paymentId: null,
      reverses: null,
    };
    const at = (i: bigint) => ({ ...none, effectiveTime: spec.now + i });
    expect(undecided).toEqual([
      { ...at(3n), kind: 'DEPOSIT', amount: 7n, effectiveTime: 5n },
      { ...at(4n), kind: 'CAPTURE', amount: 3n, paymentId: 'auth' },
      { ...at(5n), kind: 'REFUND', amount: 4n, paymentId: 'paid', forced: true },
      { ...at(6n), kind: 'REVERSAL', amount: 3n, paymentId: 'auth', reverses: 'cap' },
      { ...at(7n), kind: 'REVERSAL', amount: 100n, reverses: 'cash' },
      { ...at(8n), kind: 'JOURNAL', amount: 6n },
      { ...at(9n), kind: 'PAYMENT', amount: 8n, paymentId: 'paid2' },
      { ...at(10n), kind: 'AUTHORIZATION', amount: 9n, paymentId: 'auth2' },
    ]);
  });

  test('leaves payments that later commands find declined', () => {
    const over = overlay(spec.ledger);
    apply(over, events);
    for (const id of ['paid', 'auth', 'paid2', 'auth2']) {
      expect(over.transaction(id)).toMatchObject({ status: 'DECLINED', payment: { captured: 0n } });
    }
    expect(over.accounts.size).toBe(0);
    expect(over.transaction('cash')).toBe(spec.transaction('cash'));
  });

  test('may be the first item or the last, and be for any reason', () => {
    const closed = funded(close('B'));
    const last = closed.whenAtomic(withdraw('A', 1n), deposit('B', 1n));
    expect(last).toMatchObject({ events: [{ reason: 'BATCH_DECLINED' }, { reason: 'ACCOUNT_CLOSED' }] });
    const first = funded(freeze('A')).whenAtomic(withdraw('A', 1n), deposit('B', 1n));
    expect(first).toMatchObject({ events: [{ reason: 'ACCOUNT_FROZEN' }, { reason: 'BATCH_DECLINED' }] });
  });
});
