/** Decisions that callers meet at the doors: currencies that changed, echoes of answers, closed payers, streams in number. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  BatchMode,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LimitKind, LimitPeriod } from '../../../gen/quittance/common/v1/account_pb.js';
import {
  DeclineReason,
  Direction,
  FeePayer,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { DAY, systemClock, timestampOf } from '../../../lib/base/time.js';
import { endingOf, openBooks, patientClient, paymentOf, proveBooks } from '../../../test/load.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { startPlatform, type TestPlatform } from './platform.js';

const FRESH = { consistency: { requirement: { case: 'fullyConsistent' as const, value: true } } };
const DOORS = ['grpc', 'connect'] as const;

let platform: TestPlatform;
let client: GrpcClient;

beforeAll(async () => {
  platform = await startPlatform();
  client = patientClient(platform.grpcAddress);
});

afterAll(async () => {
  client.close();
  await platform.stop();
});

describe.each(DOORS)('over %s', (door) => {
  test('an account may be opened in a currency of 2025, not in one that was withdrawn', async () => {
    const ledgerId = `currencies-${door}`;
    const ledgers = platform[door](LedgerCommandService);
    const accounts = platform[door](AccountCommandService);
    await ledgers.createLedger({ ledgerId, requestId: randomUUID() });
    const open = (accountId: string, currency: string) =>
      accounts.openAccount({ ledgerId, requestId: randomUUID(), accountId, currency });
    const { account } = await open('guilder', 'XCG');
    expect(account).toMatchObject({ accountId: 'guilder', currency: 'XCG' });
    const refused = client.unary(AccountCommandService.method.openAccount, {
      ledgerId,
      requestId: randomUUID(),
      accountId: 'old',
      currency: 'ANG',
    });
    expect(await endingOf(refused)).toBe('UNKNOWN_CURRENCY');
  });

  test('a retry may echo what only answers say, such as the exponent', async () => {
    const ledgerId = `echoes-${door}`;
    await openBooks(client, ledgerId, 2);
    const transactions = platform[door](TransactionCommandService);
    const payment = paymentOf(ledgerId, 'a0', 'a1');
    const first = await transactions.submitPayment(payment);
    const echoed = { ...payment, amount: { currency: 'EUR', minorUnits: 1n, exponent: 2 } };
    const again = await transactions.submitPayment(echoed);
    expect(again.replayed).toBe(true);
    expect(again.transaction).toEqual(first.transaction);
  });

  test('all that is left is captured, then refunded, and a replay says the same for ever', async () => {
    const ledgerId = `all-${door}`;
    await openBooks(client, ledgerId, 2);
    const transactions = platform[door](TransactionCommandService);
    const hold = { ...paymentOf(ledgerId, 'a0', 'a1'), amount: { currency: 'EUR', minorUnits: 50n } };
    await transactions.authorizePayment(hold);
    const about = { ledgerId, paymentId: hold.requestId };
    const some = { ...about, requestId: randomUUID(), amount: { currency: 'EUR', minorUnits: 20n } };
    await transactions.capturePayment(some);
    const rest = { ...about, requestId: randomUUID(), all: true };
    const captured = await transactions.capturePayment(rest);
    expect(captured.transaction?.amount?.minorUnits).toBe(30n);
    expect(captured.payment).toMatchObject({ authorized: 50n, captured: 50n, voided: 0n });
    const refund = { ...about, requestId: randomUUID(), all: true };
    const refunded = await transactions.refundPayment(refund);
    expect(refunded.transaction?.amount?.minorUnits).toBe(50n);
    const again = await transactions.capturePayment(rest);
    expect(again).toEqual({ ...captured, replayed: true });
    expect(await transactions.refundPayment(refund)).toEqual({ ...refunded, replayed: true });
    await proveBooks(platform.grpcAddress, ledgerId);
  });

  test('a hold is raised, declined beyond the funds, lowered and released, and the books are proved', async () => {
    const ledgerId = `holds-${door}`;
    await openBooks(client, ledgerId, 2);
    const transactions = platform[door](TransactionCommandService);
    const eur = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
    const hold = { ...paymentOf(ledgerId, 'a0', 'a1'), amount: eur(50n) };
    await transactions.authorizePayment(hold);
    const about = { ledgerId, paymentId: hold.requestId };
    const expireTime = timestampOf(systemClock() + 30n * DAY);
    const raise = { ...about, requestId: randomUUID(), amount: eur(80n), expireTime };
    const raised = await transactions.adjustAuthorization(raise);
    expect(raised.payment).toMatchObject({ authorized: 80n, expireTime, version: 2n });
    expect(await transactions.adjustAuthorization(raise)).toEqual({ ...raised, replayed: true });
    const beyond = { ...about, requestId: randomUUID(), amount: eur(999_999_999n) };
    const declined = await transactions.adjustAuthorization(beyond);
    expect(declined.transaction).toMatchObject({
      kind: TransactionKind.ADJUSTMENT,
      status: TransactionStatus.DECLINED,
      paymentId: hold.requestId,
    });
    await transactions.capturePayment({ ...about, requestId: randomUUID(), amount: eur(30n) });
    const below = { ...about, requestId: randomUUID(), amount: eur(29n) };
    const { adjustAuthorization } = TransactionCommandService.method;
    expect(await endingOf(client.unary(adjustAuthorization, below))).toBe('AUTHORIZATION_BELOW_CAPTURED');
    const queries = platform[door](TransactionQueryService);
    const incoming = async () => {
      const open = { ledgerId, payeeAccountId: 'a1', hasRemaining: true };
      const { payments } = await queries.listPayments({ ...open, ...FRESH });
      return payments.reduce((sum, { payment }) => sum + (payment?.authorized ?? 0n), 0n);
    };
    expect(await incoming()).toBe(80n);
    const { results } = await transactions.executeBatch({
      ledgerId,
      mode: BatchMode.ATOMIC,
      commands: [
        {
          command: {
            case: 'adjustAuthorization',
            value: { ...about, requestId: randomUUID(), amount: eur(60n) },
          },
        },
        { command: { case: 'voidPayment', value: { ...about, requestId: randomUUID() } } },
      ],
    });
    expect(results.map(({ result }) => result.value)).toMatchObject([
      { payment: { authorized: 60n, captured: 30n } },
      { status: TransactionStatus.CAPTURED, payment: { captured: 30n, voided: 30n } },
    ]);
    expect(await incoming()).toBe(0n);
    const { transaction } = await queries.getTransaction({
      ledgerId,
      transactionId: hold.requestId,
      ...FRESH,
    });
    expect(transaction).toMatchObject({
      status: TransactionStatus.CAPTURED,
      amount: { minorUnits: 50n },
      payment: { authorized: 60n, captured: 30n, voided: 30n, expireTime },
    });
    const { transactions: listed } = await queries.listTransactions({
      ledgerId,
      paymentId: hold.requestId,
      kinds: [TransactionKind.ADJUSTMENT],
      ...FRESH,
    });
    expect(listed.map(({ transactionId }) => transactionId)).toEqual([beyond.requestId]);
    const { balance } = await platform[door](AccountQueryService).getBalance({
      ledgerId,
      accountId: 'a0',
      ...FRESH,
    });
    expect(balance).toMatchObject({ posted: 999_970n, held: 0n, available: 999_970n });
    await proveBooks(platform.grpcAddress, ledgerId);
  });

  test('as much as there is, is paid and withdrawn once, and a replay says the same for ever', async () => {
    const ledgerId = `up-to-${door}`;
    await openBooks(client, ledgerId, 2);
    const transactions = platform[door](TransactionCommandService);
    const amount = { currency: 'EUR', minorUnits: 999_999_999n };
    const payment = { ...paymentOf(ledgerId, 'a0', 'a1'), amount, upTo: true };
    const paid = await transactions.submitPayment(payment);
    const left = paid.accounts.find(({ accountId }) => accountId === 'a0')?.balance?.available;
    expect(left).toBe(0n);
    const had = paid.transaction?.amount?.minorUnits;
    expect(paid.transaction?.payment).toMatchObject({ authorized: had, captured: had });
    const withdrawal = { ledgerId, requestId: randomUUID(), accountId: 'a1', amount, upTo: true };
    const withdrawn = await transactions.withdraw(withdrawal);
    expect(withdrawn.accounts.find(({ accountId }) => accountId === 'a1')?.balance?.available).toBe(0n);
    expect(await transactions.submitPayment(payment)).toEqual({ ...paid, replayed: true });
    expect(await transactions.withdraw(withdrawal)).toEqual({ ...withdrawn, replayed: true });
    const { transaction } = await transactions.submitPayment({ ...payment, requestId: randomUUID() });
    expect(transaction).toMatchObject({ status: TransactionStatus.DECLINED, amount });
    const some = { currency: 'EUR', minorUnits: 70n };
    await transactions.deposit({ ledgerId, requestId: randomUUID(), accountId: 'a0', amount: some });
    const fees = [
      { paidBy: FeePayer.PAYER, toAccountId: '@settlement:EUR', amount: { ...some, minorUnits: 3n } },
    ];
    const charged = await transactions.submitPayment({ ...payment, requestId: randomUUID(), fees });
    expect(charged.transaction?.amount?.minorUnits).toBe(67n);
    const journal = {
      ledgerId,
      requestId: randomUUID(),
      entries: [
        { accountId: 'a1', direction: Direction.DEBIT, amount },
        { accountId: 'a0', direction: Direction.CREDIT, amount },
      ],
      upTo: true,
    };
    const posted = await transactions.postTransaction(journal);
    expect(posted.transaction?.entries.map((entry) => entry.amount?.minorUnits)).toEqual([67n, 67n]);
    expect(await transactions.postTransaction(journal)).toEqual({ ...posted, replayed: true });
    await proveBooks(platform.grpcAddress, ledgerId);
  });

  test('limits of an account decline and say which, and what is used is shown wherever its balance is', async () => {
    const ledgerId = `limits-${door}`;
    await openBooks(client, ledgerId, 2);
    const accounts = platform[door](AccountCommandService);
    const transactions = platform[door](TransactionCommandService);
    const reads = platform[door](AccountQueryService);
    const day = { amount: 100n, count: 5n };
    const limits = { debit: 200n, balance: 1_000_000_000n, day, timeZone: 'Pacific/Auckland' };
    const account = { ledgerId, accountId: 'a0' };
    const update = { ...account, requestId: randomUUID(), updateMask: { paths: ['limits'] }, limits };
    const updated = await accounts.updateAccount(update);
    expect(updated.account?.limits).toMatchObject(limits);
    const pay = async (minorUnits: bigint) => {
      const payment = { ...paymentOf(ledgerId, 'a0', 'a1'), amount: { currency: 'EUR', minorUnits } };
      return { payment, answer: await transactions.submitPayment(payment) };
    };
    const { answer: paid } = await pay(70n);
    const { payment: late, answer: declined } = await pay(101n);
    expect(declined.transaction).toMatchObject({
      declineReason: DeclineReason.LIMIT_EXCEEDED,
      declinedAccountId: 'a0',
      exceededLimit: LimitKind.DAY_AMOUNT,
    });
    expect(await transactions.submitPayment(late)).toEqual({ ...declined, replayed: true });
    expect((await pay(201n)).answer.transaction?.exceededLimit).toBe(LimitKind.DEBIT);
    const use = { period: LimitPeriod.DAY, usedAmount: 70n, usedCount: 1n, ...day };
    const after = paid.accounts.find(({ accountId }) => accountId === 'a0')?.balance?.limitUses;
    expect(after).toMatchObject([use]);
    expect(await reads.getAccount({ ...account, ...FRESH })).toMatchObject({
      account: { limits, balance: { limitUses: after } },
    });
    const now = await reads.getBalance({ ...account, ...FRESH });
    expect(now.balance?.limitUses).toEqual(after);
    const at = { case: 'position' as const, value: updated.position };
    const then = await reads.getBalance({ ...account, at });
    expect(then.balance?.limitUses).toMatchObject([{ period: LimitPeriod.DAY, usedAmount: 0n, ...day }]);
    const found = await platform[door](TransactionQueryService).getTransaction({
      ledgerId,
      transactionId: late.requestId,
      ...FRESH,
    });
    expect(found.transaction).toEqual(declined.transaction);
    await proveBooks(platform.grpcAddress, ledgerId);
  });

  test('a payment of a closed payer is refunded to another account, and the books are proved', async () => {
    const ledgerId = `refunds-${door}`;
    await openBooks(client, ledgerId, 3);
    const transactions = platform[door](TransactionCommandService);
    const accounts = platform[door](AccountCommandService);
    const payment = paymentOf(ledgerId, 'a0', 'a1');
    await transactions.submitPayment(payment);
    const amount = { currency: 'EUR', minorUnits: 999_999n };
    await transactions.withdraw({ ledgerId, requestId: randomUUID(), accountId: 'a0', amount });
    await accounts.closeAccount({ ledgerId, requestId: randomUUID(), accountId: 'a0' });
    const { transaction } = await transactions.refundPayment({
      ledgerId,
      requestId: randomUUID(),
      paymentId: payment.requestId,
      amount: payment.amount,
      toAccountId: 'a2',
    });
    expect(transaction?.status).toBe(TransactionStatus.POSTED);
    const { balance } = await platform[door](AccountQueryService).getBalance({
      ledgerId,
      accountId: 'a2',
      ...FRESH,
    });
    expect(balance?.posted).toBe(1_000_001n);
    await proveBooks(platform.grpcAddress, ledgerId);
  });
});

/** A thousand streams and their clients are seconds of work for this one process, and many more on a busy machine. */
const MANY_STREAMS_LIMIT_MS = 180_000;

test(
  '1,000 idle streams of one connection leave streams to other callers and to operations',
  async () => {
    const ledgerId = 'streams';
    await openBooks(client, ledgerId, 1);
    const { watchEvents } = EventQueryService.method;
    const streams = Array.from({ length: 1_000 }, () =>
      client.serverStream(watchEvents, { ledgerId }, MANY_STREAMS_LIMIT_MS)[Symbol.asyncIterator](),
    );
    const leaving = new AbortController();
    try {
      const endings = await Promise.all(streams.map((stream) => endingOf(stream.next())));
      const counts = new Map<string, number>();
      for (const ending of endings) counts.set(ending, (counts.get(ending) ?? 0) + 1);
      expect(Object.fromEntries(counts)).toEqual({ OK: 250, TOO_MANY_STREAMS: 750 });
      // This client has a connection of its own.
      const other = platform.grpc(EventQueryService).watchEvents({ ledgerId }, { signal: leaving.signal });
      expect((await other[Symbol.asyncIterator]().next()).done).toBe(false);
      await proveBooks(platform.grpcAddress, ledgerId);
    } finally {
      leaving.abort();
      for (const stream of streams) await stream.return?.();
    }
  },
  MANY_STREAMS_LIMIT_MS,
);
