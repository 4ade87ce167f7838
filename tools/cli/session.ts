/** One run of a verb: the connections, the request id, the freshness, and the form of what it prints. */
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { AsOf, ConsistencySchema } from '../../gen/quittance/common/v1/consistency_pb.js';
import { UsageError } from '../../lib/process/command-line.js';
import { callErrorOf, isCallError } from '../client/errors.js';
import { type GrpcClient, grpcClient } from '../client/grpc-client.js';
import type { FlagValues } from './flags.js';
import { type Io, say } from './io.js';
import { persist } from './persist.js';
import type { Format } from './printer.js';
import { seenTokens } from './seen-tokens.js';
import { profileNameOf, type Settings, settingsOf } from './settings.js';
import {
  type CALL_FLAGS,
  type COMMAND_FLAGS,
  type FRESHNESS_FLAGS,
  type LEDGER_FLAGS,
  type LIST_FLAGS,
} from './shared-flags.js';
import { briefOf } from './when.js';

/** What the shared flags said; a verb has only some of them. */
export type SharedValues = Partial<
  FlagValues<
    typeof CALL_FLAGS &
      typeof LEDGER_FLAGS &
      typeof COMMAND_FLAGS &
      typeof FRESHNESS_FLAGS &
      typeof LIST_FLAGS
  >
>;

/** Which process of a distributed platform has the method. */
export type Door = 'command' | 'query' | 'ops';

/** Runs another line, and gives its exit code. */
export type RunLine = (args: readonly string[], io: Io) => Promise<number>;

export type ConsistencyInit = MessageInitShape<typeof ConsistencySchema>;

const PATIENCE_MS = 30_000;
/** One attempt; a server that takes longer is asked again, under the same request id. */
const ATTEMPT_MS = 10_000;
const DEFAULT_LIMIT = 50;

/** Ctrl-C while a call was under way. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** A token that tells nothing to this log: of another server, or of history that was lost. */
const STRANGE_TOKEN: ReadonlySet<string> = new Set(['INVALID_CONSISTENCY_TOKEN', 'HISTORY_LOST']);

export class Session {
  readonly io: Io;
  readonly format: Format;
  readonly isDryRun: boolean;
  /** How many rows a list shows; undefined: all. */
  readonly limit: number | undefined;
  /** For a shell of lines. */
  readonly runLine: RunLine;
  readonly #shared: SharedValues;
  readonly #patience_ms: number;
  readonly #clients = new Map<string, GrpcClient>();
  #requestId: string | undefined;
  #settings: Settings | undefined;
  #lastAddress: string | undefined;

  constructor(io: Io, shared: SharedValues, runLine: RunLine) {
    this.io = io;
    this.runLine = runLine;
    this.#shared = shared;
    this.format = { form: shared.output ?? 'table', columns: shared.columns };
    this.isDryRun = shared.dryRun ?? false;
    this.limit = shared.all === true ? undefined : (shared.limit ?? DEFAULT_LIMIT);
    this.#patience_ms = shared.timeout ?? PATIENCE_MS;
    const freshness = [shared.fresh, shared.stale, shared.after].filter((given) => given !== undefined);
    if (freshness.length > 1) throw new UsageError('--fresh, --stale and --after exclude one another');
    if (shared.all === true && shared.limit !== undefined)
      throw new UsageError('--all and --limit exclude one another');
  }

