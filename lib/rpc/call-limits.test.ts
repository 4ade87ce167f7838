import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Registry } from 'prom-client';
import {
  DepositRequestSchema,
  ExecuteBatchRequestSchema,
  StreamCommandsRequestSchema,
  TransactionCommandService,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { LedgerService } from '../../gen/quittance/ops/v1/ledger_service_pb.js';
import {
  AccountQueryService,
  GetBalanceRequestSchema,
} from '../../gen/quittance/query/v1/account_query_service_pb.js';
import type { LimitsConfig } from '../base/limits-config.js';
import { CallLimits } from './call-limits.js';
import { fail } from './errors.js';
import type { Method } from './service.js';

const NO_LIMITS: LimitsConfig = { commandsPerCaller: 0, commandsPerLedger: 0, queriesPerCaller: 0 };
const callOf = (actor: string) => ({ actor, signal: new AbortController().signal });

function methodOf(desc: Method['desc']): Method {
  const name = `${desc.parent.typeName}/${desc.name}`;
  return { kind: 'unary', desc, name, run: () => Promise.reject(new Error('not run')) };
}

const { method: commands } = TransactionCommandService;
const deposit = methodOf(commands.deposit);
const batch = methodOf(commands.executeBatch);
const stream = methodOf(commands.streamCommands);
const depositTo = (ledgerId: string) => create(DepositRequestSchema, { ledgerId });
const batchOf = (size: number, ledgerId = 'main') =>
  create(ExecuteBatchRequestSchema, {
    ledgerId,
    commands: Array.from({ length: size }, () => ({
      command: { case: 'deposit' as const, value: { ledgerId } },
    })),
  });
const streamed = (ledgerId: string) =>
  create(StreamCommandsRequestSchema, { command: { command: { case: 'deposit', value: { ledgerId } } } });

let registry: Registry;

function limitsOf(config: Partial<LimitsConfig>): CallLimits {
  return new CallLimits({ ...NO_LIMITS, ...config }, registry);
}

beforeEach(() => {
  registry = new Registry();
  // Seconds pass when a test says so.
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('the limits', () => {
  test('of a caller refuse what is beyond, say when to try again, and leave other callers alone', async () => {
    const limits = limitsOf({ commandsPerCaller: 3 });
    for (const ledgerId of ['one', 'two', 'one'])
      await limits.admit(deposit, depositTo(ledgerId), callOf('ada'));
    jest.advanceTimersByTime(400);
    await expect(limits.admit(deposit, depositTo('three'), callOf('ada'))).rejects.toMatchObject({
      reason: ErrorReason.RATE_LIMITED,
      retryAfter_ms: 600,
      details: { metadata: { limit: 'caller', per_second: '3' } },
    });
    await limits.admit(deposit, depositTo('one'), callOf('bob'));
    jest.advanceTimersByTime(600);
    await limits.admit(deposit, depositTo('one'), callOf('ada'));
    expect(await registry.metrics()).toContain(
      'quittance_calls_limited_total{method="quittance.command.v1.TransactionCommandService/Deposit",limit="caller"} 1',
    );
  });

  test('of a ledger hold for all its callers together, and for no other ledger', async () => {
    const limits = limitsOf({ commandsPerLedger: 2 });
    await limits.admit(deposit, depositTo('one'), callOf('ada'));
    await limits.admit(deposit, depositTo('one'), callOf('bob'));
    await expect(limits.admit(deposit, depositTo('one'), callOf('eve'))).rejects.toMatchObject({
      reason: ErrorReason.RATE_LIMITED,
      details: { metadata: { limit: 'ledger', per_second: '2' } },
    });
    await limits.admit(deposit, depositTo('two'), callOf('eve'));
  });

  test('count the commands of a batch, not the call', async () => {
    const limits = limitsOf({ commandsPerCaller: 10 });
    await limits.admit(batch, batchOf(8), callOf('ada'));
    await expect(limits.admit(batch, batchOf(3), callOf('ada'))).rejects.toMatchObject({
      reason: ErrorReason.RATE_LIMITED,
    });
    jest.advanceTimersByTime(1_000);
    // As the first of its second, a batch passes that is more than a second allows.
    await limits.admit(batch, batchOf(11), callOf('ada'));
  });

  test('slow a stream instead of refusing its commands; what is no command counts nothing', async () => {
    const limits = limitsOf({ commandsPerLedger: 2 });
    const broken = fail(ErrorReason.MALFORMED_MESSAGE, 'broken');
    const passed: number[] = [];
    const sending = (async () => {
      for (let group = 0; group < 3; group += 1) {
        await limits.pace(stream, [streamed('one'), broken, streamed('two'), streamed('one')], callOf('ada'));
        passed.push(group);
      }
    })();
    await jest.advanceTimersByTimeAsync(0);
    expect(passed).toEqual([0]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(passed).toEqual([0, 1]);
    await jest.advanceTimersByTimeAsync(1_000);
    await sending;
    expect(passed).toEqual([0, 1, 2]);
  });

  test('let a stream go whose caller leaves while it waits', async () => {
    const limits = limitsOf({ commandsPerCaller: 1 });
    const leaving = new AbortController();
    const call = { actor: 'ada', signal: leaving.signal };
    await limits.pace(stream, [streamed('one')], call);
    const waiting = limits.pace(stream, [streamed('one')], call);
    await jest.advanceTimersByTimeAsync(0);
    leaving.abort();
    await waiting;
  });

  test('of queries are apart from those of commands, and none concern what operates the platform', async () => {
    const balance = methodOf(AccountQueryService.method.getBalance);
    const verify = methodOf(LedgerService.method.verifyLedger);
    const limits = limitsOf({ queriesPerCaller: 1 });
    expect([balance, deposit, verify].map((method) => limits.concerns(method))).toEqual([true, false, false]);
    await limits.admit(balance, create(GetBalanceRequestSchema), callOf('ada'));
    await expect(limits.admit(balance, create(GetBalanceRequestSchema), callOf('ada'))).rejects.toMatchObject(
      {
        reason: ErrorReason.RATE_LIMITED,
      },
    );
    registry = new Registry();
    const ofCommands = limitsOf({ commandsPerCaller: 1 });
    expect([balance, deposit, verify].map((method) => ofCommands.concerns(method))).toEqual([
      false,
      true,
      false,
    ]);
  });
});
