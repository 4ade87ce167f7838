/** Sends commands through StreamCommands, in order, and outlives the server: what is not answered is sent again. */
import { create } from '@bufbuild/protobuf';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  type Command,
  type CommandResult,
  StreamCommandsRequestSchema,
  type StreamCommandsRequest,
  type StreamCommandsResponse,
  TransactionCommandService,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { callErrorOf, describe, serverErrorOf } from '../client/errors.js';
import type { GrpcClient } from '../client/grpc-client.js';

/** A command with whatever the caller wants to know it by. */
export interface Item<T> {
  readonly about: T;
  readonly command: Command;
}

/** What one command came to. */
export type Answer = CommandResult['result'];

export interface SendOptions<T> {
  /** Called once for each command, in order. */
  readonly onAnswer: (about: T, answer: Answer) => void;
  /** Called once an outage: the connection is lost, and the unanswered commands will be sent again until it is back. */
  readonly onRetry: (why: string) => void;
  /** Give up when nothing was answered for this long. */
  readonly patience_ms: number;
  /** A failed call in words for people. */
  readonly explain: (error: unknown) => string;
}

/** The server stays away, or refuses the stream itself. */
export class SendError extends Error {
  override readonly name = 'SendError';
}

/** Commands sent and not yet answered, at most: they are kept to be sent again. */
const WINDOW = 2000;
/** An open stream that answers nothing for this long is given up. */
const STALL_ms = 30_000;
const RETRY_ms = 200;

/** gRPC codes after which the same commands, with the same request ids, may be sent again. */
const CANCELLED = 1;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;
const RETRYABLE: ReadonlySet<number> = new Set([CANCELLED, RESOURCE_EXHAUSTED, UNAVAILABLE]);

/** What is left to do, across connections. */
interface Progress<T> {
  readonly source: AsyncIterator<Item<T>>;
  /** Whether the source was asked for its next item, which has not been taken yet: it may wait for answers. */
  asked: boolean;
  arrived: IteratorResult<Item<T>> | undefined;
  failure: { readonly error: unknown } | undefined;
  /** Called when the source has answered. */
  wake: () => void;
  sourceEnded: boolean;
  readonly unanswered: Item<T>[];
  lastAnswer_ms: number;
}

/** The stream must be opened anew. */
class Interruption extends Error {}

/** Sends all commands and resolves when each is answered. @throws SendError when the server stays away. */
export async function sendAll<T>(
  client: GrpcClient,
  items: AsyncIterable<Item<T>>,
  options: SendOptions<T>,
): Promise<void> {
  const progress: Progress<T> = {
    source: items[Symbol.asyncIterator](),
    asked: false,
    arrived: undefined,
    failure: undefined,
    wake: () => undefined,
    sourceEnded: false,
    unanswered: [],
    lastAnswer_ms: performance.now(),
  };
  let notedAt_ms = 0;
  for (;;) {
    const interruption = await attempt(client, progress, options);
    if (interruption === undefined) return;
    if (performance.now() - progress.lastAnswer_ms > options.patience_ms)
      throw new SendError(`giving up: ${interruption.message}`);
    // One note per outage, not one per attempt.
    if (notedAt_ms < progress.lastAnswer_ms) options.onRetry(interruption.message);
    notedAt_ms = performance.now();
    await new Promise((resolve) => setTimeout(resolve, RETRY_ms));
  }
}

/** One stream, from the first unanswered command to the end or to an interruption. */
async function attempt<T>(
  client: GrpcClient,
  progress: Progress<T>,
  options: SendOptions<T>,
): Promise<Interruption | undefined> {
  const stream = client.duplex(TransactionCommandService.method.streamCommands);
  const gate = new Gate();
  let answeredAt_ms = performance.now();
  const watchdog = setInterval(() => {
    if (progress.unanswered.length === 0) answeredAt_ms = performance.now();
    else if (performance.now() - answeredAt_ms > STALL_ms) stream.cancel();
  }, 1000);
  const reading = read(stream, progress, options.explain, (about, answer) => {
    answeredAt_ms = performance.now();
    progress.lastAnswer_ms = answeredAt_ms;
    options.onAnswer(about, answer);
    gate.open();
  }).finally(() => gate.close());
  const writing = write(stream, progress, gate).catch((error: unknown) => {
    // The reader waits for answers to what will never be sent.
    stream.cancel();
    throw error;
  });
  const [read_, written] = await Promise.allSettled([reading, writing]);
  clearInterval(watchdog);
  stream.cancel();
  // A row that cannot be read ends the import, whatever became of the stream.
  if (written.status === 'rejected') throw written.reason;
  if (read_.status === 'fulfilled') return undefined;
  if (read_.reason instanceof Interruption) return read_.reason;
  throw read_.reason;
}

