/** Ends holds whose time has come: an internal command, at most a tenth of a flush, guarded by the payment's state. */
import { CommandType } from '../../../gen/quittance/event/v1/event_pb.js';
import type { OpenHold } from '../../../lib/log/state/rows.js';
import type { Log } from '../../../lib/base/logging.js';
import { CallError } from '../../../lib/rpc/errors.js';
import type { Clock } from '../../../lib/base/time.js';
import type { Executor } from './executor.js';
import { entityKey, type Memory } from './memory.js';

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

export class Expirer {
  private stopping = false;
  private running: Promise<void> | undefined;
  private wake: (() => void) | undefined;

  constructor(private readonly deps: ExpirerDeps) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wake?.();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      let expired = 0;
      try {
        expired = await this.expireDue();
      } catch (error) {
        this.deps.logger.warn({ err: error }, 'open holds could not be read; trying again');
      }
      if (expired < this.deps.batchLimit) await this.pause();
    }
  }

  /** Expires what is due. Returns how many commands were queued. */
  async expireDue(): Promise<number> {
    const { openHolds, clock, batchLimit, executor } = this.deps;
    if (!executor.isServing) return 0;
    // recorded_time will be no earlier than the clock, so what is due now is due when it is decided.
    const holds = await openHolds(clock() + 1n, batchLimit);
    const due = holds.filter((hold) => this.isOpen(hold));
    await Promise.all(due.map((hold) => this.expire(hold)));
    return due.length;
  }

  /** The rows are as old as their checkpoint; memory may know better. */
  private isOpen({ ledgerId, transactionId }: OpenHold): boolean {
    const known = this.deps.memory.knownTransaction(entityKey(ledgerId, transactionId));
    return known === undefined || known?.status === 'AUTHORIZED';
  }

  private expire({ ledgerId, transactionId: paymentId }: OpenHold): Promise<void> {
    return new Promise((resolve) => {
      this.deps.executor.submit({
        isAtomic: false,
        requests: [
          {
            command: { type: 'ExpirePayment', ledgerId, requestId: '', paymentId },
            type: CommandType.UNSPECIFIED,
            canonical: null,
            body: new Uint8Array(0),
            validateOnly: false,
            actor: '',
            traceId: '',
          },
        ],
        caller: undefined,
        answer: (result) => {
          if (result instanceof CallError)
            this.deps.logger.warn({ err: result }, 'a hold could not be expired');
          resolve();
        },
      });
    });
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.deps.interval_ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
