/**
 * Sends the calls of the command services to the process that decides. A call that was sent to a process which is lost, or which
 * does not decide any more, is sent again to the next one: a request id is decided once, whichever process it reaches, and every
 * attempt is answered alike. A call that another process has sent on is answered here or refused; it never goes further.
 */
import type { Message } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { pause, TIMER_MAX_MS } from '../../../lib/base/pause.js';
import type { Call } from '../../../lib/rpc/call.js';
import { CallError, fail } from '../../../lib/rpc/errors.js';
import { EncodedMessage, type Passage, type PassedCall } from '../../../lib/rpc/passage.js';
import type { Method } from '../../../lib/rpc/service.js';
import { isNotHolder, notHolder } from '../application/not-holder.js';
import type { Place, Standing } from './standing.js';

/** A process to which calls are sent on. */
export interface Peer {
  readonly address: string;
  /** Whether it is connected, or becomes so in time. */
  isReady(limit_ms: number): Promise<boolean>;
  /** @throws CallError as the process says; any other error if the process is lost */
  unary(passed: PassedCall, request: Uint8Array): Promise<Uint8Array>;
  stream(passed: PassedCall, requests: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Gives up what is under way, and ends the connection. */
  close(): void;
}

export interface CommandPassageDeps {
  readonly standing: Pick<Standing, 'place' | 'isHolder' | 'onChange'>;
  /** The full names of the services whose calls may go elsewhere. */
  readonly services: readonly string[];
  connect(address: string): Peer;
}

/** How long a call without a deadline waits for a process that decides. */
const PATIENCE_MS = 10_000;
/** The caller is answered so long before its deadline, or a tenth of its time if that is less. */
const MARGIN_MS = 50;
/** How long a call waits before it looks again for a process that decides. */
const RETRY_MS = 25;
const CONNECT_MS = 250;
/** What a process has decided before it lost the lease is waited for so long. */
const GRACE_MS = 300;

/** Errors of a command that was not decided: only a decision looks up the request id first. */
const BEFORE_DECISION: ReadonlySet<ErrorReason> = new Set([
  ErrorReason.DEADLINE_EXCEEDED,
  ErrorReason.CANCELLED,
  ErrorReason.QUEUE_FULL,
  ErrorReason.DEPENDENCY_UNAVAILABLE,
  ErrorReason.NOT_SERVING,
  ErrorReason.UNAUTHENTICATED,
  ErrorReason.PERMISSION_DENIED,
]);

/** The process lost the lease while the call was under way. */
const LOST = Symbol('the lease was lost');

export class CommandPassage implements Passage {
  readonly #deps: CommandPassageDeps;
  readonly #services: ReadonlySet<string>;
  #peer: Peer | undefined;

  constructor(deps: CommandPassageDeps) {
    this.#deps = deps;
    this.#services = new Set(deps.services);
    deps.standing.onChange(() => {
      this.#follow(deps.standing.place);
    });
  }

  concerns(method: Method): boolean {
    return this.#services.has(method.desc.parent.typeName);
  }

  async unary(
    passed: PassedCall,
    request: () => Uint8Array,
    here: () => Promise<Message>,
  ): Promise<Message | EncodedMessage> {
    if (passed.isForwarded) return here();
    const { standing } = this.#deps;
    const attempts = new Attempts(passed.call);
    for (;;) {
      const answer = standing.isHolder
        ? await this.#decideHere(here, attempts)
        : await this.#sendOn(passed, request, attempts);
      if (answer !== undefined) return answer;
      await attempts.pause();
    }
  }

  async *stream(
    passed: PassedCall,
    requests: AsyncIterable<readonly Uint8Array[]>,
    here: (requests: AsyncIterable<readonly Uint8Array[]>) => AsyncIterable<readonly Message[]>,
  ): AsyncGenerator<readonly (Message | EncodedMessage)[]> {
    const peer = passed.isForwarded ? undefined : await this.#streamPeer(passed.call);
    if (peer === undefined) {
      yield* here(requests);
      return;
    }
    try {
      for await (const bytes of peer.stream(passed, oneByOne(requests))) yield [new EncodedMessage(bytes)];
    } catch (error) {
      throw error instanceof CallError ? error : outcomeUnknown(error);
    }
  }

  close(): void {
    this.#peer?.close();
  }

  /** The answer of this process; undefined if it does not decide the call any more. */
  async #decideHere(here: () => Promise<Message>, attempts: Attempts): Promise<Message | undefined> {
    try {
      const answer = await this.#whileHeld(here());
      if (answer !== LOST) return answer;
      attempts.mayHaveBeenDecided = true;
      return undefined;
    } catch (error) {
      if (isNotHolder(error)) return undefined;
      throw attempts.explained(error);
    }
  }

