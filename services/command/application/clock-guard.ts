/** Compares this process's clock with the database's: recorded_time comes from ours, and must not be far from the truth. */
import type { Log } from '../../../lib/base/logging.js';
import type { Clock } from '../../../lib/base/time.js';
import type { WriteLog } from './write-log.js';

/** How far the clocks may be apart. */
const TOLERANCE_MS = 1_000;
const TOLERANCE_US = BigInt(TOLERANCE_MS) * 1_000n;
const INTERVAL_MS = 10_000;

export class ClockGuard {
  readonly #clock: Clock;
  readonly #log: Pick<WriteLog, 'now'>;
  readonly #logger: Log;
  readonly #machine_ms: () => number;
  #isOff = false;
  /** How far the machine's clock was from its steady clock, when it was last compared. */
  #compared_ms: number;
  #comparing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param machine_ms how far the machine's clock is from its steady clock, milliseconds */
  constructor(
    clock: Clock,
    log: Pick<WriteLog, 'now'>,
    logger: Log,
    machine_ms = () => Date.now() - performance.now(),
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#logger = logger;
    this.#machine_ms = machine_ms;
    this.#compared_ms = machine_ms();
  }

  /** Whether the clocks were too far apart when they were last compared, or the machine's was set since. */
  get isOff(): boolean {
    if (Math.abs(this.#machine_ms() - this.#compared_ms) > TOLERANCE_MS) {
      this.#isOff = true;
      this.#compared_ms = this.#machine_ms();
      this.#logger.warn('the clock of this machine was set: no command is decided until it is compared');
      this.#compareSoon();
    }
    return this.#isOff;
  }

  /** Compares now, and from then on every ten seconds. @throws what the database does not answer */
  async start(): Promise<void> {
    await this.#compare();
    this.#timer = setInterval(() => {
      this.#compareSoon();
    }, INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #compareSoon(): void {
    this.#comparing ??= this.#compare()
      .catch((error: unknown) => {
        this.#logger.warn({ err: error }, 'the clock could not be compared with the clock of the database');
      })
      .finally(() => {
        this.#comparing = undefined;
      });
  }

  async #compare(): Promise<void> {
    this.#compared_ms = this.#machine_ms();
    const before = this.#clock();
    const database = await this.#log.now();
    const after = this.#clock();
    const isOff = database < before - TOLERANCE_US || database > after + TOLERANCE_US;
    if (isOff && !this.#isOff) {
      this.#logger.error("this process's clock is over a second from the database's: no command is decided");
    } else if (!isOff && this.#isOff) {
      this.#logger.info("this process's clock agrees with the database's again");
    }
    this.#isOff = isOff;
  }
}
