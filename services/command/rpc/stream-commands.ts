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
import type { Outcome, Request } from '../application/job.js';
import { answerOf, resultOf } from './answer.js';
import { streamedCase } from './checked-case.js';
import type { Kind } from './command-method.js';
import { type CommandContext, COMMANDS_PER_JOB, decideEach, requestOf } from './submit.js';

/** Commands of one stream that are read and not yet answered, at most. */
const IN_FLIGHT = 1_000;

type Method = MethodFunction<(typeof TransactionCommandService)['method']['streamCommands']>;
type Arrived = StreamCommandsRequest | CallError;

/** The answers to commands that were decided together. */
interface Answered {
  readonly results: readonly CommandResult[];
  /** What ends the stream after these. */
  readonly failure: CallError | undefined;
}

export function streamCommands(context: CommandContext): Method {
  return async function* (requests, call) {
    const answers = new Answers();
    const reading = read(context, requests, call, answers);
    // Its failure reaches the caller through `answers`; until then it must not count as unhandled.
    reading.catch(() => undefined);
    let index = 0n;
    try {
      for (let next = await answers.next(); next !== undefined; next = await answers.next()) {
        const first = index;
        index += BigInt(next.results.length);
        if (next.results.length > 0) {
          yield next.results.map((result, place) => answerAt(first + BigInt(place), result));
        }
        if (next.failure !== undefined) throw next.failure;
      }
    } finally {
      answers.close();
    }
    await reading;
  };
}

async function read(
  context: CommandContext,
  requests: AsyncIterable<readonly Arrived[]>,
  call: Call,
  answers: Answers,
): Promise<void> {
  const { queue } = context.executor;
  try {
    for await (const arrived of requests) {
      for (let from = 0; from < arrived.length; from += COMMANDS_PER_JOB) {
        const some = arrived.slice(from, from + COMMANDS_PER_JOB);
        await answers.room(some.length);
        const lanes = [...ledgersOf(some), answers];
        while (!queue.hasRoomForStream(lanes, some.length) && context.executor.isServing)
          await queue.drained();
        if (answers.isClosed) return;
        answers.push(some.length, answer(context, some, call, answers));
      }
    }
    answers.end();
  } catch (error) {
    answers.end(error);
  }
}

/** The ledgers of commands that arrived together. */
function ledgersOf(arrived: readonly Arrived[]): ReadonlySet<string> {
  const ledgers = new Set<string>();
  for (const request of arrived) {
    const ledgerId = request instanceof CallError ? undefined : request.command?.command.value?.ledgerId;
    if (ledgerId !== undefined) ledgers.add(ledgerId);
  }
  return ledgers;
}

/** Decides commands that arrived together, in their order; each is answered for itself. */
async function answer(
  context: CommandContext,
  arrived: readonly Arrived[],
  call: Call,
  sequence: object,
): Promise<Answered> {
  const kinds: Kind[] = [];
  const requests: Request[] = [];
  // What could not be decoded, or breaks a rule, answers for itself, in its place.
  const refused = arrived.map((request) => {
    try {
      if (request instanceof CallError) return request;
      const named = streamedCase(request);
      requests.push(requestOf(named, call));
      kinds.push(named.case);
      return undefined;
    } catch (error) {
      return toCallError(error);
    }
  });
  const outcomes = requests.length === 0 ? [] : await decideEach(context.executor, requests, call, sequence);
  const results: CommandResult[] = [];
  let decided = 0;
  for (const error of refused) {
    let outcome: Outcome | undefined = error;
    let kind: Kind | undefined;
    if (error === undefined) {
      outcome = outcomes[decided];
      kind = kinds[decided];
      decided += 1;
    }
    if (outcome instanceof CallError) {
      if (endsStream(outcome)) return { results, failure: outcome };
      results.push(resultOf({ case: 'error', value: toStatus(outcome) }));
    } else if (outcome === undefined || kind === undefined) {
      throw new Error('every command of a stream has its outcome');
    } else {
      results.push(resultOf(answerOf(kind, outcome, context.log)));
    }
  }
  return { results, failure: undefined };
}

function answerAt(index: bigint, result: CommandResult): StreamCommandsResponse {
  return { $typeName: 'quittance.command.v1.StreamCommandsResponse', index, result };
}

/** After these the stream's later commands could not be told from lost ones. */
function endsStream({ reason }: CallError): boolean {
  return [
    ErrorReason.OUTCOME_UNKNOWN,
    ErrorReason.NOT_SERVING,
    ErrorReason.CANCELLED,
    ErrorReason.DEADLINE_EXCEEDED,
  ].includes(reason);
}

/** Answers in the order of their commands; the reader waits while too many are open. */
class Answers {
  readonly #open: { readonly commands: number; readonly answered: Promise<Answered> }[] = [];
  /** Commands that are not answered. */
  #commands = 0;
  #ended = false;
  #failure: CallError | undefined;
  #closed = false;
  #wakeWriter: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;

  get isClosed(): boolean {
    return this.#closed;
  }

  push(commands: number, answered: Promise<Answered>): void {
    answered.catch(() => undefined);
    this.#commands += commands;
    this.#open.push({ commands, answered });
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

  /** Resolves when so many more may be read. */
  async room(commands: number): Promise<void> {
    while (this.#commands > 0 && this.#commands + commands > IN_FLIGHT && !this.#closed) {
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
  }

  /** The next answers; undefined at the end. @throws what ended the reading */
  async next(): Promise<Answered | undefined> {
    while (this.#open.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
    }
    const next = this.#open.shift();
    if (next === undefined) {
      if (this.#failure !== undefined) throw this.#failure;
      return undefined;
    }
    const answered = await next.answered;
    this.#commands -= next.commands;
    this.#wakeReader?.();
    return answered;
  }
}
