/**
 * A ledger, `every`, that each kind of command has touched, with each kind of end that a payment can have.
 */
import { FreezeScope } from '../../../gen/quittance/common/v1/account_pb.js';
import { Direction, FeePayer } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import { DAY, timestampOf } from '../../../lib/base/time.js';
import { type LedgerFixture, testId } from '../../../test/ledger-fixture.js';

const ledgerId = 'every';
const FIRST_ID = 800_000;

/** Adds the ledger to a fixture. */
export function everyCommand(fixture: LedgerFixture): void {
  let next = FIRST_ID;
  const id = () => testId(next++);
  const run = fixture.run.bind(fixture);
  const eur = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
  const base = () => ({ ledgerId, requestId: id() });
  const parties = { payerAccountId: 'alice', payeeAccountId: 'shop' };
  const fees = [{ paidBy: FeePayer.PAYER, toAccountId: 'fees', amount: eur(3n) }];

  run({ case: 'createLedger', value: { ...base(), description: 'all of it', metadata: { b: '1', a: '2' } } });
  for (const accountId of ['alice', 'bob', 'shop', 'shut']) {
    run({
      case: 'openAccount',
      value: { ...base(), accountId, currency: 'EUR', metadata: { z: '1', a: '2' } },
    });
  }
  run({
    case: 'openAccount',
    value: { ...base(), accountId: 'fees', currency: 'EUR', type: AccountType.REVENUE },
  });
  run({ case: 'openAccount', value: { ...base(), accountId: 'yen', currency: 'JPY', overdraftLimit: 500n } });
  run({
    case: 'updateAccount',
    value: {
      ...base(),
      accountId: 'bob',
      updateMask: { paths: ['overdraft_limit', 'metadata'] },
      overdraftLimit: 100n,
      metadata: { k: 'v' },
    },
  });
  run({ case: 'freezeAccount', value: { ...base(), accountId: 'bob', scope: FreezeScope.ALL } });
  run({ case: 'unfreezeAccount', value: { ...base(), accountId: 'bob' } });
  run({ case: 'closeAccount', value: { ...base(), accountId: 'shut' } });

  run({ case: 'deposit', value: { ...base(), accountId: 'alice', amount: eur(100_000n) } });
  run({ case: 'withdraw', value: { ...base(), accountId: 'alice', amount: eur(1_000n) } });
  // Declined for funds, and for an account that is closed.
  const declined = base();
  run({
    case: 'submitPayment',
    value: { ...declined, ...parties, payerAccountId: 'bob', amount: eur(5_000n) },
  });
  run({ case: 'withdraw', value: { ...base(), accountId: 'bob', amount: eur(900n) } });
  run({ case: 'deposit', value: { ...base(), accountId: 'shut', amount: eur(1n) } });

  const paid = base();
  run({
    case: 'submitPayment',
    value: { ...paid, ...parties, amount: eur(700n), fees, reference: 'order 1' },
  });
  const refund = base();
  const refunded = { paymentId: paid.requestId, amount: eur(100n), fees };
  run({ case: 'refundPayment', value: { ...refund, ...refunded } });
  run({ case: 'reverseTransaction', value: { ...base(), transactionId: refund.requestId } });
  run({ case: 'reverseTransaction', value: { ...base(), transactionId: paid.requestId } });

  const authorize = (amount: bigint) => {
    const authorized = base();
    run({ case: 'authorizePayment', value: { ...authorized, ...parties, amount: eur(amount) } });
    return authorized.requestId;
  };
  const capture = (paymentId: string, amount: bigint, final: boolean) => {
    const captured = base();
    run({ case: 'capturePayment', value: { ...captured, paymentId, amount: eur(amount), final, fees } });
    return captured.requestId;
  };
  const partly = authorize(400n);
  const first = capture(partly, 100n, false);
  run({ case: 'reverseTransaction', value: { ...base(), transactionId: first } });
  capture(partly, 200n, true);
  const voided = authorize(300n);
  run({ case: 'voidPayment', value: { ...base(), paymentId: voided } });
  const whole = authorize(120n);
  capture(whole, 20n, false);
  run({ case: 'capturePayment', value: { ...base(), paymentId: whole, all: true } });
  run({ case: 'refundPayment', value: { ...base(), paymentId: whole, all: true } });
  const adjust = (paymentId: string, change: { readonly amount?: bigint; readonly expireTime?: bigint }) => {
    const { amount, expireTime } = change;
    const value = {
      ...base(),
      paymentId,
      ...(amount === undefined ? {} : { amount: eur(amount) }),
      ...(expireTime === undefined ? {} : { expireTime: timestampOf(expireTime) }),
    };
    run({ case: 'adjustAuthorization', value });
  };
  const adjusted = authorize(70n);
  adjust(adjusted, { amount: 90n, expireTime: fixture.now + 30n * DAY });
  capture(adjusted, 20n, false);
  adjust(adjusted, { amount: 50n });
  // Declined: more than there is.
  adjust(adjusted, { amount: 90_000_000n });
  const lowered = authorize(45n);
  capture(lowered, 15n, false);
  adjust(lowered, { amount: 15n });
  const expiring = authorize(200n);
  adjust(expiring, { expireTime: fixture.now + 6n * DAY });
  capture(expiring, 50n, false);
  authorize(150n);

  const journal = base();
  run({
    case: 'postTransaction',
    value: {
      ...journal,
      entries: [
        { accountId: 'alice', direction: Direction.DEBIT, amount: eur(20n) },
        { accountId: 'fees', direction: Direction.CREDIT, amount: eur(20n) },
        { accountId: 'yen', direction: Direction.DEBIT, amount: { currency: 'JPY', minorUnits: 9n } },
        {
          accountId: '@settlement:JPY',
          direction: Direction.CREDIT,
          amount: { currency: 'JPY', minorUnits: 9n },
        },
      ],
    },
  });
  run({ case: 'reverseTransaction', value: { ...base(), transactionId: journal.requestId } });
  const annotate = (transactionId: string, path: string) => {
    const words = path === 'metadata' ? { metadata: { y: '1', x: '2' } } : { description: 'in other words' };
    run({
      case: 'updateTransaction',
      value: { ...base(), transactionId, updateMask: { paths: [path] }, ...words },
    });
  };
  annotate(journal.requestId, 'metadata');
  annotate(declined.requestId, 'description');
  annotate(partly, 'description');
  const batched = authorize(25n);
  fixture.runAtomic([
    { case: 'deposit', value: { ...base(), accountId: 'bob', amount: eur(40n) } },
    { case: 'submitPayment', value: { ...base(), ...parties, amount: eur(60n) } },
    { case: 'adjustAuthorization', value: { ...base(), paymentId: batched, amount: eur(35n) } },
    { case: 'voidPayment', value: { ...base(), paymentId: batched } },
  ]);
  // One is declined, so all are.
  fixture.runAtomic([
    { case: 'deposit', value: { ...base(), accountId: 'bob', amount: eur(40n) } },
    { case: 'adjustAuthorization', value: { ...base(), paymentId: expiring, amount: eur(210n) } },
    { case: 'voidPayment', value: { ...base(), paymentId: expiring } },
    { case: 'withdraw', value: { ...base(), accountId: 'bob', amount: eur(9_000n) } },
    { case: 'submitPayment', value: { ...base(), ...parties, amount: eur(60n) } },
    { case: 'capturePayment', value: { ...base(), paymentId: expiring, all: true } },
    { case: 'adjustAuthorization', value: { ...base(), paymentId: expiring, amount: eur(220n) } },
    { case: 'voidPayment', value: { ...base(), paymentId: expiring } },
  ]);
  fixture.now += 8n * DAY;
  fixture.expire(ledgerId, expiring);
  run({ case: 'deposit', value: { ...base(), accountId: 'alice', amount: eur(5n) } });
  const back = { payerAccountId: 'shop', payeeAccountId: 'alice' };
  run({ case: 'submitPayment', value: { ...base(), ...back, amount: eur(50n), upTo: true, fees } });
  run({ case: 'submitPayment', value: { ...base(), ...back, amount: eur(90_000n), upTo: true } });
  const emptied = [
    { accountId: 'fees', direction: Direction.CREDIT, amount: eur(900_000n) },
    { accountId: 'bob', direction: Direction.DEBIT, amount: eur(900_000n) },
  ];
  run({ case: 'postTransaction', value: { ...base(), entries: emptied, upTo: true } });
  inAnAsset(fixture, base);
  withLimits(fixture, base);
  inPeriods(fixture, base);
}

