import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BatchMode } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  DeclineReason,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import { fail } from '../../../lib/rpc/errors.js';
import { DEFAULT_LIMITS } from '../compose.js';
import { createTestDatabase } from '../../../test/postgres.js';
import {
  aCall,
  CommandProcess,
  openLedger,
  payment,
  type TestDatabase,
} from '../../../test/command-process.js';

let database: TestDatabase;
let service: CommandProcess;

beforeEach(async () => {
  database = await createTestDatabase();
  service = await CommandProcess.start(database);
});

afterEach(async () => {
  await service.stop();
  await database.drop();
});

describe('the executor', () => {
  test('answers a payment with the transaction, the accounts after it, a position and a token', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 10_000n);
    const answer = await service.send(payment('main', 'alice', 'bob', 2_500n));
    expect(answer.transaction).toMatchObject({
      status: TransactionStatus.POSTED,
      amount: { minorUnits: 2_500n },
    });
    expect(answer.accounts.map(({ accountId, balance }) => [accountId, balance?.posted])).toEqual([
      ['alice', 7_500n],
      ['bob', 12_500n],
    ]);
    expect(answer.position).toBe(service.part.memory.end.position);
    expect(answer.consistencyToken).not.toBe('');
    expect(answer.replayed).toBe(false);
  });

  test('declines a payment beyond the funds, and stores the decline', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 100n);
    const answer = await service.send(payment('main', 'alice', 'bob', 101n));
    expect(answer.transaction?.status).toBe(TransactionStatus.DECLINED);
    expect(answer.position).toBeGreaterThan(0n);
  });

  test('answers a retry with the values of then, also after more has happened', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 10_000n);
    const command = payment('main', 'alice', 'bob', 1_000n);
    const first = await service.send(command);
    await service.send(payment('main', 'alice', 'bob', 500n));
    const again = await service.send(command);
    expect(again).toEqual({ ...first, replayed: true });
  });

  test('answers a retry after a restart, when no memory of it is left', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 10_000n);
    const command = payment('main', 'alice', 'bob', 1_000n);
    const first = await service.send(command);
    await service.stop();
    service = await CommandProcess.start(database);
    expect(await service.send(command)).toEqual({ ...first, replayed: true });
  });

  test('refuses another command under a used request id, naming the fields that differ', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 10_000n);
    const command = payment('main', 'alice', 'bob', 1_000n);
    await service.send(command);
    const other = { ...command, value: { ...command.value, amount: { currency: 'EUR', minorUnits: 2n } } };
    await expect(service.send(other)).rejects.toMatchObject({
      reason: ErrorReason.REQUEST_ID_REUSED,
      details: { fields: [{ field: 'amount' }] },
    });
  });

  test('looks a request id up before it answers an error: the retry of a close is a replay', async () => {
    await openLedger(service, 'main', ['alice']);
    const close = {
      case: 'closeAccount' as const,
      value: { ledgerId: 'main', requestId: randomUUID(), accountId: 'alice' },
    };
    const first = await service.send(close);
    await service.stop();
    service = await CommandProcess.start(database);
    expect(await service.send(close)).toEqual({ ...first, replayed: true });
    const other = { ...close, value: { ...close.value, requestId: randomUUID() } };
    await expect(service.send(other)).rejects.toMatchObject({ reason: ErrorReason.ACCOUNT_IS_CLOSED });
  });

  test('decides one request id once, however often it is sent at once', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 10_000n);
    const command = payment('main', 'alice', 'bob', 100n);
    const answers = await Promise.all(Array.from({ length: 100 }, () => service.send(command)));
    expect(new Set(answers.map(({ position }) => position)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    const next = await service.send(payment('main', 'alice', 'bob', 1n));
    expect(next.accounts[0]?.balance?.posted).toBe(9_899n);
  });

  test('decides ten thousand commands at once, and refuses what is beyond the queue with a time to retry', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 1_000_000n);
    const results = await Promise.allSettled(
      Array.from({ length: 10_500 }, () => service.send(payment('main', 'alice', 'bob', 1n))),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBe(500);
    expect(refused[0]?.reason).toMatchObject({ reason: ErrorReason.QUEUE_FULL });
    const last = await service.send(payment('main', 'alice', 'bob', 1n));
    expect(last.accounts[0]?.balance?.posted).toBe(1_000_000n - 10_001n);
  });

  test('decides a payment of a quiet ledger within two flushes of a flood of another', async () => {
    await openLedger(service, 'flood', ['alice', 'bob'], 1_000_000n);
    await openLedger(service, 'quiet', ['alice', 'bob'], 1_000n);
    const before = service.part.memory.end.position;
    const flooding = Array.from({ length: 5_000 }, () => service.send(payment('flood', 'alice', 'bob', 1n)));
    const { position } = await service.send(payment('quiet', 'alice', 'bob', 1n));
    // Each payment is one event: what stands before this one was decided before it.
    expect(position - before).toBeLessThanOrEqual(2n * BigInt(DEFAULT_LIMITS.flush));
    const flooded = await Promise.all(flooding);
    const positions = flooded.map((answer) => answer.position);
    expect(positions).toEqual(positions.toSorted((one, other) => Number(one - other)));
    expect((positions.at(-1) ?? 0n) - before).toBe(5_001n);
  });

  test('foretells a command without storing it', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 100n);
    const before = service.part.memory.end.position;
    const command = payment('main', 'alice', 'bob', 101n);
    const dry = await service.send({ ...command, value: { ...command.value, validateOnly: true } });
    expect(dry).toMatchObject({
      position: 0n,
      consistencyToken: '',
      transaction: { status: TransactionStatus.DECLINED },
    });
    expect(service.part.memory.end.position).toBe(before);
    const real = await service.send(command);
    expect(real.replayed).toBe(false);
  });

  test('does not decide what its caller no longer waits for', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 100n);
    const before = service.part.memory.end.position;
    const gone = aCall({ aborted: fail(ErrorReason.CANCELLED, 'gone') });
    await expect(service.send(payment('main', 'alice', 'bob', 1n), gone)).rejects.toMatchObject({
      reason: ErrorReason.CANCELLED,
    });
    const late = aCall({ deadline_ms: Date.now() - 1 });
    await expect(service.send(payment('main', 'alice', 'bob', 1n), late)).rejects.toMatchObject({
      reason: ErrorReason.DEADLINE_EXCEEDED,
    });
    expect(service.part.memory.end.position).toBe(before);
  });

  test('voids, expires and refunds through the log', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    const authorize = (expireTime?: Date) => {
      const { value } = payment('main', 'alice', 'bob', 600n);
      const time = expireTime && { seconds: BigInt(Math.floor(expireTime.getTime() / 1000)), nanos: 0 };
      return {
        case: 'authorizePayment' as const,
        value: { ...value, ...(time ? { expireTime: time } : {}) },
      };
    };
    const first = await service.send(authorize());
    expect(first.accounts[0]?.balance).toMatchObject({ held: 600n, available: 400n });
    const paymentId = first.transaction?.transactionId ?? '';
    const voided = await service.send({
      case: 'voidPayment',
      value: { ledgerId: 'main', requestId: randomUUID(), paymentId },
    });
    expect(voided).toMatchObject({ status: TransactionStatus.VOIDED, payment: { voided: 600n } });
    const second = await service.send(authorize());
    const captured = await service.send({
      case: 'capturePayment',
      value: {
        ledgerId: 'main',
        requestId: randomUUID(),
        paymentId: second.transaction?.transactionId ?? '',
        amount: { currency: 'EUR', minorUnits: 250n },
        final: true,
      },
    });
    expect(captured.payment).toMatchObject({ authorized: 600n, captured: 250n, voided: 350n });
    const refunded = await service.send({
      case: 'refundPayment',
      value: {
        ledgerId: 'main',
        requestId: randomUUID(),
        paymentId: second.transaction?.transactionId ?? '',
        amount: { currency: 'EUR', minorUnits: 50n },
      },
    });
    expect(refunded.payment).toMatchObject({ refunded: 50n });
    expect(refunded.accounts.find(({ accountId }) => accountId === 'alice')?.balance).toMatchObject({
      posted: 800n,
      held: 0n,
    });
  });
});

