/** A command service on a test database, without doors: its methods are called as the doors call them. */
import { randomUUID } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { pino } from 'pino';
import {
  CommandSchema,
  type ExecuteBatchRequestSchema,
  ExecuteBatchRequestSchema as BatchSchema,
} from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { Wakeups } from '../lib/log/wakeups.js';
import type { Call } from '../lib/rpc/call.js';
import type { Log } from '../lib/base/logging.js';
import { createCloseables } from '../lib/base/closeables.js';
import { type Clock, systemClock } from '../lib/base/time.js';
import type { CommandInit } from './ledger-fixture.js';
import type { createTestDatabase } from './postgres.js';
import {
  type CommandPart,
  composeCommand,
  DEFAULT_LIMITS,
  type CommandLimits,
} from '../services/command/compose.js';
import type { WriteLog } from '../services/command/application/write-log.js';
import type { StandingTimes } from '../services/command/standing/standing.js';
import { answerOf } from '../services/command/rpc/answer.js';
import type { Answer, AnswerOf } from '../services/command/rpc/command-method.js';
import { executeBatch } from '../services/command/rpc/execute-batch.js';
import { decideOne, requestOf } from '../services/command/rpc/submit.js';

export type TestDatabase = Awaited<ReturnType<typeof createTestDatabase>>;

export interface ProcessOptions {
  readonly clock?: Clock;
  readonly wrapLog?: (log: WriteLog) => WriteLog;
  readonly onEpoch?: () => void;
  /** Where other processes would reach this one: then it has a lease, or waits for it. Without one it is the only process. */
  readonly address?: string;
  /** Those of production if not given. */
  readonly standingTimes?: StandingTimes;
  readonly limits?: Partial<CommandLimits>;
  /** How often the expirer looks for holds whose time has come; 20 if not given. */
  readonly expiry_ms?: number;
  /** The state tables are written so long after the write before; 20 if not given. */
  readonly stateInterval_ms?: number;
  /** How often the runner of schedules looks for what is due; as in production if not given. */
  readonly schedules_ms?: number;
  /** Silent if not given. */
  readonly logger?: Log;
}

/** A call without deadline from nobody in particular. */
export function aCall(overrides: Partial<Call> = {}): Call {
  return {
    deadline_ms: undefined,
    signal: new AbortController().signal,
    aborted: undefined,
    onAbort: () => () => undefined,
    fits: () => true,
    actor: 'anonymous',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    method: 'test',
    ...overrides,
  };
}

export class CommandProcess {
  private constructor(
    readonly part: CommandPart,
    readonly wakeups: Wakeups,
    readonly halted: Error[],
    private readonly closeables: ReturnType<typeof createCloseables>,
  ) {}

  static async start(database: TestDatabase, options: ProcessOptions = {}): Promise<CommandProcess> {
    const closeables = createCloseables();
    const wakeups = new Wakeups();
    const halted: Error[] = [];
    const part = await composeCommand(
      {
        postgres: database.config,
        clock: options.clock ?? systemClock,
        wakeups,
        logger: options.logger ?? pino({ level: 'silent' }),
        shard: 0,
        limits: { ...DEFAULT_LIMITS, ...options.limits },
        onHalt: (cause) => halted.push(cause),
        expiry_ms: options.expiry_ms ?? 20,
        stateInterval_ms: options.stateInterval_ms ?? 20,
        ...(options.wrapLog === undefined ? {} : { wrapLog: options.wrapLog }),
        onEpoch: options.onEpoch,
        address: options.address,
        standingTimes: options.standingTimes,
        schedules_ms: options.schedules_ms,
      },
      closeables,
    );
    return new CommandProcess(part, wakeups, halted, closeables);
  }

  /** Sends one command and gives its answer. @throws CallError */
  async send<K extends Answer['case']>(
    init: CommandInit & { case: K },
    call: Call = aCall(),
  ): Promise<AnswerOf<K>['value']> {
    const { command } = create(CommandSchema, { command: init });
    if (command.case === undefined) throw new Error('no command');
    const { context } = this.part;
    const decided = await decideOne(context.executor, requestOf(command, call), call);
    return answerOf(command.case, decided, context.log).value;
  }

  batch(init: MessageInitShape<typeof ExecuteBatchRequestSchema>, call: Call = aCall()) {
    return executeBatch(this.part.context)(create(BatchSchema, init), call);
  }

  stop(): Promise<void> {
    return this.closeables.close();
  }
}

/** A ledger with open EUR accounts, each with `minorUnits` deposited where that is above zero. */
export async function openLedger(
  process: CommandProcess,
  ledgerId: string,
  accountIds: readonly string[],
  minorUnits = 0n,
): Promise<void> {
  await process.send({ case: 'createLedger', value: { ledgerId, requestId: randomUUID() } });
  for (const accountId of accountIds) {
    await process.send({
      case: 'openAccount',
      value: { ledgerId, requestId: randomUUID(), accountId, currency: 'EUR' },
    });
    if (minorUnits === 0n) continue;
    await process.send({
      case: 'deposit',
      value: { ledgerId, requestId: randomUUID(), accountId, amount: { currency: 'EUR', minorUnits } },
    });
  }
}

/** SubmitPayment of an amount in EUR. */
export function payment(
  ledgerId: string,
  payer: string,
  payee: string,
  minorUnits: bigint,
  requestId = randomUUID(),
) {
  return {
    case: 'submitPayment' as const,
    value: {
      ledgerId,
      requestId,
      payerAccountId: payer,
      payeeAccountId: payee,
      amount: { currency: 'EUR', minorUnits },
    },
  };
}
