/** Log lines about something that is away: one when it fails, one every ten seconds while it does, one when it is back. */

const INTERVAL_MS = 10_000;

/** What the lines say. */
export interface OutageTexts {
  readonly failed: string;
  readonly ended: string;
}

/** The part of a log that outages are written to. */
interface Lines {
  info(values: object, text: string): void;
  warn(values: object, text: string): void;
}

export class Outage {
  readonly #logger: Lines;
  readonly #texts: OutageTexts;
  readonly #now_ms: () => number;
  /** Failures since the last success. */
  #failures = 0;
  #began_ms = 0;
  #lastLine_ms = -Infinity;
  #isReported = false;

  constructor(logger: Lines, texts: OutageTexts, now_ms = () => performance.now()) {
    this.#logger = logger;
    this.#texts = texts;
    this.#now_ms = now_ms;
  }

  /** Call it at each failure. */
  failed(cause: unknown): void {
    const now_ms = this.#now_ms();
    if (this.#failures === 0) this.#began_ms = now_ms;
    this.#failures += 1;
    if (now_ms - this.#lastLine_ms < INTERVAL_MS) return;
    this.#lastLine_ms = now_ms;
    this.#isReported = true;
    this.#logger.warn({ err: cause, failures: this.#failures }, this.#texts.failed);
  }

  /** Call it at each success. */
  succeeded(): void {
    if (this.#failures === 0) return;
    if (this.#isReported) {
      const duration_ms = Math.round(this.#now_ms() - this.#began_ms);
      this.#logger.info({ failures: this.#failures, duration_ms }, this.#texts.ended);
    }
    this.#failures = 0;
    this.#isReported = false;
  }
}
