/** One thread of the projector, from its start to its end. */
import type { Worker } from 'node:worker_threads';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Log } from '../../../lib/base/logging.js';
import { pause } from '../../../lib/base/pause.js';
import { TAIL_LIMITS } from '../../../lib/log/log-tail.js';
import { packFlush, type StoredEvent } from '../../../lib/log/packed-flush.js';
import { type CallError, fail } from '../../../lib/rpc/errors.js';
import type { ViewId } from '../../../lib/views/view.js';
import { errorOf, type FromThread, type Question, type Questions, type ToThread } from './messages.js';
import { writeLine } from './thread-log.js';

export interface ThreadDeps<P> {
  /** Makes a thread that runs `serveThread`. */
  readonly spawn: () => Worker;
  /** What its composition needs, as plain data. */
  readonly parts: P;
  readonly logger: Log;
  /** Called with each change of a projection's health, as the projector does. */
  readonly onHealth: (service: string, isServing: boolean) => void;
}

/** How long a stop waits for the batches under way. */
const STOP_LIMIT_MS = 15_000;

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: CallError): void;
}

export class RunningThread<P> {
  /** Resolves with the reason when the thread has ended. */
  readonly ended: Promise<Error>;
  /** Resolves when each projection was opened or failed to be; rejects if the thread ends before. */
  readonly started: Promise<void>;
  readonly #parts: P;
  readonly #worker: Worker;
  /** See ThreadStart. */
  readonly #received = new BigUint64Array(new SharedArrayBuffer(2 * BigUint64Array.BYTES_PER_ELEMENT));
  readonly #waiting = new Map<number, Waiting>();
  #questions = 0;
  /** The events and the bytes that were handed over. */
  #events = 0n;
  #bytes = 0n;
  #isStarted = false;
  /** The last commit was not handed over, since the thread is too far behind. */
  #isSkipping = false;
  #onStopped: () => void = () => undefined;

  /** The thread loads its program; nothing is projected before `start`. */
  constructor({ spawn, parts, logger, onHealth }: ThreadDeps<P>) {
    this.#parts = parts;
    const worker = spawn();
    this.#worker = worker;
    this.ended = new Promise((resolve) => {
      worker.once('error', resolve);
      worker.once('exit', (code) => {
        resolve(new Error(`the thread of the projector ended with code ${String(code)}`));
      });
    });
    this.started = new Promise((resolve, reject) => {
      void this.ended.then(reject);
      worker.on('message', (message: FromThread) => {
        switch (message.kind) {
          case 'started':
            resolve();
            break;
          case 'health':
            onHealth(message.service, message.isServing);
            break;
          case 'log':
            writeLine(logger, message.line);
            break;
          case 'answer':
            this.#take(message.id)?.resolve(message.answer);
            break;
          case 'failure':
            this.#take(message.id)?.reject(errorOf(message.failure));
            break;
          case 'stopped':
            this.#onStopped();
            break;
        }
      });
    });
    // It is awaited when the process has come that far.
    this.started.catch(() => undefined);
    void this.ended.then(() => {
      for (const { reject } of this.#waiting.values()) reject(projectorAway());
      this.#waiting.clear();
    });
  }

  /** The projections begin, but for those that are paused. */
  start(paused: readonly ViewId[]): void {
    this.#isStarted = true;
    this.#send({ kind: 'start', start: { parts: this.#parts, received: this.#received.buffer, paused } });
  }

  /**
   * Hands over what was just committed, unless the thread has not started or is far behind: it finds it in the log then.
   */
  handOver(events: readonly StoredEvent[]): void {
    if (!this.#isStarted) return;
    const unreceivedEvents = this.#events - Atomics.load(this.#received, 0);
    const unreceived_bytes = this.#bytes - Atomics.load(this.#received, 1);
    if (unreceivedEvents > BigInt(TAIL_LIMITS.events) || unreceived_bytes > BigInt(TAIL_LIMITS.size_bytes)) {
      if (!this.#isSkipping) this.grown();
      this.#isSkipping = true;
      return;
    }
    this.#isSkipping = false;
    const flush = packFlush(events);
    this.#events += BigInt(flush.count);
    this.#bytes += BigInt(flush.block.byteLength);
    this.#send({ kind: 'flush', flush }, [flush.block]);
  }

  /** The log has more than was handed over. */
  grown(): void {
    this.#send({ kind: 'grown' });
  }

  /** A new epoch of the log begins with what is handed over next. */
  forked(): void {
    if (this.#isStarted) this.#send({ kind: 'forked' });
  }

  /** @throws CallError of the projector, or DEPENDENCY_UNAVAILABLE if the thread ends */
  ask(question: Question<'list'>): Promise<Questions['list']['answer']>;
  ask(question: Question<'run'>): Promise<Questions['run']['answer']>;
  ask(question: Question<'deadLetters'>): Promise<Questions['deadLetters']['answer']>;
  ask(question: Question<'retry'>): Promise<Questions['retry']['answer']>;
  ask(question: Question<'figures'>): Promise<Questions['figures']['answer']>;
  ask(question: Question): Promise<unknown> {
    this.#questions += 1;
    const id = this.#questions;
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ kind: 'question', id, question });
    });
  }

  /** Ends after the batches under way; after a while without them. */
  async stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => (this.#onStopped = resolve));
    this.#send({ kind: 'stop' });
    const limit = new AbortController();
    await Promise.race([stopped, this.ended, pause(STOP_LIMIT_MS, limit.signal)]);
    limit.abort();
    await this.#worker.terminate();
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #send(message: ToThread<P>, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

/** While there is no thread. */
export function projectorAway(): CallError {
  return fail(ErrorReason.DEPENDENCY_UNAVAILABLE, 'the projector has failed and is started again');
}
