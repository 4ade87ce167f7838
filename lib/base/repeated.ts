/** Work in the background that is done again and again, with a pause before each time. A failure is reported, and it is tried again. */
import { Outage, type OutageTexts } from './outage.js';
import { pause } from './pause.js';

export interface RepeatedOptions {
  readonly interval_ms: number;
  readonly logger: ConstructorParameters<typeof Outage>[0];
  /** What the log says of failures. */
  readonly texts: OutageTexts;
  /** `more`: it is done again without a pause. */
  work(): Promise<'done' | 'more'>;
}

export class Repeated {
  readonly #options: RepeatedOptions;
  readonly #outage: Outage;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: RepeatedOptions) {
    this.#options = options;
    this.#outage = new Outage(options.logger, options.texts);
  }

  /** Does it every so often until `stop`. */
  begin(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the work under way has ended; none follows. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let left: 'done' | 'more' = 'done';
    for (;;) {
      if (left === 'done') await pause(this.#options.interval_ms, signal);
      if (signal.aborted) return;
      left = await this.once();
    }
  }

  /** Does it once. It does not throw: a failure is reported. */
  async once(): Promise<'done' | 'more'> {
    try {
      const left = await this.#options.work();
      this.#outage.succeeded();
      return left;
    } catch (error) {
      this.#outage.failed(error);
      return 'done';
    }
  }
}
