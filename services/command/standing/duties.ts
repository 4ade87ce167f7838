/** What only the process with the lease does besides deciding: it begins with the lease, and ends with it. */
import type { Log } from '../../../lib/base/logging.js';
import type { Standing } from './standing.js';

/** Work that goes on until it is ended. */
export interface Duty {
  readonly name: string;
  /** Begins; resolves to how to end. */
  begin(): Promise<() => Promise<void>>;
}

export class Duties {
  readonly #duties: readonly Duty[];
  readonly #logger: Pick<Log, 'error'>;
  #wanted = false;
  #isStopped = false;
  #ends: (() => Promise<void>)[] = [];
  #turning: Promise<void> = Promise.resolve();

  constructor(duties: readonly Duty[], logger: Pick<Log, 'error'>) {
    this.#duties = duties;
    this.#logger = logger;
  }

  /**
   * Has the duties begin and end with the lease; where there is none, they begin now. `changed` is called at each change of the
   * lease. Resolves when the duties have begun, if they are to begin now.
   */
  async begin(
    lease: Pick<Standing, 'isHolder' | 'onChange'> | undefined,
    changed: () => void,
  ): Promise<void> {
    lease?.onChange(() => {
      changed();
      this.#want(lease.isHolder);
    });
    this.#want(lease?.isHolder ?? true);
    await this.#turning;
  }

  /** In the background; what was wanted last is what is done. */
  #want(wanted: boolean): void {
    if (wanted === this.#wanted || (wanted && this.#isStopped)) return;
    this.#wanted = wanted;
    this.#turning = this.#turning.then(() => this.#turn());
  }

  /** Ends them, and resolves when they have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#want(false);
    await this.#turning;
  }

  async #turn(): Promise<void> {
    if (this.#wanted && this.#ends.length === 0) {
      for (const duty of this.#duties) await this.#begin(duty);
    } else if (!this.#wanted) {
      for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
        await end().catch((error: unknown) => {
          this.#logger.error({ err: error }, 'a duty of the holder of the lease could not be ended');
        });
      }
    }
  }

  async #begin({ name, begin }: Duty): Promise<void> {
    try {
      this.#ends.push(await begin());
    } catch (error) {
      this.#logger.error({ err: error, duty: name }, 'a duty of the holder of the lease could not begin');
    }
  }
}