describe('a hold', () => {
  const valuesOf = ({ results = [] }: Awaited<ReturnType<CommandProcess['batch']>>) =>
    results.map(({ result }) => result?.value);
  const eur = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
  const held = async (minorUnits: bigint) => {
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    const { value } = payment('main', 'alice', 'bob', minorUnits);
    await service.send({ case: 'authorizePayment', value });
    return { ledgerId: 'main', paymentId: value.requestId };
  };

  test('is raised, lowered and given another time, each answered with the payment after it', async () => {
    const about = await held(600n);
    const adjust = (change: { amount?: ReturnType<typeof eur>; expireTime?: { seconds: bigint } }) =>
      service.send({
        case: 'adjustAuthorization',
        value: { ...about, requestId: randomUUID(), ...change },
      });
    const raised = await adjust({ amount: eur(900n) });
    expect(raised).toMatchObject({ status: TransactionStatus.AUTHORIZED, payment: { authorized: 900n } });
    expect(raised.transaction).toBeUndefined();
    expect(raised.accounts[0]?.balance).toMatchObject({ held: 900n, available: 100n });
    const lowered = await adjust({ amount: eur(100n) });
    expect(lowered.accounts[0]?.balance).toMatchObject({ held: 100n, available: 900n });
    const seconds = BigInt(Math.floor(Date.now() / 1_000)) + 86_400n;
    const moved = await adjust({ expireTime: { seconds } });
    expect(moved).toMatchObject({ accounts: [], payment: { expireTime: { seconds }, version: 4n } });
  });

  test('stays as it was where the funds lack, and a retry after a restart has the same answer', async () => {
    const about = await held(600n);
    const beyond = {
      case: 'adjustAuthorization' as const,
      value: { ...about, requestId: randomUUID(), amount: eur(1_001n) },
    };
    const declined = await service.send(beyond);
    expect(declined).toMatchObject({
      status: TransactionStatus.DECLINED,
      transaction: {
        kind: TransactionKind.ADJUSTMENT,
        declineReason: DeclineReason.INSUFFICIENT_FUNDS,
        declinedAccountId: 'alice',
        amount: { minorUnits: 1_001n },
        paymentId: about.paymentId,
      },
    });
    expect(declined.payment).toBeUndefined();
    const raise = { ...beyond, value: { ...beyond.value, requestId: randomUUID(), amount: eur(1_000n) } };
    const raised = await service.send(raise);
    await service.stop();
    service = await CommandProcess.start(database);
    expect(await service.send(beyond)).toEqual({ ...declined, replayed: true });
    expect(await service.send(raise)).toEqual({ ...raised, replayed: true });
    const other = { ...raise, value: { ...raise.value, amount: eur(999n) } };
    await expect(service.send(other)).rejects.toMatchObject({ reason: ErrorReason.REQUEST_ID_REUSED });
  });

  test('is adjusted and voided in an atomic batch, or neither, and both replay', async () => {
    const about = await held(600n);
    const commands = (amount: bigint) => [
      {
        command: {
          case: 'adjustAuthorization' as const,
          value: { ...about, requestId: randomUUID(), amount: eur(700n) },
        },
      },
      { command: { case: 'voidPayment' as const, value: { ...about, requestId: randomUUID() } } },
      { command: payment('main', 'alice', 'bob', amount) },
    ];
    const tooMuch = { ledgerId: 'main', mode: BatchMode.ATOMIC, commands: commands(1_001n) };
    const declined = await service.batch(tooMuch);
    expect(declined.declined).toBe(true);
    expect(valuesOf(declined)).toMatchObject([
      { status: TransactionStatus.DECLINED, transaction: { kind: TransactionKind.ADJUSTMENT } },
      {
        status: TransactionStatus.DECLINED,
        transaction: { kind: TransactionKind.VOID, amount: { minorUnits: 600n } },
      },
      { transaction: { declineReason: DeclineReason.INSUFFICIENT_FUNDS } },
    ]);
    const all = { ...tooMuch, commands: commands(1_000n) };
    const done = await service.batch(all);
    expect(done.declined).toBe(false);
    expect(valuesOf(done)).toMatchObject([
      { status: TransactionStatus.AUTHORIZED, payment: { authorized: 700n } },
      { status: TransactionStatus.VOIDED, payment: { voided: 700n } },
      { transaction: { status: TransactionStatus.POSTED } },
    ]);
    await service.stop();
    service = await CommandProcess.start(database);
    for (const [batch, first] of [
      [tooMuch, declined],
      [all, done],
    ] as const) {
      const again = await service.batch(batch);
      expect(valuesOf(again)).toEqual(valuesOf(first).map((value) => ({ ...value, replayed: true })));
    }
  });
});

