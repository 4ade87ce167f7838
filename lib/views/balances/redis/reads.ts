/**
 * Look-ups of balances in Redis: one command reads the rows and the checkpoint, which is a field of the same
 * hash, so that both are of one moment.
 */
import { checkpointOfText } from '../../stores/redis/checkpoint.js';
import type { RedisClient } from '../../stores/redis/client.js';
import { CHECKPOINT_FIELD } from '../../stores/redis/generations.js';
import type { Checkpoint } from '../../view.js';
import { GenerationGoneError } from '../../view-errors.js';
import { accountKey } from '../fold.js';
import { type Ask, type BalancesRead, GatheredReads } from '../gathered-reads.js';
import { rowOfText } from './row.js';

/** Gathers the look-ups in one partition of one generation. */
export class RedisBalanceReads {
  readonly #client: RedisClient;
  readonly #generation: number;
  readonly #partition: number;
  readonly #key: string;
  readonly #gathered = new GatheredReads((asks) => this.#run(asks));
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
    return this.#gathered.read(ledgerId, accountIds);
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
