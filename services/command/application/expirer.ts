/**
 * Ends holds whose time has come: an internal command, at most a tenth of a flush, guarded by the payment's state. Beside that
 * it keeps the memory's list of the holds that end soon, from which commands expire what they touch before the expirer does.
 */
import type { Log } from '../../../lib/base/logging.js';
import type { Clock } from '../../../lib/base/time.js';
import type { OpenHold } from '../../../lib/log/state/rows.js';
import { CallError } from '../../../lib/rpc/errors.js';
import { entityKey } from './entity-key.js';
import type { Executor } from './executor.js';
import { expiryRequest } from './expiry-request.js';
import type { Memory } from './memory.js';
import { HOLDS_WINDOW_US } from './open-holds.js';
import { Repeated } from '../../../lib/base/repeated.js';

export interface ExpirerDeps {
  readonly executor: Executor;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly logger: Log;
  /** Open holds that expire before a time, the earliest first, as the state tables have them. */
  openHolds(before: bigint, limit: number): Promise<readonly OpenHold[]>;
  /** Commands queued at once at most: a tenth of a flush. */
  readonly batchLimit: number;
  readonly interval_ms: number;
}

/** Holds per reading of the state tables: if more end within the window, the later ones are read in a later round. */
const HOLDS_PER_READING = 1_000;

export class Expirer {
  readonly #deps: ExpirerDeps;
  readonly #readings: Repeated;
  readonly #expiries: Repeated;

  constructor(deps: ExpirerDeps) {
    this.#deps = deps;
    const { logger, interval_ms } = deps;
    this.#readings = new Repeated({
      interval_ms,
      logger,
      texts: {
        failed: 'the open holds cannot be read; the expirer tries again',
        ended: 'the expirer reads the open holds again',
      },
      work: () => this.#readHolds(),
    });
    this.#expiries = new Repeated({
      interval_ms,
      logger,
      texts: {
        failed: 'a hold could not be expired; the expirer tries again',
        ended: 'the expirer expires holds again',
      },
      work: () => this.#expireDue(),
    });
  }

  /** Reads the holds that end soon, then expires them in time until `stop`. */
  async start(): Promise<void> {
    await this.#readings.once();
    this.#readings.begin();
    this.#expiries.begin();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#readings.stop(), this.#expiries.stop()]);
  }

  /** Takes the holds that end soon into memory. The rows are as old as their checkpoint; memory may know better. */
  async #readHolds(): Promise<'done'> {
    const { openHolds, clock, memory } = this.#deps;
    for (const hold of await openHolds(clock() + HOLDS_WINDOW_US, HOLDS_PER_READING)) {
      const known = memory.transactions.known(hold.ledgerId, hold.transactionId);
      if (known === undefined) memory.holds.add(hold);
      else if (known?.status === 'AUTHORIZED')
        memory.holds.add({ ...hold, expireTime: known.payment?.expireTime ?? hold.expireTime });
    }
    return 'done';
  }

  /** Expires what is due. @throws the first failure, when all of them have ended */
  async #expireDue(): Promise<'done' | 'more'> {
    const { clock, batchLimit, executor, memory } = this.#deps;
    if (!executor.isServing) return 'done';
    // recorded_time will be no earlier than the clock: what is due now is due when it is decided.
    const due = memory.holds.due(clock(), batchLimit);
    const ends = await Promise.allSettled(due.map((hold) => this.#expire(hold)));
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    return due.length < batchLimit ? 'done' : 'more';
  }

  #expire({ ledgerId, transactionId: paymentId }: OpenHold): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#deps.executor.submit({
        isAtomic: false,
        requests: [expiryRequest({ type: 'ExpirePayment', ledgerId, requestId: '', paymentId })],
        caller: undefined,
        answer: (result) => {
          const outcome = result instanceof CallError ? result : result[0];
          if (outcome instanceof CallError) {
            reject(outcome);
            return;
          }
          // Also where it had ended before: a row that was read late may have said that it was open.
          this.#deps.memory.holds.remove(entityKey(ledgerId, paymentId));
          resolve();
        },
      });
    });
  }
}
