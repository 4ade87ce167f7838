/**
 * Writes batches to one generation in Redis: rows and checkpoint of a partition change in one call of a
 * script.
 */
import type { BusBatch } from '../../../log/bus.js';
import { pointOf } from '../../../log/recorded-event.js';
import { checkpointOfText, checkpointText } from '../../stores/redis/checkpoint.js';
import { type RedisClient, type RedisScript, redisScript } from '../../stores/redis/client.js';
import { CHECKPOINT_FIELD, type PartitionKeys } from '../../stores/redis/generations.js';
import { movedCheckpoint, unseenEvents } from '../../unseen-events.js';
import type { Checkpoint } from '../../view.js';
import { GenerationGoneError, MissedEventsError } from '../../view-errors.js';
import { accountKey, latestStates, type LedgerBalanceRow } from '../fold.js';
import { applyLua } from './lua/apply.lua.js';
import { rowText } from './row.js';

/**
 * The most accounts that one call writes, as long as one event alone does not change more: Redis answers no
 * other command meanwhile. A batch that changes more is several calls, each of which leaves the view at an
 * event of the batch.
 */
const CALL_ACCOUNTS = 1_000;
/** How often another process may have moved the partition meanwhile; a batch that it went past is done. */
const MOST_CONFLICTS = 20;

/** What one call writes. */
interface Step {
  readonly rows: readonly LedgerBalanceRow[];
  readonly to: Checkpoint;
  /** Whether it is all that is left of the batch. */
  readonly isLast: boolean;
}

/** What the writers of all generations call. Once per client: it is sent to Redis in full the first time. */
export function applyScript(client: RedisClient): RedisScript {
  return redisScript(client, 'quittanceApplyBalances', applyLua, 2);
}

/**
 * The checkpoint is kept in memory between batches, so that a batch is one round trip. What it is compared
 * with is in Redis, though: the script changes nothing if the partition is elsewhere, and says where. Nothing
 * is refused, and nothing counts as seen, on the word of memory alone.
 */
export class RedisBalanceWriter {
  readonly #client: RedisClient;
  readonly #generation: number;
  readonly #keysOf: (partition: number) => PartitionKeys;
  readonly #write: RedisScript;
  /** The last checkpoint of each partition that Redis answered to this writer. */
  readonly #known = new Map<number, Checkpoint>();
  /** Batches of a partition go one after the other; the last of them. */
  readonly #turns = new Map<number, Promise<void>>();

  /** `write`: one of applyScript, of the same client. */
  constructor(
    client: RedisClient,
    write: RedisScript,
    generation: number,
    keysOf: (partition: number) => PartitionKeys,
  ) {
    this.#client = client;
    this.#write = write;
    this.#generation = generation;
    this.#keysOf = keysOf;
  }

  /** @throws as View.apply says; GenerationGoneError if the partition is not there. */
  apply(batch: BusBatch): Promise<void> {
    const before = this.#turns.get(batch.partition) ?? Promise.resolve();
    const turn = before.then(() => this.#apply(batch));
    this.#turns.set(
      batch.partition,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** @throws GenerationGoneError */
  async checkpoint(partition: number): Promise<Checkpoint> {
    const checkpoint = await this.#read(partition);
    const known = this.#known.get(partition);
    // Only apply may learn that Redis went back.
    if (known === undefined || checkpoint.position > known.position) this.#known.set(partition, checkpoint);
    return checkpoint;
  }

  async #apply(batch: BusBatch): Promise<void> {
    const { partition } = batch;
    const known = this.#known.get(partition);
    let isFresh = known === undefined;
    let at = known ?? (await this.#refresh(batch));
    for (let conflicts = 0; conflicts < MOST_CONFLICTS;) {
      const step = isFresh ? nextStep(batch, at) : hopefulStep(batch, at);
      if (step === undefined) {
        if (isFresh) return;
        at = await this.#refresh(batch);
        isFresh = true;
        continue;
      }
      const wanted = checkpointText(step.to);
      const answer = await this.#call(partition, at, wanted, step.rows);
      at = this.#learn(batch, checkpointOfText(partition, answer));
      isFresh = true;
      // Also if it is there because an earlier try came through whose answer was lost.
      if (answer !== wanted) conflicts++;
      else if (step.isLast) return;
    }
    throw new Error(`partition ${String(partition)} of the balances view is moved by others all the time`);
  }

  async #call(partition: number, at: Checkpoint, to: string, rows: readonly LedgerBalanceRow[]) {
    const keys = this.#keysOf(partition);
    const args = [checkpointText(at), to];
    for (const row of rows) args.push(accountKey(row.ledgerId, row.state.accountId), rowText(row));
    const answer = await this.#write([keys.rows, keys.order], args);
    if (typeof answer !== 'string') throw this.#gone();
    return answer;
  }

  async #refresh(batch: BusBatch): Promise<Checkpoint> {
    return this.#learn(batch, await this.#read(batch.partition));
  }

  async #read(partition: number): Promise<Checkpoint> {
    const text = await this.#client.hget(this.#keysOf(partition).rows, CHECKPOINT_FIELD);
    if (text === null) throw this.#gone();
    return checkpointOfText(partition, text);
  }

  /**
   * Takes in where the partition stands. If that is behind what Redis said before, Redis was replaced by an
   * older copy; a batch that does not say which event it follows was cut to follow what is lost now.
   */
  #learn({ partition, after }: BusBatch, at: Checkpoint): Checkpoint {
    const known = this.#known.get(partition);
    this.#known.set(partition, at);
    if (known === undefined || at.position >= known.position || after !== undefined) return at;
    throw new MissedEventsError(partition, at.position, known.position);
  }

  #gone(): GenerationGoneError {
    return new GenerationGoneError('balances', this.#generation, undefined);
  }
}

/**
 * What to write next of a batch; undefined if the checkpoint is past all of it. @throws as unseenEvents does.
 */
function nextStep(batch: BusBatch, at: Checkpoint): Step | undefined {
  const unseen = unseenEvents(batch, at);
  let events = unseen;
  let rows = latestStates(events);
  while (rows.length > CALL_ACCOUNTS && events.length > 1) {
    events = events.slice(0, Math.ceil(events.length / 2));
    rows = latestStates(events);
  }
  const last = events.at(-1);
  if (events.length < unseen.length && last !== undefined) {
    return { rows, to: { ...at, ...pointOf(last) }, isLast: false };
  }
  const to = movedCheckpoint(at, batch);
  const isNothing = events.length === 0 && to.position === at.position && to.offset === at.offset;
  return isNothing ? undefined : { rows, to, isLast: true };
}

/** The same from a checkpoint that may be old, which is no ground to refuse anything. */
function hopefulStep(batch: BusBatch, at: Checkpoint): Step | undefined {
  try {
    return nextStep(batch, at);
  } catch {
    return undefined;
  }
}
