import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { TransactionKind, TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { WatchBalancesRequestSchema } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { WatchTransactionsRequestSchema } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { watchBalances } from '../rpc/watch-balances.js';
import { type SlowReader, watchTransactions } from '../rpc/watch-transactions.js';
import { callOf, deposit, failureOf, opened, openWorld, pay, type TestCall, type World } from './fixture.js';

let world: World;
let call: TestCall;

beforeEach(async () => {
  world = await openWorld();
  call = callOf();
  await world.settle(...opened(world, 'main', 'alice', 'bob'), ...opened(world, 'other', 'alice'));
});

afterEach(async () => {
  call.leave();
  await world.close();
});

/** The next message. */
async function next<T>(stream: AsyncIterator<T>): Promise<T> {
  const result = await stream.next();
  if (result.done === true) throw new Error('expected a message, the stream has ended');
  return result.value;
}

describe('WatchBalances', () => {
  const watch = (accountIds: string[], ledgerId = 'main') =>
    watchBalances(world.context)(create(WatchBalancesRequestSchema, { ledgerId, accountIds }), call)[
      Symbol.asyncIterator
    ]();

  test('sends present states, then what changed', async () => {
    const stream = watch(['alice', 'bob']);
    const first = await next(stream);
    expect(first.balances?.map(({ accountId }) => accountId)).toEqual(['alice', 'bob']);
    const [event] = await world.settle(deposit(world, 'alice', 100n));
    const second = await next(stream);
    expect(second.balances).toMatchObject([{ accountId: 'alice', posted: 100n, exponent: 2 }]);
    expect(second.asOf?.position).toBe(event?.position);
  });

  test('a reader who comes late gets the latest only', async () => {
    const stream = watch(['alice']);
    await next(stream);
    for (let index = 0; index < 20; index++) await world.settle(deposit(world, 'alice', 1n));
    expect((await next(stream)).balances).toMatchObject([{ posted: 20n }]);
    await world.settle(deposit(world, 'alice', 1n));
    expect((await next(stream)).balances).toMatchObject([{ posted: 21n }]);
  });

  test('changes of other accounts send nothing; a heartbeat says what the watch is as of', async () => {
    const quick = await openWorld({ heartbeat_ms: 40 });
    await quick.settle(...opened(quick, 'main', 'alice', 'bob'));
    const request = create(WatchBalancesRequestSchema, { ledgerId: 'main', accountIds: ['alice'] });
    const stream = watchBalances(quick.context)(request, call)[Symbol.asyncIterator]();
    await next(stream);
    const [event] = await quick.settle(deposit(quick, 'bob', 1n));
    const heartbeat = await next(stream);
    expect(heartbeat.balances).toEqual([]);
    expect((await next(stream)).asOf?.position).toBe(event?.position);
    call.leave();
    await quick.close();
  });

  test('an unknown account or ledger ends the watch before it begins', async () => {
    expect(await failureOf(next(watch(['alice', 'x'])))).toMatchObject({
      reason: ErrorReason.ACCOUNT_NOT_FOUND,
      details: { resource: { name: 'x' } },
    });
    expect((await failureOf(next(watch(['alice'], 'nowhere')))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
  });

  test('ends when the caller leaves', async () => {
    const stream = watch(['alice']);
    await next(stream);
    const waiting = failureOf(next(stream));
    call.leave();
    expect((await waiting).reason).toBe(ErrorReason.CANCELLED);
  });
});

describe('WatchTransactions', () => {
  const watch = (
    request: { resumeToken?: string; accountId?: string; ledgerId?: string } = {},
    slow?: SlowReader,
  ) =>
    watchTransactions(world.context, slow)(
      create(WatchTransactionsRequestSchema, { ledgerId: 'main', ...request }),
      call,
    )[Symbol.asyncIterator]();

  const hold = () => {
    const requestId = world.id();
    const parties = { ledgerId: 'main', payerAccountId: 'alice', payeeAccountId: 'bob' };
    const amount = { currency: 'EUR', minorUnits: 50n };
    return {
      requestId,
      command: { case: 'authorizePayment' as const, value: { ...parties, amount, requestId } },
    };
  };

  test('begins at now with a heartbeat, then sends what is made, in order, once the view has it', async () => {
    await world.settle(deposit(world, 'alice', 1_000n));
    const stream = watch();
    const heartbeat = await next(stream);
    expect([heartbeat.transaction, heartbeat.position]).toEqual([undefined, undefined]);
    const made = world.run(pay(world, 'alice', 'bob', 1n), pay(world, 'alice', 'bob', 2n));
    const waiting = next(stream);
    await world.apply();
    const [first, second] = [await waiting, await next(stream)];
    expect([first.position, second.position]).toEqual(made.map(({ position }) => position));
    expect(first.transaction).toMatchObject({ kind: TransactionKind.PAYMENT, amount: { minorUnits: 1n } });
    expect(first.asOf?.position).toBeGreaterThanOrEqual(first.position ?? 0n);
  });

  test('sends what an event makes and what it changes', async () => {
    await world.settle(deposit(world, 'alice', 1_000n));
    const stream = watch();
    await next(stream);
    const { requestId: paymentId, command } = hold();
    await world.settle(command);
    expect((await next(stream)).transaction).toMatchObject({ status: TransactionStatus.AUTHORIZED });
    const amount = { currency: 'EUR', minorUnits: 20n };
    await world.settle({
      case: 'capturePayment',
      value: { ledgerId: 'main', requestId: world.id(), paymentId, amount },
    });
    expect((await next(stream)).transaction).toMatchObject({ kind: TransactionKind.CAPTURE });
    expect((await next(stream)).transaction).toMatchObject({
      transactionId: paymentId,
      payment: { captured: 20n },
    });
    const [voided] = await world.settle({
      case: 'voidPayment',
      value: { ledgerId: 'main', requestId: world.id(), paymentId },
    });
    expect(await next(stream)).toMatchObject({
      transaction: { transactionId: paymentId, status: TransactionStatus.CAPTURED },
      position: voided?.position,
    });
    await world.settle({
      case: 'updateTransaction',
      value: {
        ledgerId: 'main',
        requestId: world.id(),
        transactionId: paymentId,
        description: 'changed',
        updateMask: { paths: ['description'] },
      },
    });
    expect((await next(stream)).transaction).toMatchObject({ description: 'changed' });
  });

  test('resumed after any of its messages, it loses and repeats nothing', async () => {
    await world.settle(deposit(world, 'alice', 10_000n));
    const stream = watch();
    await next(stream);
    const { requestId: paymentId, command } = hold();
    await world.settle(command);
    for (let index = 0; index < 3; index++) {
      const amount = { currency: 'EUR', minorUnits: 5n };
      await world.settle(
        { case: 'capturePayment', value: { ledgerId: 'main', requestId: world.id(), paymentId, amount } },
        { case: 'deposit', value: { ledgerId: 'other', requestId: world.id(), accountId: 'alice', amount } },
      );
    }
    const messages = [];
    for (let index = 0; index < 7; index++) messages.push(await next(stream));
    const names = messages.map(({ position, transaction }) => [position, transaction?.transactionId]);
    expect(new Set(names.map(String)).size).toBe(7);
    for (const [index, { resumeToken }] of messages.entries()) {
      const resumed = watch({ resumeToken: resumeToken ?? '' });
      for (const name of names.slice(index + 1)) {
        const { position, transaction } = await next(resumed);
        expect([position, transaction?.transactionId]).toEqual(name);
      }
      await world.settle(deposit(world, 'bob', 1n));
      const later = await next(resumed);
      expect(later.transaction?.kind).toBe(TransactionKind.DEPOSIT);
      await resumed.return?.(undefined);
      names.push([later.position, later.transaction?.transactionId]);
    }
  });

  test('hundreds of transactions come without a gap, however they were applied', async () => {
    const stream = watch({ accountId: 'bob' });
    await next(stream);
    const expected: bigint[] = [];
    for (let index = 0; index < 150; index++) {
      world.run(deposit(world, 'alice', 1n));
      const [event] = world.run(deposit(world, 'bob', 1n));
      expected.push(event?.position ?? 0n);
      if (index % 40 === 0) await world.apply();
    }
    const applied = world.apply();
    const seen: bigint[] = [];
    while (seen.length < expected.length) seen.push((await next(stream)).position ?? 0n);
    await applied;
    expect(seen).toEqual(expected);
  });

  test('with an account it sends only what names the account, and its heartbeats move on', async () => {
    const quick = await openWorld({ heartbeat_ms: 40 });
    await quick.settle(...opened(quick, 'main', 'alice', 'bob'), deposit(quick, 'alice', 10n));
    const open = (resumeToken: string) =>
      watchTransactions(quick.context)(
        create(WatchTransactionsRequestSchema, { ledgerId: 'main', accountId: 'bob', resumeToken }),
        call,
      )[Symbol.asyncIterator]();
    const stream = open('');
    await next(stream);
    const [skipped] = await quick.settle(deposit(quick, 'alice', 1n));
    let heartbeat = await next(stream);
    while ((heartbeat.asOf?.position ?? 0n) < (skipped?.position ?? 0n)) heartbeat = await next(stream);
    expect(heartbeat.transaction).toBeUndefined();
    const [paid] = await quick.settle(pay(quick, 'alice', 'bob', 1n));
    let message = await next(open(heartbeat.resumeToken ?? ''));
    expect(message.position).toBe(paid?.position);
    message = await next(stream);
    while (message.transaction === undefined) message = await next(stream);
    expect(message.position).toBe(paid?.position);
    call.leave();
    await quick.close();
  });

  test('a token of another watch, a damaged one, and an unknown ledger are refused', async () => {
    const { resumeToken = '' } = await next(watch());
    expect((await failureOf(next(watch({ resumeToken, accountId: 'bob' })))).reason).toBe(
      ErrorReason.INVALID_RESUME_TOKEN,
    );
    expect((await failureOf(next(watch({ resumeToken: 'abc' })))).reason).toBe(
      ErrorReason.INVALID_RESUME_TOKEN,
    );
    expect((await failureOf(next(watch({ ledgerId: 'nowhere' })))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
  });

  test('ends with HISTORY_LOST when the log was restored to an end before what was sent', async () => {
    let epoch = 0;
    const getter = async () => {
      const view = await world.context.history();
      return { ...view, checkpoint: async () => ({ ...(await view.checkpoint(0)), epoch }) };
    };
    const context = { ...world.context, history: Object.assign(getter, { refresh: getter }) };
    const request = create(WatchTransactionsRequestSchema, { ledgerId: 'main' });
    const stream = watchTransactions(context)(request, call)[Symbol.asyncIterator]();
    await next(stream);
    await world.settle(deposit(world, 'alice', 1n));
    expect((await next(stream)).transaction).toBeDefined();
    epoch = 1;
    await world.settle(deposit(world, 'alice', 1n));
    expect((await next(stream)).transaction).toBeDefined();
    epoch = 2;
    const [, another] = world.fixture.events;
    world.log.at = () => Promise.resolve(another);
    const waiting = failureOf(next(stream));
    await world.settle(deposit(world, 'alice', 1n));
    expect((await waiting).reason).toBe(ErrorReason.HISTORY_LOST);
  });

  test('a reader who lets messages lie and falls far behind is ended, and goes on from its token', async () => {
    const stream = watch({}, { stall_ms: 20, behind: 5n });
    const { resumeToken } = await next(stream);
    await world.settle(deposit(world, 'alice', 1n));
    const taken = await next(stream);
    await new Promise((resolve) => setTimeout(resolve, 40));
    await world.settle(...Array.from({ length: 8 }, () => deposit(world, 'alice', 1n)));
    expect((await failureOf(next(stream))).reason).toBe(ErrorReason.READER_TOO_SLOW);
    const resumed = watch({ resumeToken: taken.resumeToken ?? '' });
    expect((await next(resumed)).position).toBe((taken.position ?? 0n) + 1n);
    expect(resumeToken).not.toBe(taken.resumeToken);
  });

  test('ends when the caller leaves', async () => {
    const stream = watch();
    await next(stream);
    const waiting = failureOf(next(stream));
    call.leave();
    expect((await waiting).reason).toBe(ErrorReason.CANCELLED);
  });
});
