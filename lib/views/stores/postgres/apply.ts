/**
 * How a batch gets into a view in PostgreSQL: in one statement, one round trip, together with the checkpoint.
 */
import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from '../../../log/postgres-client.js';
import type { BusBatch } from '../../../log/bus.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { makeCheckpoint, readCheckpoint, withConnection } from './generations.js';
import { applyBatch, CHECKPOINT_PARAMETERS, type NumberedWrite } from './sql/apply.sql.js';
import type { TableWrite } from './table-write.js';
import { movedCheckpoint, unseenEvents } from '../../unseen-events.js';
import { type Checkpoint, UnknownEventError } from '../../view.js';
import { LostEventsError, MissedEventsError, MissingEntityError } from '../../view-errors.js';

/**
 * What events say to a view. They come after the checkpoint and this program knows them; there is one at
 * least. The connection is that of the batch, outside any transaction, for what has to be looked up first.
 */
export type WritesOf = (
  events: readonly RecordedEvent[],
  client: PoolClient,
  partition: number,
) => readonly TableWrite[] | Promise<readonly TableWrite[]>;

/** A statement without its values. */
interface Prepared {
  readonly name: string;
  readonly text: string;
}

/** Applies batches to one generation. */
export class PostgresApplier {
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #writesOf: WritesOf;
  readonly #onForget: () => void;
  /**
   * Where each partition was after the last batch of this process. The statement finds out whether it still
   * is there.
   */
  readonly #known = new Map<number, Checkpoint>();
  /** By the names of their writes: which tables a batch writes differs from batch to batch. */
  readonly #statements = new Map<string, Prepared>();

  /**
   * @param pool from createPool, with settings under which the writes and the look-ups of `writesOf` are
   * planned well
   * @param onForget called when the database may have gone back behind what it said before
   */
  constructor(pool: Pool, schema: string, writesOf: WritesOf, onForget: () => void = () => undefined) {
    this.#pool = pool;
    this.#schema = schema;
    this.#writesOf = writesOf;
    this.#onForget = onForget;
  }

  /**
   * Each event counts once, however often it is delivered and however many processes apply it.
   * @throws UnknownEventError, MissedEventsError, LostEventsError as View.apply says; nothing is changed
   * then.
   */
  async apply(batch: BusBatch): Promise<void> {
    await withConnection(this.#pool, (client) => this.#applyOn(client, batch)).catch((error: unknown) => {
      this.#forget(batch.partition);
      throw error;
    });
  }

  async #applyOn(client: PoolClient, batch: BusBatch): Promise<void> {
    const { partition } = batch;
    const known = this.#known.get(partition);
    if (known !== undefined) {
      if (await this.#move(client, batch, known).catch(falseIfStale)) return;
      // Another process was here, or the store was replaced: only the store knows.
      this.#forget(partition);
      const { position } = await stored(client, this.#schema, partition);
      // Events that the store had and lost must come again, even if the batch does not say what it goes on
      // from.
      if (position < known.position) throw new MissedEventsError(partition, position, known.position);
    }
    // Each failure means that another process moved the checkpoint forward, so that this ends.
    while (!(await this.#move(client, batch, await stored(client, this.#schema, partition))));
  }

  #forget(partition: number): void {
    this.#known.delete(partition);
    this.#onForget();
  }

  /** Whether the checkpoint was where `from` says; if not, nothing was changed. */
  async #move(client: PoolClient, batch: BusBatch, from: Checkpoint): Promise<boolean> {
    const events = unseenEvents(batch, from);
    const to = movedCheckpoint(from, batch);
    if (to.position !== from.position || to.offset !== from.offset) {
      const writes = events.length === 0 ? [] : await this.#writesOf(events, client, batch.partition);
      const { rowCount } = await client.query(this.#statement(writes, from, to));
      if (rowCount !== 1) return false;
    }
    this.#known.set(batch.partition, to);
    return true;
  }

  #statement(writes: readonly TableWrite[], from: Checkpoint, to: Checkpoint) {
    const written = writes.filter(({ count }) => count > 0);
    const values: unknown[] = [
      to.partition,
      to.offset,
      to.epoch,
      to.position,
      to.hash,
      to.recordedTime,
      from.offset,
      from.position,
      from.hash,
    ];
    for (const write of written) values.push(...write.values);
    const key = written.map(({ statement }) => statement.name).join(' ');
    let prepared = this.#statements.get(key);
    if (prepared === undefined) {
      prepared = prepare(this.#schema, written);
      this.#statements.set(key, prepared);
    }
    return { ...prepared, values };
  }
}

/**
 * The statement of a batch. The name of a prepared statement ends at 63 characters, so it holds a hash of the
 * text.
 */
function prepare(schema: string, writes: readonly TableWrite[]): Prepared {
  let first = CHECKPOINT_PARAMETERS + 1;
  const numbered: NumberedWrite[] = [];
  for (const { statement, values } of writes) {
    numbered.push({ statement, first });
    first += values.length;
  }
  const text = applyBatch(schema, numbered);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { name: `${schema}.apply ${hash}`, text };
}

async function stored(client: PoolClient, schema: string, partition: number): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(client, schema, partition);
  // A checkpoint that holds nothing looks like one that does not exist.
  if (checkpoint.offset < 0n && checkpoint.position < 0n) await makeCheckpoint(client, schema, partition);
  return checkpoint;
}

/** A batch that is wrong at a remembered checkpoint may be right at the stored one. */
function falseIfStale(error: unknown): false {
  const isOfBatch =
    error instanceof MissedEventsError ||
    error instanceof LostEventsError ||
    error instanceof MissingEntityError ||
    error instanceof UnknownEventError;
  if (isOfBatch) return false;
  throw error;
}
