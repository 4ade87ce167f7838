/** The callers of a torture run: each sends commands, one after the other, until each is answered, and reads by their tokens. */
import { create, type MessageInitShape, toJsonString } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { AccountCommandService } from '../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  type CommandResult,
  CommandSchema,
  TransactionCommandService,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import {
  type Transaction,
  TransactionSchema,
  TransactionStatus,
} from '../../gen/quittance/common/v1/transaction_pb.js';
import { AccountQueryService } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { TransactionQueryService } from '../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { pause } from '../../lib/base/pause.js';
import { callErrorOf, isCallError, type ServerError, serverErrorOf } from '../client/errors.js';
import { type GrpcClient, grpcClient } from '../client/grpc-client.js';
import type { Attempt, BalanceRead, Outcome, SentCommand, TransactionRead } from './history.js';
import { below, oneOf, type Random, seeded, uuidOf } from './random.js';

export const LEDGER = 'torture';
const CURRENCY = 'EUR';
const FUNDS = 1_000_000n;
/** Short, so that a process that is stopped is noticed; long enough for a busy machine. */
const ATTEMPT_MS = 4_000;
const READ_MS = 4_000;
const RESEND_MS = 100;
const BATCH_MOST = 8;
const READS_SHARE = 0.4;

type CommandInit = NonNullable<MessageInitShape<typeof CommandSchema>['command']>;

/** Codes of errors after which nothing was changed, and nothing will be. */
const NOT_FOUND: number = status.NOT_FOUND;
const REFUSALS: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  NOT_FOUND,
  status.ALREADY_EXISTS,
  status.FAILED_PRECONDITION,
  status.ABORTED,
  status.OUT_OF_RANGE,
]);

/** What the callers write down. */
export interface Notes {
  readonly commands: SentCommand[];
  readonly balanceReads: BalanceRead[];
  readonly transactionReads: TransactionRead[];
  /** When commands were answered, milliseconds of the run's clock, in order: gaps are interruptions. */
  readonly answered_ms: number[];
  /** The position of the latest command that was answered. */
  highest: bigint;
  /** Reads that had no answer in time: nothing is wrong with that. */
  readsWithout: number;
}

export function emptyNotes(): Notes {
  return {
    commands: [],
    balanceReads: [],
    transactionReads: [],
    answered_ms: [],
    highest: -1n,
    readsWithout: 0,
  };
}

export function accountIds(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `a${String(n)}`);
}

/** Opens the ledger and its accounts, before anything is hurt. */
export async function openLedger(address: string, accounts: readonly string[]): Promise<void> {
  const client = grpcClient(address);
  const random = seeded(Date.now());
  const own = () => ({ ledgerId: LEDGER, requestId: uuidOf(random) });
  try {
    await client.unary(LedgerCommandService.method.createLedger, own());
    for (const accountId of accounts) {
      const open = { ...own(), accountId, currency: CURRENCY };
      await client.unary(AccountCommandService.method.openAccount, open);
      const amount = { currency: CURRENCY, minorUnits: FUNDS };
      await client.unary(TransactionCommandService.method.deposit, { ...own(), accountId, amount });
    }
  } finally {
    client.close();
  }
}

/** A command that is to be sent. */
interface Planned {
  readonly requestId: string;
  readonly init: CommandInit;
  /** What it moves or holds, in minor units. */
  readonly amount: bigint;
}

/** A hold that this caller made, and may settle. */
interface Hold {
  readonly paymentId: string;
  readonly amount: bigint;
}

export interface CallerOptions {
  readonly command: string;
  readonly query: string;
  readonly accounts: readonly string[];
  readonly random: Random;
  readonly notes: Notes;
  /** Aborts when no new command is to be sent; what is under way is finished. */
  readonly signal: AbortSignal;
}

/** Sends until the signal aborts; resolves when all that it sent is answered, or the server stays away for a minute. */
export async function runCaller(options: CallerOptions): Promise<void> {
  const caller = new Caller(options);
  try {
    while (!options.signal.aborted) await caller.step();
  } finally {
    caller.close();
  }
}

/** How long after the last new command one without an answer is still sent again. */
const LAST_RESENDS_MS = 60_000;