describe('an atomic batch', () => {
  const item = (payer: string, payee: string, minorUnits: bigint) => {
    const { value } = payment('main', payer, payee, minorUnits);
    return { command: { case: 'submitPayment' as const, value } };
  };

  test('posts all, and replays as a whole', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 100n);
    const commands = [item('alice', 'bob', 100n), item('bob', 'alice', 200n)];
    const first = await service.batch({ ledgerId: 'main', mode: 2, commands });
    expect(first.declined).toBe(false);
    expect(first.results?.map(({ result }) => result?.case)).toEqual(['submitPayment', 'submitPayment']);
    const again = await service.batch({ ledgerId: 'main', mode: 2, commands });
    expect(again.position).toBe(first.position);
    const [alone] = commands;
    if (alone) expect(await service.send(alone.command)).toMatchObject({ replayed: true });
    await expect(
      service.batch({ ledgerId: 'main', mode: 2, commands: [...commands].reverse() }),
    ).rejects.toMatchObject({ reason: ErrorReason.REQUEST_ID_REUSED });
  });

  test('moves nothing when one is declined, and says so of each', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 100n);
    const answer = await service.batch({
      ledgerId: 'main',
      mode: 2,
      commands: [item('alice', 'bob', 50n), item('alice', 'bob', 51n)],
    });
    expect(answer.declined).toBe(true);
    const after = await service.send(payment('main', 'alice', 'bob', 100n));
    expect(after.transaction?.status).toBe(TransactionStatus.POSTED);
  });

  test('stores nothing when one is an error, and names it', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 100n);
    const before = service.part.memory.end.position;
    await expect(
      service.batch({
        ledgerId: 'main',
        mode: 2,
        commands: [item('alice', 'bob', 1n), item('alice', 'nobody', 1n)],
      }),
    ).rejects.toMatchObject({ reason: ErrorReason.ACCOUNT_NOT_FOUND, details: { metadata: { index: '1' } } });
    expect(service.part.memory.end.position).toBe(before);
  });
});

