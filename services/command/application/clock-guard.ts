/** Compares this process's clock with the database's: recorded_time comes from ours, and must not be far from the truth. */
import type { Log } from '../../../lib/base/logging.js';
import type { Clock } from '../../../lib/base/time.js';
import type { WriteLog } from './write-log.js';

/** How far the clocks may be apart, microseconds. */
const TOLERANCE_US = 1_000_000n;
const INTERVAL_MS = 10_000;

export class ClockGuard {
  readonly #clock: Clock;
  readonly #log: WriteLog;
  readonly #logger: Log;
  #isOff = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, log: WriteLog, logger: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#logger = logger;
  }

  /** Whether the clocks were too far apart when they were last compared. */
  get isOff(): boolean {
    return this.#isOff;
  }

  /** Compares now, and from then on every ten seconds. @throws what the database does not answer */
  async start(): Promise<void> {
    await this.#compare();
    this.#timer = setInterval(() => {
      this.#compare().catch((error: unknown) => {
        this.#logger.warn({ err: error }, 'the clock could not be compared with the clock of the database');
      });
    }, INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #compare(): Promise<void> {
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
