/**
 * Look-ups of balances in Redis, gathered: while commands run, those who ask wait for the next one, which answers them all.
 * One command reads the rows and the checkpoint, which is a field of the same hash, so that both are of one moment.
 */
import { checkpointOfText } from '../redis-checkpoint.js';
import type { RedisClient } from '../redis-client.js';
import { CHECKPOINT_FIELD } from '../redis-generations.js';
import type { Checkpoint, Read } from '../view.js';
import { GenerationGoneError } from '../view-errors.js';
import { accountKey } from './fold.js';
import { rowOfText } from './redis-balance-row.js';
import type { BalanceRow } from './view.js';

/** What a look-up answers: rows in the order asked for, and the checkpoint of the same moment. */
export type BalancesRead = Read<readonly (BalanceRow | undefined)[]>;

interface Ask {
  readonly ledgerId: string;
  readonly accountIds: readonly string[];
  readonly resolve: (read: BalancesRead) => void;
  readonly reject: (error: unknown) => void;
}

/** Commands under way at a time: while the answer of one is decoded here, another runs in Redis. */
const COMMANDS = 2;
/** No further look-up joins a command that asks for so many accounts. */
const COMMAND_ACCOUNTS = 1_000;

/** Gathers the look-ups in one partition of one generation. */
export class RedisBalanceReads {
  readonly #client: RedisClient;
  readonly #generation: number;
  readonly #partition: number;
  readonly #key: string;
  #waiting: Ask[] = [];
  #running = 0;
  #starting = false;
  #last: { readonly text: string; readonly checkpoint: Checkpoint } | undefined;

  /** `key`: the hash of the partition. */
  constructor(client: RedisClient, generation: number, partition: number, key: string) {
    this.#client = client;
    this.#generation = generation;
    this.#partition = partition;
    this.#key = key;
  }

  /** Reads what Redis holds after this call. @throws GenerationGoneError */
  read(ledgerId: string, accountIds: readonly string[]): Promise<BalancesRead> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ledgerId, accountIds, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    if (this.#starting || this.#running >= COMMANDS || this.#waiting.length === 0) return;
    this.#starting = true;
    // All that arrived in this turn of the event loop come along.
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
    const count = this.#waiting.findIndex((ask) => (accounts += ask.accountIds.length) > COMMAND_ACCOUNTS);
    if (count < 0) {
      const asks = this.#waiting;
      this.#waiting = [];
      return asks;
    }
    return this.#waiting.splice(0, Math.max(1, count));
  }

  async #run(asks: readonly Ask[]): Promise<void> {
    const fields = [CHECKPOINT_FIELD];
    for (const { ledgerId, accountIds } of asks) {
      for (const accountId of accountIds) fields.push(accountKey(ledgerId, accountId));
    }
    const [at, ...rows] = await this.#client.hmget(this.#key, ...fields);
    const asOf = this.#checkpointOf(at);
    let next = 0;
    for (const { accountIds, resolve, reject } of asks) {
      try {
        const value = accountIds.map((accountId) => {
          const text = rows[next++];
          return typeof text === 'string' ? rowOfText(accountId, text) : undefined;
        });
        resolve({ value, asOf });
      } catch (error) {
        reject(error);
      }
    }
  }

  /** The same object as long as the view stands still, so that callers can keep what they make of it. */
  #checkpointOf(text: string | null | undefined): Checkpoint {
    if (typeof text !== 'string') throw new GenerationGoneError('balances', this.#generation, undefined);
    if (this.#last?.text !== text) {
      this.#last = { text, checkpoint: checkpointOfText(this.#partition, text) };
    }
    return this.#last.checkpoint;
  }
}