describe('an independent batch', () => {
  test('answers each item for itself, and later ones see earlier ones', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 0n);
    const deposit = {
      ledgerId: 'main',
      requestId: randomUUID(),
      accountId: 'alice',
      amount: { currency: 'EUR', minorUnits: 10n },
    };
    const answer = await service.batch({
      ledgerId: 'main',
      commands: [
        { command: { case: 'deposit', value: deposit } },
        { command: payment('main', 'alice', 'bob', 10n) },
        { command: payment('main', 'alice', 'bob', -1n) },
        { command: payment('main', 'alice', 'nobody', 1n) },
      ],
    });
    expect(answer.results?.map(({ result }) => result?.case)).toEqual([
      'deposit',
      'submitPayment',
      'error',
      'error',
    ]);
  });

  test('with one request id twice decides it once, answers the second as its retry, and the others in their places', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 100n);
    const command = payment('main', 'alice', 'bob', 1n);
    const answer = await service.batch({
      ledgerId: 'main',
      commands: [
        { command },
        { command },
        { command: payment('main', 'alice', 'nobody', 1n) },
        { command },
        { command: payment('main', 'alice', 'bob', 2n) },
      ],
    });
    const results = (answer.results ?? []).map(({ result }) => result);
    expect(results.map((result) => result?.case)).toEqual([
      'submitPayment',
      'submitPayment',
      'error',
      'submitPayment',
      'submitPayment',
    ]);
    const paid = results.flatMap((result) => (result?.case === 'submitPayment' ? [result.value] : []));
    expect(paid.map(({ replayed }) => replayed)).toEqual([false, true, true, false]);
    expect(new Set(paid.map(({ position }) => position)).size).toBe(2);
    const next = await service.send(payment('main', 'alice', 'bob', 1n));
    expect(next.accounts[0]?.balance?.posted).toBe(96n);
  });

  test('of more items than one job takes is answered in order', async () => {
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    const commands = Array.from({ length: 250 }, (_, index) => ({
      command: payment('main', 'alice', index % 7 === 3 ? 'nobody' : 'bob', 1n),
    }));
    const answer = await service.batch({ ledgerId: 'main', commands });
    const results = (answer.results ?? []).map(({ result }) => result);
    expect(results.map((result) => result?.case)).toEqual(
      commands.map((_, index) => (index % 7 === 3 ? 'error' : 'submitPayment')),
    );
    const positions = results.flatMap((result) =>
      result?.case === 'submitPayment' ? [Number(result.value.position)] : [],
    );
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  });
});
