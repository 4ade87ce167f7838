/** How a batch gets into a view in PostgreSQL: in one statement, one round trip, together with the checkpoint. */
import type { Pool, PoolClient } from '../../../log/postgres-client.js';
import type { BusBatch } from '../../../log/bus.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { makeCheckpoint, readCheckpoint, withConnection } from './generations.js';
import { applyBatch } from './sql/apply.sql.js';
import { movedCheckpoint, unseenEvents } from '../../unseen-events.js';
import { type Checkpoint, UnknownEventError } from '../../view.js';
import { LostEventsError, MissedEventsError } from '../../view-errors.js';

/** What a batch writes to one table. */
export interface TableWrite {
  /** Tells it from the other writes of the view; a few letters, for the names of prepared statements end at 63. */
  readonly name: string;
  /** With parameters from $1 on; its `where` has `ifMoved` of sql/apply.sql.ts. */
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * What events say to a view. They come after the checkpoint and this program knows them; there is one at least. The connection
 * is that of the batch, outside any transaction, for what has to be looked up first.
 */
export type WritesOf = (
  events: readonly RecordedEvent[],
  client: PoolClient,
  partition: number,
) => readonly TableWrite[] | Promise<readonly TableWrite[]>;

/** Applies batches to one generation. */
export class PostgresApplier {
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #writesOf: WritesOf;
  readonly #onForget: () => void;
  /** Where each partition was after the last batch of ours. The statement finds out whether it still is. */
  readonly #known = new Map<number, Checkpoint>();

  /**
   * @param pool from createPool with settings under which the writes are planned well, and `writesOf` with what is looked up
   * @param onForget called when the database may have gone back behind what it said before
   */
  constructor(pool: Pool, schema: string, writesOf: WritesOf, onForget: () => void = () => undefined) {
    this.#pool = pool;
    this.#schema = schema;
    this.#writesOf = writesOf;
    this.#onForget = onForget;
  }

  /**
   * Each event counts once, however often it is delivered and whoever else applies it.
   * @throws UnknownEventError, MissedEventsError, LostEventsError as View.apply says; nothing is changed then.
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
      // What it had and has no more must come again, also if the batch does not say what it goes on from.
      if (position < known.position) throw new MissedEventsError(partition, position, known.position);
    }
    // Whoever fails here lost to somebody who went forward, so that this ends.
    while (!(await this.#move(client, batch, await stored(client, this.#schema, partition))));
  }

  #forget(partition: number): void {
    this.#known.delete(partition);
    this.#onForget();
  }

  /** Whether the checkpoint was where it was thought to be; else nothing was changed. */
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
    const values: unknown[] = [
      ...[to.partition, to.offset, to.epoch, to.position, to.hash, to.recordedTime],
      ...[from.offset, from.position, from.hash],
    ];
    const texts = writes.map((write) => {
      const before = values.length;
      values.push(...write.values);
      return write.text.replace(/\$(\d+)/g, (_, place: string) => `$${String(Number(place) + before)}`);
    });
    const name = [`${this.#schema}.apply`, ...writes.map((write) => write.name)].join(' ');
    return { name, text: applyBatch(this.#schema, texts), values };
  }
}

async function stored(client: PoolClient, schema: string, partition: number): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(client, schema, partition);
  // One that holds nothing looks like one that is not there.
  if (checkpoint.offset < 0n && checkpoint.position < 0n) await makeCheckpoint(client, schema, partition);
  return checkpoint;
}

/** What is wrong with a batch at a checkpoint that is only remembered may be right at the true one. */
function falseIfStale(error: unknown): false {
  const isOfBatch =
    error instanceof MissedEventsError ||
    error instanceof LostEventsError ||
    error instanceof UnknownEventError;
  if (isOfBatch) return false;
  throw error;
}