  /** What is decided when the lease is lost may still be answered; what waits for a database that is away is not waited for. */
  #whileHeld<T>(answering: Promise<T>): Promise<T | typeof LOST> {
    const { standing } = this.#deps;
    return new Promise((resolve, reject) => {
      let grace: NodeJS.Timeout | undefined;
      const stop = standing.onChange(() => {
        grace ??= setTimeout(() => {
          stop();
          resolve(LOST);
        }, GRACE_MS);
      });
      answering
        .finally(() => {
          clearTimeout(grace);
          stop();
        })
        .then(resolve, reject);
    });
  }

  /** The answer of the process that decides; undefined if none was reached that does. */
  async #sendOn(
    passed: PassedCall,
    request: () => Uint8Array,
    attempts: Attempts,
  ): Promise<EncodedMessage | undefined> {
    const peer = this.#follow(this.#deps.standing.place);
    if (peer === undefined || !(await peer.isReady(CONNECT_MS))) return undefined;
    try {
      return new EncodedMessage(await attempts.inTime(peer.unary(passed, request())));
    } catch (error) {
      if (error instanceof CallError && error.reason !== ErrorReason.NOT_SERVING) {
        throw attempts.explained(error);
      }
      // NOT_SERVING changes nothing.
      if (!(error instanceof CallError)) attempts.mayHaveBeenDecided = true;
      return undefined;
    }
  }

  /** The process that is to answer a stream; undefined: this one. */
  async #streamPeer(call: Call): Promise<Peer | undefined> {
    const { standing } = this.#deps;
    const attempts = new Attempts(call);
    for (;;) {
      if (standing.isHolder) return undefined;
      const peer = this.#follow(standing.place);
      if (peer !== undefined && (await peer.isReady(CONNECT_MS))) return peer;
      await attempts.pause();
    }
  }

  /** The process at a place. What is under way at another one is given up soon. */
  #follow(place: Place): Peer | undefined {
    if (place.at === 'unknown') return undefined;
    const address = place.at === 'peer' ? place.address : undefined;
    const before = this.#peer;
    if (before !== undefined && before.address !== address) {
      this.#peer = undefined;
      setTimeout(() => {
        before.close();
      }, GRACE_MS);
    }
    if (address === undefined) return undefined;
    return (this.#peer ??= this.#deps.connect(address));
  }
}

async function* oneByOne<T>(groups: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const group of groups) yield* group;
}

/** The attempts to have one call answered. */
class Attempts {
  /** Whether a process may have decided the call without having answered it. */
  mayHaveBeenDecided = false;
  readonly #call: Call;
  readonly #until_ms: number;

  constructor(call: Call) {
    this.#call = call;
    const now_ms = Date.now();
    const deadline_ms = call.deadline_ms ?? now_ms + PATIENCE_MS;
    this.#until_ms = deadline_ms - Math.min(MARGIN_MS, Math.max(0, deadline_ms - now_ms) / 10);
  }

  /** An error that a process answers without a look into the log says nothing of the attempts before. */
  explained(error: unknown): unknown {
    const isUnsure = error instanceof CallError && BEFORE_DECISION.has(error.reason);
    return isUnsure && this.mayHaveBeenDecided ? outcomeUnknown(error) : error;
  }

  /** The answer of an attempt. @throws Error if it does not come before the caller's deadline, and what the attempt fails by */
  inTime<T>(answering: Promise<T>): Promise<T> {
    if (this.#call.deadline_ms === undefined) return answering;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          reject(new Error('the process that decides commands has not answered in time'));
        },
        Math.min(Math.max(0, this.#until_ms - Date.now()), TIMER_MAX_MS),
      );
      answering
        .finally(() => {
          clearTimeout(timer);
        })
        .then(resolve, reject);
    });
  }

  /** Waits before the next attempt. @throws CallError if there is to be none */
  async pause(): Promise<void> {
    const { aborted } = this.#call;
    if (aborted !== undefined) throw this.mayHaveBeenDecided ? outcomeUnknown(aborted) : aborted;
    if (Date.now() >= this.#until_ms) throw this.mayHaveBeenDecided ? outcomeUnknown() : notHolder();
    await pause(RETRY_MS);
  }
}

function outcomeUnknown(cause?: unknown): CallError {
  return fail(
    ErrorReason.OUTCOME_UNKNOWN,
    'the process that decides commands was lost in mid-call; retry with the same request_id',
    { cause },
  );
}
