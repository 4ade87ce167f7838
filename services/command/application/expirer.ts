/**
 * Ends holds whose time has come: an internal command, at most a tenth of a flush, guarded by the payment's state. Beside that
 * it keeps the memory's list of the holds that end soon, from which commands expire what they touch before the expirer does.
 */
import type { Log } from '../../../lib/base/logging.js';
import { pause } from '../../../lib/base/pause.js';
import type { Clock } from '../../../lib/base/time.js';
import type { OpenHold } from '../../../lib/log/state/rows.js';
import { CallError } from '../../../lib/rpc/errors.js';
import { entityKey } from './entity-key.js';
import type { Executor } from './executor.js';
import { expiryRequest } from './expiry-request.js';
import type { Memory } from './memory.js';
import { HOLDS_WINDOW_US } from './open-holds.js';
import { Outage } from '../../../lib/base/outage.js';

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
  readonly #reading: Outage;
  readonly #expiring: Outage;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(deps: ExpirerDeps) {
    this.#deps = deps;
    this.#reading = new Outage(deps.logger, {
      failed: 'the open holds cannot be read; the expirer tries again',
      ended: 'the expirer reads the open holds again',
    });
    this.#expiring = new Outage(deps.logger, {
      failed: 'a hold could not be expired; the expirer tries again',
      ended: 'the expirer expires holds again',
    });
  }

  /** Reads the holds that end soon, then expires them in time until `stop`. */
  async start(): Promise<void> {
    await this.#readHolds();
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const expired = await this.#expireDue();
      if (expired < this.#deps.batchLimit) await pause(this.#deps.interval_ms, signal);
      await this.#readHolds();
    }
  }

  /** Takes the holds that end soon into memory. The rows are as old as their checkpoint; memory may know better. */
  async #readHolds(): Promise<void> {
    const { openHolds, clock, memory } = this.#deps;
    try {
      for (const hold of await openHolds(clock() + HOLDS_WINDOW_US, HOLDS_PER_READING)) {
        const known = memory.transactions.known(hold.ledgerId, hold.transactionId);
        if (known === undefined || known?.status === 'AUTHORIZED') memory.holds.add(hold);
      }
      this.#reading.succeeded();
    } catch (error) {
      this.#reading.failed(error);
    }
  }

  /** Expires what is due. Returns how many commands were queued. */
  async #expireDue(): Promise<number> {
    const { clock, batchLimit, executor, memory } = this.#deps;
    if (!executor.isServing) return 0;
    // recorded_time will be no earlier than the clock: what is due now is due when it is decided.
    const due = memory.holds.due(clock(), batchLimit);
    await Promise.all(due.map((hold) => this.#expire(hold)));
    return due.length;
  }

  #expire({ ledgerId, transactionId: paymentId }: OpenHold): Promise<void> {
    return new Promise((resolve) => {
      this.#deps.executor.submit({
        isAtomic: false,
        requests: [expiryRequest({ type: 'ExpirePayment', ledgerId, requestId: '', paymentId })],
        caller: undefined,
        answer: (result) => {
          const outcome = result instanceof CallError ? result : result[0];
          if (outcome instanceof CallError) {
            this.#expiring.failed(outcome);
          } else {
            // Also where it had ended before: a row that was read late may have said that it was open.
            this.#deps.memory.holds.remove(entityKey(ledgerId, paymentId));
            this.#expiring.succeeded();
          }
          resolve();
        },
      });
    });
  }
}