class Caller {
  readonly #command: GrpcClient;
  readonly #query: GrpcClient;
  readonly #options: CallerOptions;
  readonly #holds: Hold[] = [];
  #stopped_ms: number | undefined;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.#command = grpcClient(options.command);
    this.#query = grpcClient(options.query);
  }

  close(): void {
    this.#command.close();
    this.#query.close();
  }

  async step(): Promise<void> {
    const { random } = this.#options;
    const size = below(random, 4) === 0 ? 1 + below(random, BATCH_MOST) : 1;
    const planned = Array.from({ length: size }, () => this.#nextCommand());
    const sent = planned.map((plan) => ({ plan, attempts: [] as Attempt[] }));
    let last: { readonly token: string; readonly position: bigint } | undefined;
    for (let isTold = false; !isTold;) {
      const sent_ms = performance.now();
      const { outcomes, token, position } = await this.#attempt(planned);
      const ended_ms = performance.now();
      outcomes.forEach((outcome, index) => sent[index]?.attempts.push({ sent_ms, ended_ms, outcome }));
      isTold = outcomes.every(({ kind }) => kind !== 'unknown');
      if (outcomes.some(({ kind }) => kind === 'answered')) this.#options.notes.answered_ms.push(ended_ms);
      if (token !== '') last = { token, position };
      if (position > this.#options.notes.highest) this.#options.notes.highest = position;
      if (!isTold && !(await this.#mayResend())) break;
    }
    for (const { plan, attempts } of sent) this.#note(plan, attempts);
    if (last !== undefined && random() < READS_SHARE) await this.#read(planned, last.token, last.position);
  }

  /** After the end of the run a command is sent again for a while: its caller wants to know. */
  async #mayResend(): Promise<boolean> {
    await pause(RESEND_MS + below(this.#options.random, RESEND_MS));
    if (!this.#options.signal.aborted) return true;
    this.#stopped_ms ??= performance.now();
    return performance.now() - this.#stopped_ms < LAST_RESENDS_MS;
  }

  #nextCommand(): Planned {
    const { random, accounts } = this.#options;
    const requestId = uuidOf(random);
    const own = { ledgerId: LEDGER, requestId };
    const hold = this.#holds.shift();
    const die = random();
    if (hold !== undefined && die < 0.5) {
      const { paymentId, amount: held } = hold;
      if (die < 0.1)
        return { requestId, amount: held, init: { case: 'voidPayment', value: { ...own, paymentId } } };
      const value = { ...own, paymentId, amount: { currency: CURRENCY, minorUnits: held }, final: true };
      return { requestId, amount: held, init: { case: 'capturePayment', value } };
    }
    if (hold !== undefined) this.#holds.push(hold);
    const accountId = oneOf(random, accounts);
    const others = accounts.filter((other) => other !== accountId);
    const amount = 1n + BigInt(below(random, 5_000));
    const money = { currency: CURRENCY, minorUnits: amount };
    const moving = { ...own, accountId, amount: money };
    const paying = {
      ...own,
      payerAccountId: accountId,
      payeeAccountId: oneOf(random, others),
      amount: money,
    };
    if (die < 0.6) return { requestId, amount, init: { case: 'submitPayment', value: paying } };
    if (die < 0.75) return { requestId, amount, init: { case: 'authorizePayment', value: paying } };
    if (die < 0.9) return { requestId, amount, init: { case: 'deposit', value: moving } };
    return { requestId, amount, init: { case: 'withdraw', value: moving } };
  }

  #note({ requestId, init, amount }: Planned, attempts: readonly Attempt[]): void {
    this.#options.notes.commands.push({ requestId, what: init.case ?? 'nothing', attempts });
    const isPosted = attempts.some(({ outcome }) => outcome.kind === 'answered' && !outcome.declined);
    if (init.case === 'authorizePayment' && isPosted) this.#holds.push({ paymentId: requestId, amount });
  }

  /** One call for all of them: alone a command is a unary call, several are a batch. */
  async #attempt(planned: readonly Planned[]): Promise<{
    readonly outcomes: readonly Outcome[];
    readonly token: string;
    readonly position: bigint;
  }> {
    const commands = planned.map(({ init }) => create(CommandSchema, { command: init }));
    try {
      const [only] = commands;
      if (commands.length === 1 && only !== undefined) {
        const answer = await this.#unary(only.command);
        return { outcomes: [outcomeOf(answer)], token: answer.consistencyToken, position: answer.position };
      }
      const { executeBatch } = TransactionCommandService.method;
      const batch = { ledgerId: LEDGER, commands };
      const { results, consistencyToken, position } = await this.#command.unary(
        executeBatch,
        batch,
        ATTEMPT_MS,
      );
      return { outcomes: results.map(outcomeOfResult), token: consistencyToken, position };
    } catch (error) {
      const outcome = outcomeOfError(failureOf(error));
      return { outcomes: planned.map(() => outcome), token: '', position: 0n };
    }
  }

  #unary(command: ReturnType<typeof create<typeof CommandSchema>>['command']): Promise<AnswerParts> {
    const { method } = TransactionCommandService;
    switch (command.case) {
      case 'deposit':
        return this.#command.unary(method.deposit, command.value, ATTEMPT_MS);
      case 'withdraw':
        return this.#command.unary(method.withdraw, command.value, ATTEMPT_MS);
      case 'submitPayment':
        return this.#command.unary(method.submitPayment, command.value, ATTEMPT_MS);
      case 'authorizePayment':
        return this.#command.unary(method.authorizePayment, command.value, ATTEMPT_MS);
      case 'capturePayment':
        return this.#command.unary(method.capturePayment, command.value, ATTEMPT_MS);
      case 'voidPayment':
        return this.#command.unary(method.voidPayment, command.value, ATTEMPT_MS);
      default:
        throw new Error(`no caller sends ${String(command.case)}`);
    }
  }

  async #read(planned: readonly Planned[], token: string, required: bigint): Promise<void> {
    const { notes, random, accounts } = this.#options;
    const consistency = { requirement: { case: 'atLeastAsFresh' as const, value: token } };
    const accountId = oneOf(random, accounts);
    const [only] = planned;
    try {
      const { getBalance } = AccountQueryService.method;
      const request = { ledgerId: LEDGER, accountId, consistency };
      const { balance, asOf } = await this.#query.unary(getBalance, request, READ_MS);
      if (balance !== undefined && asOf !== undefined) {
        const { credits, debits, held = 0n, version } = balance;
        const state = { credits, debits, held, version };
        notes.balanceReads.push({ accountId, required, asOf: asOf.position, state });
      }
      // A void or a decline of a batch makes no transaction of its own that the token's position is about.
      if (planned.length !== 1 || only?.init.case !== 'submitPayment') return;
      const transactionId = only.requestId;
      const { getTransaction } = TransactionQueryService.method;
      const found = await this.#query.unary(
        getTransaction,
        { ledgerId: LEDGER, transactionId, consistency },
        READ_MS,
      );
      notes.transactionReads.push({
        transactionId,
        required,
        asOf: found.asOf?.position ?? -1n,
        position: found.transaction?.position,
      });
    } catch (error) {
      const { code } = failureOf(error);
      if (code !== NOT_FOUND || only === undefined) {
        notes.readsWithout += 1;
        return;
      }
      // The view has the token's position and not what stands there.
      const transactionId = only.requestId;
      notes.transactionReads.push({ transactionId, required, asOf: required, position: undefined });
    }
  }
}

/** What the answers of all these methods have. */
interface AnswerParts {
  readonly transaction?: Transaction | undefined;
  readonly position: bigint;
  readonly consistencyToken: string;
}

function outcomeOf({ transaction, position }: AnswerParts): Outcome {
  const said = transaction === undefined ? '' : toJsonString(TransactionSchema, transaction);
  return { kind: 'answered', position, said, declined: transaction?.status === TransactionStatus.DECLINED };
}

function outcomeOfResult({ result }: CommandResult): Outcome {
  if (result.case === 'error') return outcomeOfError(serverErrorOf(result.value));
  if (result.case === undefined) return { kind: 'unknown', reason: 'no result' };
  const answer = result.value;
  const transaction = 'transaction' in answer ? answer.transaction : undefined;
  return outcomeOf({ transaction, position: answer.position, consistencyToken: answer.consistencyToken });
}

function outcomeOfError({ code, reason }: ServerError): Outcome {
  const name = reason === '' ? `code ${String(code)}` : reason;
  return REFUSALS.has(code) ? { kind: 'refused', reason: name } : { kind: 'unknown', reason: name };
}

function failureOf(error: unknown): ServerError {
  if (isCallError(error)) return callErrorOf(error);
  throw error;
}
