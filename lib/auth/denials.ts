/** What is known of refused calls: each is counted, and logged without the credentials that it carried. */
import { Counter, type Registry } from 'prom-client';
import type { Log } from '../base/logging.js';
import { type CallError, reasonName } from '../rpc/errors.js';

/** What the log says of a refused call. */
export interface Denied {
  readonly method: string;
  /** Empty where the call belongs to no trace. */
  readonly traceId: string;
  /** Who called; undefined where that is not known. */
  readonly actor?: string | undefined;
}

/** So many lines a second at most: the others are counted, and the next line says how many they were. */
const LINES_PER_SECOND = 20;
const SECOND_MS = 1_000;

export class Denials {
  readonly #log: Pick<Log, 'warn'>;
  readonly #counter: Counter;
  #second_ms = 0;
  #lines = 0;
  #unlogged = 0;

  constructor(log: Pick<Log, 'warn'>, registry: Registry) {
    this.#log = log;
    this.#counter = new Counter({
      name: 'quittance_calls_denied_total',
      help: 'Calls refused for who made them, by method and reason; also one for each refused command of a stream.',
      labelNames: ['method', 'reason'],
      registers: [registry],
    });
  }

  /** Counts and logs one. Returns the error, to be thrown. */
  record(failure: CallError, { method, traceId, actor }: Denied): CallError {
    const reason = reasonName(failure.reason);
    this.#counter.inc({ method, reason });
    const now_ms = performance.now();
    if (now_ms - this.#second_ms >= SECOND_MS) {
      this.#second_ms = now_ms;
      this.#lines = 0;
    }
    if (this.#lines >= LINES_PER_SECOND) {
      this.#unlogged += 1;
      return failure;
    }
    this.#lines += 1;
    const not_logged = this.#unlogged;
    this.#unlogged = 0;
    const about = { method, trace_id: traceId, actor, reason, why: failure.message, err: failure.cause };
    this.#log.warn(not_logged === 0 ? about : { ...about, not_logged }, 'a call was denied');
    return failure;
  }
}
