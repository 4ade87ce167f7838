/** A caller whose credentials were found to be good. All calls with the same credentials share one. */
import type { Message } from '@bufbuild/protobuf';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { TIMER_MAX_MS } from '../base/pause.js';
import { type CallError, fail } from '../rpc/errors.js';
import type { Caller, GuardedCall } from '../rpc/guard.js';
import type { Method } from '../rpc/service.js';
import { refusalOf } from './authorize.js';
import type { Denials } from './denials.js';
import type { Grants } from './scopes.js';

export interface KnownCallerInit {
  readonly actor: string;
  readonly ledgers: Grants;
  /** When the credentials end, milliseconds since 1970; undefined: not by time. */
  readonly end_ms: number | undefined;
  readonly denials: Denials;
}

export class KnownCaller implements Caller {
  readonly actor: string;
  readonly ledgers: Grants;
  readonly #end_ms: number | undefined;
  readonly #denials: Denials;
  readonly #listeners = new Set<(reason: CallError) => void>();
  #timer: NodeJS.Timeout | undefined;
  #ended: CallError | undefined;

  constructor({ actor, ledgers, end_ms, denials }: KnownCallerInit) {
    this.actor = actor;
    this.ledgers = ledgers;
    this.#end_ms = end_ms;
    this.#denials = denials;
  }

  /** Why the credentials are good no more; undefined while they are. */
  get ended(): CallError | undefined {
    if (this.#ended === undefined && this.#end_ms !== undefined && Date.now() >= this.#end_ms) {
      this.end('the credentials have expired');
    }
    return this.#ended;
  }

  authorize({ name }: Method, request: Message, { traceId }: GuardedCall): void {
    const refusal = refusalOf(this.ledgers, name, request);
    if (refusal === undefined) return;
    throw this.#denials.record(refusal, { method: name, traceId, actor: this.actor });
  }

  onEnd(listener: (reason: CallError) => void): () => void {
    const { ended } = this;
    if (ended !== undefined) {
      listener(ended);
      return () => undefined;
    }
    this.#listeners.add(listener);
    this.#watchClock();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Ends the credentials, and the streams of their caller. */
  end(why: string): void {
    if (this.#ended !== undefined) return;
    clearTimeout(this.#timer);
    const reason = fail(ErrorReason.UNAUTHENTICATED, why);
    this.#ended = reason;
    for (const listener of this.#listeners) listener(reason);
    this.#listeners.clear();
  }

  #watchClock(): void {
    if (this.#timer !== undefined || this.#end_ms === undefined) return;
    const left_ms = Math.max(0, this.#end_ms - Date.now());
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        // Node counts up to 24 days, and its timers may be early by a millisecond.
        if (this.ended === undefined) this.#watchClock();
      },
      Math.min(left_ms + 1, TIMER_MAX_MS),
    );
    this.#timer.unref();
  }
}
