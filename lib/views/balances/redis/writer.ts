/**
 * Writes batches to one generation in Redis: rows and checkpoint of a partition change in one call of a
 * script.
 */
import { pointOf } from '../../../log/recorded-event.js';
import { type DeadLetter, letterOfText, letterText } from '../../parked/dead-letter.js';
import { parkedAt } from '../../parked/parked.js';
import { readLetters } from '../../parked/read-letters.js';
import { checkpointOfText, checkpointText, parkedSuffix } from '../../stores/redis/checkpoint.js';
import { type RedisClient, type RedisScript, redisScript } from '../../stores/redis/client.js';
import { CHECKPOINT_FIELD, type PartitionKeys } from '../../stores/redis/generations.js';
import { movedCheckpoint, unseenEvents } from '../../unseen-events.js';
import type { Checkpoint, DeadLetters, Unparking, ViewBatch } from '../../view.js';
import { GenerationGoneError, MissedEventsError, ParkedChangedError } from '../../view-errors.js';
import { accountKey, latestStates, type LedgerBalanceRow } from '../fold.js';
import { applyLua, unparkLua } from './lua/apply.lua.js';
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
  readonly letters: readonly DeadLetter[];
  readonly to: Checkpoint;
  /** Whether it is all that is left of the batch. */
  readonly isLast: boolean;
}

/** What the writers of all generations call. Once per client: it is sent to Redis in full the first time. */
export function writeScripts(client: RedisClient): WriteScripts {
  return {
    apply: redisScript(client, 'quittanceApplyBalances', applyLua, 3),
    unpark: redisScript(client, 'quittanceUnparkBalances', unparkLua, 3),
  };
}

export interface WriteScripts {
  readonly apply: RedisScript;
  readonly unpark: RedisScript;
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
  readonly #scripts: WriteScripts;
  /** The last checkpoint of each partition that Redis answered to this writer. */
  readonly #known = new Map<number, Checkpoint>();
  /** Batches of a partition go one after the other; the last of them. */
  readonly #turns = new Map<number, Promise<void>>();

  /** `scripts`: those of writeScripts, of the same client. */
  constructor(
    client: RedisClient,
    scripts: WriteScripts,
    generation: number,
    keysOf: (partition: number) => PartitionKeys,
  ) {
    this.#client = client;
    this.#scripts = scripts;
    this.#generation = generation;
    this.#keysOf = keysOf;
  }

  /** @throws as View.apply says; GenerationGoneError if the partition is not there. */
  apply(batch: ViewBatch): Promise<void> {
    return this.#inTurn(batch.partition, () => this.#apply(batch));
  }

  /** @see View.unpark. @throws GenerationGoneError if the partition is not there */
  unpark(unparking: Unparking): Promise<void> {
    return this.#inTurn(unparking.partition, () => this.#unpark(unparking));
  }

  /** @see View.deadLetters */
  deadLetters(partition: number): Promise<DeadLetters> {
    return readLetters(
      () => this.#read(partition),
      async () => (await this.#client.hvals(this.#keysOf(partition).letters)).map(letterOfText),
    );
  }

  #inTurn(partition: number, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(partition) ?? Promise.resolve();
    const turn = before.then(work);
    this.#turns.set(
      partition,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async #unpark({ partition, events, from, to, letters }: Unparking): Promise<void> {
    const keys = this.#keysOf(partition);
    const args = [parkedSuffix(from), parkedSuffix(to), ...letterArgs(letters), events.length];
    for (const { position } of events) args.push(String(position));
    for (const row of latestStates(events)) args.push(keyOf(row), rowText(row));
    this.#known.delete(partition);
    const answer = await this.#scripts.unpark([keys.rows, keys.order, keys.letters], args);
    if (typeof answer === 'string')
      throw new ParkedChangedError(partition, parkedAt(checkpointOfText(partition, answer)).version);
    if (answer !== 1) throw this.#gone();
  }

  /** @throws GenerationGoneError */
  async checkpoint(partition: number): Promise<Checkpoint> {
    const checkpoint = await this.#read(partition);
    const known = this.#known.get(partition);
    // Only apply may learn that Redis went back.
    if (known === undefined || checkpoint.position > known.position) this.#known.set(partition, checkpoint);
    return checkpoint;
  }

  async #apply(batch: ViewBatch): Promise<void> {
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
      const answer = await this.#call(partition, at, wanted, step);
      at = this.#learn(batch, checkpointOfText(partition, answer));
      isFresh = true;
      // Also if it is there because an earlier try came through whose answer was lost.
      if (answer !== wanted) conflicts++;
      else if (step.isLast) return;
    }
    throw new Error(`partition ${String(partition)} of the balances view is moved by others all the time`);
  }

  async #call(partition: number, at: Checkpoint, to: string, { rows, letters }: Step) {
    const keys = this.#keysOf(partition);
    const args = [checkpointText(at), to, ...letterArgs(letters)];
    for (const row of rows) args.push(keyOf(row), rowText(row));
    const answer = await this.#scripts.apply([keys.rows, keys.order, keys.letters], args);
    if (typeof answer !== 'string') throw this.#gone();
    return answer;
  }

  async #refresh(batch: ViewBatch): Promise<Checkpoint> {
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
  #learn({ partition, after }: ViewBatch, at: Checkpoint): Checkpoint {
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
function nextStep(batch: ViewBatch, at: Checkpoint): Step | undefined {
  const unseen = unseenEvents(batch, at);
  let events = unseen;
  let rows = latestStates(events);
  while (rows.length > CALL_ACCOUNTS && events.length > 1) {
    events = events.slice(0, Math.ceil(events.length / 2));
    rows = latestStates(events);
  }
  const last = events.at(-1);
  if (events.length < unseen.length && last !== undefined) {
    const { letters, parked } = parkedBy(batch, at);
    const to = { ...at, ...pointOf(last) };
    return { rows, letters, to: parked === undefined ? to : { ...to, parked }, isLast: false };
  }
  const to = movedCheckpoint(at, batch);
  const isNothing = events.length === 0 && to.position === at.position && to.offset === at.offset;
  return isNothing ? undefined : { rows, letters: parkedBy(batch, at).letters, to, isLast: true };
}

/** What the first step of a batch parks: all of it; what lies beyond its checkpoint does not count yet. */
function parkedBy({ parking }: ViewBatch, at: Checkpoint) {
  if (parking === undefined) return { letters: [], parked: at.parked };
  return { letters: parking.letters.filter(({ position }) => position > at.position), parked: parking.to };
}

/** Their number, then position and text of each. */
function letterArgs(letters: readonly DeadLetter[]): (string | number)[] {
  return [letters.length, ...letters.flatMap((letter) => [String(letter.position), letterText(letter)])];
}

function keyOf({ ledgerId, state }: LedgerBalanceRow): string {
  return accountKey(ledgerId, state.accountId);
}

/** The same from a checkpoint that may be old, which is no ground to refuse anything. */
function hopefulStep(batch: ViewBatch, at: Checkpoint): Step | undefined {
  try {
    return nextStep(batch, at);
  } catch {
    return undefined;
  }
}