  /** Read when it is needed: a verb that calls no server needs none. @throws StartError, UsageError */
  get settings(): Settings {
    const { address, queryAddress, opsAddress, token, caFile, tls, profile, ledger } = this.#shared;
    this.#settings ??= settingsOf(this.io, {
      address,
      queryAddress,
      opsAddress,
      token,
      caFile,
      tls,
      profile,
      ledger,
    });
    return this.#settings;
  }

  /** The profile that was named, or else is used; it need not exist yet. */
  get profileName(): string {
    return profileNameOf(this.io, this.#shared.profile);
  }

  /** The ledger that was named. @throws UsageError if none was */
  get ledger(): string {
    if (this.settings.ledger !== undefined) return this.settings.ledger;
    throw new UsageError(
      'no ledger is named; use --ledger NAME, QUITTANCE_CLI_LEDGER, or: quittance config set ledger NAME',
    );
  }

  /** The id of the command: the one that was typed, else a fresh one, which is printed before anything is sent. */
  get requestId(): string {
    if (this.#requestId === undefined) {
      this.#requestId = this.#shared.requestId ?? this.io.newId();
      if (this.#shared.requestId === undefined) say(this.io, `request id ${this.#requestId}`);
    }
    return this.#requestId;
  }

  /** The request id, once there is one: what has to be typed to send the same command again. */
  get sentRequestId(): string | undefined {
    return this.#requestId;
  }

  /** The fields that all commands begin with. */
  commandHead(): { readonly ledgerId: string; readonly requestId: string; readonly validateOnly: boolean } {
    return { ledgerId: this.ledger, requestId: this.requestId, validateOnly: this.isDryRun };
  }

  /** The address of the last call, for what is said of its failure. */
  get lastAddress(): string {
    return this.#lastAddress ?? this.settings.address;
  }

  address(door: Door): string {
    const { address, queryAddress, opsAddress } = this.settings;
    return { command: address, query: queryAddress, ops: opsAddress }[door];
  }

  /** One call, tried again while the server is away or busy. */
  async call<I extends DescMessage, O extends DescMessage>(
    door: Door,
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    const { signal } = this.io;
    const client = this.#client(door);
    return persist(
      {
        patience_ms: this.#patience_ms,
        signal,
        onRetry: (error, attempts) => {
          if (attempts === 1) say(this.io, `trying again: ${callErrorOf(error).message}`);
        },
      },
      (left_ms) =>
        unlessAborted(client.unary(method, request, Math.max(1, Math.min(left_ms, ATTEMPT_MS))), signal),
    );
  }

  /** Sends a command and remembers its token for the reads of the ledger that follow. */
  async send<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    ledger = this.ledger,
  ): Promise<MessageShape<O>> {
    const answer = await this.call('command', method, request);
    const token: unknown = 'consistencyToken' in answer ? answer.consistencyToken : undefined;
    if (!this.isDryRun && typeof token === 'string' && token !== '')
      this.#seen.set(this.settings.address, ledger, token);
    return answer;
  }

  /**
   * Reads with the freshness that was asked for; by default as fresh as the last command to this ledger. A remembered token of
   * another log (the server was reset) is forgotten, and the read is sent again without it.
   */
  async read<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: (consistency: ConsistencyInit) => MessageInitShape<I>,
    ledger = this.settings.ledger,
  ): Promise<MessageShape<O>> {
    const { consistency, isRemembered } = this.#freshness(ledger);
    try {
      return await this.call('query', method, request(consistency));
    } catch (error) {
      if (!isRemembered || ledger === undefined || !this.#forgets(error, ledger)) throw error;
      return this.call('query', method, request(LOW_LATENCY));
    }
  }

  /** The freshness of a read that is no unary call. */
  consistency(): ConsistencyInit {
    return this.#freshness(this.settings.ledger).consistency;
  }

  /** A stream until it ends or Ctrl-C. */
  async *stream<I extends DescMessage, O extends DescMessage>(
    door: Door,
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
  ): AsyncGenerator<MessageShape<O>> {
    if (this.io.signal.aborted) return;
    const { signal } = this.io;
    try {
      yield* this.#client(door).serverStream(method, request, Number.POSITIVE_INFINITY, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Tells what an answer is as of. */
  sayAsOf(asOf: AsOf | undefined): void {
    if (asOf !== undefined) say(this.io, `as of ${String(asOf.position)}, ${briefOf(asOf.time)}`);
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  get #seen() {
    return seenTokens(this.io);
  }

  #freshness(ledger: string | undefined): {
    readonly consistency: ConsistencyInit;
    readonly isRemembered: boolean;
  } {
    const { fresh, stale, after } = this.#shared;
    if (after !== undefined) return { consistency: atLeast(after), isRemembered: false };
    if (fresh === true)
      return { consistency: { requirement: { case: 'fullyConsistent', value: true } }, isRemembered: false };
    const { address } = this.settings;
    const seen = stale === true || ledger === undefined ? undefined : this.#seen.get(address, ledger);
    return {
      consistency: seen === undefined ? LOW_LATENCY : atLeast(seen),
      isRemembered: seen !== undefined,
    };
  }

  #forgets(error: unknown, ledger: string): boolean {
    if (!isCallError(error) || !STRANGE_TOKEN.has(callErrorOf(error).reason)) return false;
    this.#seen.set(this.settings.address, ledger, undefined);
    say(this.io, 'the remembered token of the last command is not of this log, and is forgotten');
    return true;
  }

  #client(door: Door): GrpcClient {
    const address = this.address(door);
    this.#lastAddress = address;
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const client = grpcClient(address, this.settings.access);
    this.#clients.set(address, client);
    return client;
  }
}

const LOW_LATENCY: ConsistencyInit = { requirement: { case: 'minimizeLatency', value: true } };

function atLeast(token: string): ConsistencyInit {
  return { requirement: { case: 'atLeastAsFresh', value: token } };
}

/** Ctrl-C ends the wait; whether the call is done stays unknown. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new InterruptedError('interrupted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