async function read<T>(
  stream: ClientDuplexStream<StreamCommandsRequest, StreamCommandsResponse>,
  progress: Progress<T>,
  explain: (error: unknown) => string,
  onAnswer: (about: T, answer: Answer) => void,
): Promise<void> {
  let expected = 0n;
  try {
    for await (const response of stream as AsyncIterable<StreamCommandsResponse>) {
      const item = progress.unanswered[0];
      const answer = response.result?.result;
      if (response.index !== expected || item === undefined || answer === undefined)
        throw new SendError(`the server answered number ${response.index} where ${expected} was due`);
      // An outage that hits one command hits those behind it: all are sent again, in order.
      if (answer.case === 'error' && RETRYABLE.has(answer.value.code))
        throw new Interruption(describe(serverErrorOf(answer.value)));
      progress.unanswered.shift();
      expected += 1n;
      onAnswer(item.about, answer);
    }
  } catch (error) {
    if (error instanceof SendError || error instanceof Interruption) throw error;
    const { code } = callErrorOf(error);
    throw RETRYABLE.has(code) ? new Interruption(explain(error)) : new SendError(explain(error));
  }
  if (progress.unanswered.length > 0 || !progress.sourceEnded)
    throw new Interruption('the server ended the stream early');
}

/** Writes as fast as the server takes it, and no further ahead of the answers than WINDOW. */
async function write<T>(
  stream: ClientDuplexStream<StreamCommandsRequest, StreamCommandsResponse>,
  progress: Progress<T>,
  gate: Gate,
): Promise<void> {
  stream.on('drain', () => gate.open());
  progress.wake = () => gate.open();
  const send = async ({ command }: Item<T>): Promise<void> => {
    const accepted = stream.write(create(StreamCommandsRequestSchema, { command }));
    if (!accepted && !gate.closed) await gate.wait(() => !stream.writableNeedDrain);
  };
  for (const item of [...progress.unanswered]) {
    if (gate.closed) return;
    await send(item);
  }
  while (!progress.sourceEnded && !gate.closed) {
    const next = await nextOf(progress, gate);
    // A source that waits for answers gets none of a broken stream; the next stream goes on waiting for it.
    if (next === undefined) return;
    if (next.done === true) {
      progress.sourceEnded = true;
      break;
    }
    // Kept before anything else can fail: an item that was taken is never lost. Written to a stream that has failed
    // meanwhile it goes nowhere, and is sent again.
    progress.unanswered.push(next.value);
    await send(next.value);
    await gate.wait(() => progress.unanswered.length < WINDOW);
  }
  if (!gate.closed) stream.end();
}

/** The source's next item; undefined if the gate closes before it has come. @throws what the source throws. */
async function nextOf<T>(progress: Progress<T>, gate: Gate): Promise<IteratorResult<Item<T>> | undefined> {
  if (!progress.asked) {
    progress.asked = true;
    progress.source.next().then(
      (result) => {
        progress.arrived = result;
        progress.wake();
      },
      (error: unknown) => {
        progress.failure = { error };
        progress.wake();
      },
    );
  }
  await gate.wait(() => progress.arrived !== undefined || progress.failure !== undefined);
  if (progress.failure !== undefined) throw progress.failure.error;
  const next = progress.arrived;
  if (next === undefined) return undefined;
  progress.arrived = undefined;
  progress.asked = false;
  return next;
}

/** What a writer waits at: looked at again whenever something has changed, open for good once the reader is gone. */
class Gate {
  closed = false;
  #waiting: (() => void) | undefined;

  open(): void {
    this.#waiting?.();
  }

  close(): void {
    this.closed = true;
    this.#waiting?.();
  }

  async wait(condition: () => boolean): Promise<void> {
    while (!this.closed && !condition()) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }
}