/** Debits that limits count, and one that they decline; limits that change, and the forced debit that they do not judge. */
function withLimits(fixture: LedgerFixture, base: () => { ledgerId: string; requestId: string }): void {
  const run = fixture.run.bind(fixture);
  const eur = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
  const limits = { debit: 300n, balance: 2_000n, day: { amount: 500n, count: 9n }, week: { count: 9n } };
  run({
    case: 'openAccount',
    value: { ...base(), accountId: 'card', currency: 'EUR', limits: { ...limits, timeZone: 'Asia/Tokyo' } },
  });
  const parties = { payerAccountId: 'card', payeeAccountId: 'shop' };
  run({ case: 'deposit', value: { ...base(), accountId: 'card', amount: eur(1_500n) } });
  run({ case: 'deposit', value: { ...base(), accountId: 'card', amount: eur(1_500n) } });
  const paid = base();
  run({ case: 'submitPayment', value: { ...paid, ...parties, amount: eur(200n) } });
  run({ case: 'refundPayment', value: { ...base(), paymentId: paid.requestId, amount: eur(50n) } });
  const held = base();
  run({ case: 'authorizePayment', value: { ...held, ...parties, amount: eur(250n) } });
  run({ case: 'submitPayment', value: { ...base(), ...parties, amount: eur(100n) } });
  run({
    case: 'capturePayment',
    value: { ...base(), paymentId: held.requestId, amount: eur(200n), final: true },
  });
  const entries = [
    { accountId: 'card', direction: Direction.DEBIT, amount: eur(400n) },
    { accountId: 'shop', direction: Direction.CREDIT, amount: eur(400n) },
  ];
  run({ case: 'postTransaction', value: { ...base(), entries, force: true } });
  fixture.now += DAY;
  run({ case: 'submitPayment', value: { ...base(), ...parties, amount: eur(90n) } });
  const change = { accountId: 'card', updateMask: { paths: ['limits'] } };
  const fewer = { day: { amount: 100n }, month: { amount: 1_000n }, timeZone: 'UTC' };
  run({ case: 'updateAccount', value: { ...base(), ...change, limits: fewer } });
  run({ case: 'withdraw', value: { ...base(), accountId: 'card', amount: eur(20n) } });
  run({ case: 'withdraw', value: { ...base(), accountId: 'card', amount: eur(10n) } });
  const another = { ...base(), accountId: 'lost-card', currency: 'EUR', limits: { debit: 1n } };
  run({ case: 'openAccount', value: another });
  run({ case: 'updateAccount', value: { ...base(), ...change, accountId: 'lost-card' } });
}

