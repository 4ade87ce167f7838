/** StreamCommands: decided and answered in order, many in flight; slowed by flow control, never refused for a full queue. */
import type {
  CommandResult,
  StreamCommandsRequest,
  StreamCommandsResponse,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Call } from '../../../lib/rpc/call.js';
import { CallError, toCallError, toStatus } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { answerOf, resultOf } from './answer.js';
import { streamedCase } from './checked-case.js';
import { type CommandContext, decideOne, requestOf } from './submit.js';

/** Commands of one stream that are read and not yet answered, at most. */
const IN_FLIGHT = 1_000;

type Method = MethodFunction<(typeof TransactionCommandService)['method']['streamCommands']>;

export function streamCommands(context: CommandContext): Method {
  return async function* (requests, call) {
    const answers = new Answers();
    const reading = read(context, requests, call, answers);
    // Its failure reaches the caller through `answers`; until then it must not count as unhandled.
    reading.catch(() => undefined);
    try {
      for (let index = 0n; ; index += 1n) {
        const result = await answers.next();
        if (result === undefined) break;
        yield answerAt(index, result);
      }
    } finally {
      answers.close();
    }
    await reading;
  };
}

async function read(
  context: CommandContext,
  requests: AsyncIterable<StreamCommandsRequest | CallError>,
  call: Call,
  answers: Answers,
): Promise<void> {
  const { queue } = context.executor;
  try {
    for await (const request of requests) {
      await answers.room();
      // Half the queue is kept for unary callers, who cannot be slowed and would be refused.
      while (queue.size >= queue.limit / 2 && context.executor.isServing) await queue.drained();
      if (answers.isClosed) return;
      answers.push(answer(context, request, call));
    }
    answers.end();
  } catch (error) {
    answers.end(error);
  }
}

async function answer(
  context: CommandContext,
  request: StreamCommandsRequest | CallError,
  call: Call,
): Promise<CommandResult> {
  try {
    // What could not be decoded answers for itself, in its place.
    if (request instanceof CallError) throw request;
    const named = streamedCase(request);
    const decided = await decideOne(context.executor, requestOf(named, call), call);
    return resultOf(answerOf(named.case, decided, context.log));
  } catch (error) {
    if (endsStream(error)) throw error;
    return resultOf({ case: 'error', value: toStatus(error) });
  }
}

function answerAt(index: bigint, result: CommandResult): StreamCommandsResponse {
  return { $typeName: 'quittance.command.v1.StreamCommandsResponse', index, result };
}

/** After these the stream's later commands could not be told from lost ones. */
function endsStream(error: unknown): boolean {
  return (
    error instanceof CallError &&
    [
      ErrorReason.OUTCOME_UNKNOWN,
      ErrorReason.NOT_SERVING,
      ErrorReason.CANCELLED,
      ErrorReason.DEADLINE_EXCEEDED,
    ].includes(error.reason)
  );
}

/** Answers in the order of their commands; the reader waits while too many are open. */
class Answers {
  readonly #open: Promise<CommandResult>[] = [];
  #ended = false;
  #failure: CallError | undefined;
  #closed = false;
  #wakeWriter: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;

  get isClosed(): boolean {
    return this.#closed;
  }

  push(result: Promise<CommandResult>): void {
    result.catch(() => undefined);
    this.#open.push(result);
    this.#wakeWriter?.();
  }

  end(failure?: unknown): void {
    this.#ended = true;
    this.#failure = failure === undefined ? undefined : toCallError(failure);
    this.#wakeWriter?.();
  }

  close(): void {
    this.#closed = true;
    this.#wakeReader?.();
  }

  /** Resolves when one more may be read. */
  async room(): Promise<void> {
    while (this.#open.length >= IN_FLIGHT && !this.#closed) {
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
  }

  /** The next answer; undefined at the end. @throws what ended the reading */
  async next(): Promise<CommandResult | undefined> {
    while (this.#open.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
    }
    const next = this.#open.shift();
    this.#wakeReader?.();
    if (next === undefined && this.#failure !== undefined) throw this.#failure;
    return next;
  }
}
