/**
 * Look-ups of balances, gathered: while a statement runs, further look-ups wait for the next one, which
 * answers them all. A single look-up starts at once; under load a statement costs its round trip once for
 * dozens of callers.
 */
import type { Read } from '../view.js';
import type { BalanceRow } from './view.js';

/** What a look-up answers: rows in the order asked for, and the checkpoint of the same moment. */
export type BalancesRead = Read<readonly (BalanceRow | undefined)[]>;

/** One look-up that waits for its answer. */
export interface Ask {
  readonly ledgerId: string;
  readonly accountIds: readonly string[];
  readonly resolve: (read: BalancesRead) => void;
  readonly reject: (error: unknown) => void;
}

/** Statements under way at a time: while the answer of one is decoded here, another runs in the store. */
const STATEMENTS = 2;
/** A statement that asks for so many accounts takes no further look-up. */
const STATEMENT_ACCOUNTS = 1_000;

/** Gathers the look-ups that one statement can answer: those in one partition of one generation. */
export class GatheredReads {
  readonly #run: (asks: readonly Ask[]) => Promise<void>;
  #waiting: Ask[] = [];
  #running = 0;
  #starting = false;

  /** `run` settles every ask that it gets, or rejects, which rejects those that are left. */
  constructor(run: (asks: readonly Ask[]) => Promise<void>) {
    this.#run = run;
  }

  /** Reads what the store holds after this call. */
  read(ledgerId: string, accountIds: readonly string[]): Promise<BalancesRead> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ledgerId, accountIds, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    if (this.#starting || this.#running >= STATEMENTS || this.#waiting.length === 0) return;
    this.#starting = true;
    // Look-ups of this turn of the event loop join the statement.
    setImmediate(() => {
      this.#starting = false;
      const asks = this.#take();
      this.#running++;
      this.#run(asks)
        .catch((error: unknown) => {
          for (const ask of asks) ask.reject(error);
        })
        .finally(() => {
          this.#running--;
          this.#start();
        });
      this.#start();
    });
  }

  #take(): Ask[] {
    let accounts = 0;
    const count = this.#waiting.findIndex((ask) => (accounts += ask.accountIds.length) > STATEMENT_ACCOUNTS);
    if (count < 0) {
      const asks = this.#waiting;
      this.#waiting = [];
      return asks;
    }
    return this.#waiting.splice(0, Math.max(1, count));
  }
}