/** Closes with entries of several currencies, before them and after them, and reopenings. */
function inPeriods(fixture: LedgerFixture, base: () => { ledgerId: string; requestId: string }): void {
  const run = fixture.run.bind(fixture);
  const close = (closedThrough: bigint, description = '') =>
    run({
      case: 'closePeriod',
      value: { ...base(), closedThrough: timestampOf(closedThrough), description },
    });
  const depositAt = (time: bigint) =>
    run({
      case: 'deposit',
      value: {
        ...base(),
        accountId: 'alice',
        amount: { currency: 'EUR', minorUnits: 3n },
        effectiveTime: timestampOf(time),
      },
    });
  const end = fixture.now - 9n * DAY;
  depositAt(end);
  depositAt(end + 1n);
  close(end, 'the first');
  depositAt(end + 2n);
  close(end + 2n);
  run({
    case: 'reopenPeriod',
    value: { ...base(), keepClosedThrough: timestampOf(end), reason: 'a late one' },
  });
  depositAt(end + 1n);
  close(fixture.now, 'up to now');
  run({ case: 'reopenPeriod', value: { ...base(), reason: 'all of it' } });
  depositAt(end - DAY);
  close(end - 1n);
}

/** What shows an amount or a payment of an asset. */
function inAnAsset(fixture: LedgerFixture, base: () => { ledgerId: string; requestId: string }): void {
  const run = fixture.run.bind(fixture);
  const gold = (minorUnits: bigint) => ({ currency: 'XAU_OZ-1.A', minorUnits });
  run({
    case: 'registerAsset',
    value: { ...base(), code: gold(0n).currency, exponent: 18, name: 'Gold, größe: oz' },
  });
  for (const accountId of ['vault', 'dealer']) {
    run({ case: 'openAccount', value: { ...base(), accountId, currency: gold(0n).currency } });
  }
  const parties = { payerAccountId: 'vault', payeeAccountId: 'dealer' };
  run({ case: 'deposit', value: { ...base(), accountId: 'vault', amount: gold(900n) } });
  const paid = base();
  run({ case: 'submitPayment', value: { ...paid, ...parties, amount: gold(100n) } });
  run({ case: 'refundPayment', value: { ...base(), paymentId: paid.requestId, amount: gold(10n) } });
  const held = base();
  run({ case: 'authorizePayment', value: { ...held, ...parties, amount: gold(100n) } });
  run({
    case: 'adjustAuthorization',
    value: { ...base(), paymentId: held.requestId, amount: gold(120n) },
  });
  const captured = base();
  run({ case: 'capturePayment', value: { ...captured, paymentId: held.requestId, amount: gold(60n) } });
  run({ case: 'reverseTransaction', value: { ...base(), transactionId: captured.requestId } });
  run({ case: 'voidPayment', value: { ...base(), paymentId: held.requestId } });
  run({
    case: 'updateTransaction',
    value: {
      ...base(),
      transactionId: held.requestId,
      updateMask: { paths: ['description'] },
      description: 'x',
    },
  });
  run({ case: 'submitPayment', value: { ...base(), ...parties, amount: gold(10_000n) } });
  // The second is declined for funds, so that the others are not decided at all.
  fixture.runAtomic([
    { case: 'deposit', value: { ...base(), accountId: 'dealer', amount: gold(40n) } },
    { case: 'withdraw', value: { ...base(), accountId: 'dealer', amount: gold(9_000n) } },
    { case: 'authorizePayment', value: { ...base(), ...parties, amount: gold(60n) } },
    { case: 'reverseTransaction', value: { ...base(), transactionId: paid.requestId, force: true } },
    { case: 'adjustAuthorization', value: { ...base(), paymentId: held.requestId, amount: gold(130n) } },
  ]);
}
