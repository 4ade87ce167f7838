/**
 * How a batch gets into a view in PostgreSQL: in one statement, one round trip, together with the checkpoint.
 */
import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from '../../../log/postgres-client.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { lockCheckpoint, makeCheckpoint, readCheckpoint, transact, withConnection } from './generations.js';
import { addLetters, removeLetters } from './letter-writes.js';
import { applyBatch, CHECKPOINT_PARAMETERS, type NumberedWrite } from './sql/apply.sql.js';
import type { TableWrite } from './table-write.js';
import { parkedAt, parkedText } from '../../parked/parked.js';
import { movedCheckpoint, unseenEvents } from '../../unseen-events.js';
import { type Checkpoint, UnknownEventError, type Unparking, type ViewBatch } from '../../view.js';
import {
  LostEventsError,
  MissedEventsError,
  MissingEntityError,
  ParkedChangedError,
} from '../../view-errors.js';

/**
 * What events say to a view. They are not applied yet and this program knows them; there is one at
 * least. The connection is that of the batch, for what has to be looked up first. Between the events may be others,
 * at the positions `parked`, that are parked.
 */
export type WritesOf = (
  events: readonly RecordedEvent[],
  client: PoolClient,
  partition: number,
  parked: readonly bigint[],
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
   * @throws UnknownEventError, MissedEventsError, LostEventsError, ParkedChangedError as View.apply says; nothing is
   * changed then.
   */
  async apply(batch: ViewBatch): Promise<void> {
    await withConnection(this.#pool, (client) => this.#applyOn(client, batch)).catch((error: unknown) => {
      this.#forget(batch.partition);
      throw error;
    });
  }

  /** @see View.unpark */
  async unpark(unparking: Unparking): Promise<void> {
    const { partition, events, from, to, letters } = unparking;
    const applied = events.map(({ position }) => position);
    await withConnection(this.#pool, async (client) => {
      const writes = [
        ...(events.length === 0 ? [] : await this.#writesOf(events, client, partition, [])),
        addLetters(this.#schema, partition, letters),
        removeLetters(this.#schema, partition, applied),
      ];
      await transact(client, 'begin', async () => {
        const checkpoint = await lockCheckpoint(client, this.#schema, partition);
        const { version } = parkedAt(checkpoint);
        if (version !== from.version) throw new ParkedChangedError(partition, version);
        const moved = { ...checkpoint, parked: to };
        const { rowCount } = await client.query(this.#statement(writes, checkpoint, moved));
        if (rowCount !== 1) throw new Error('a checkpoint moved though it was locked');
      });
    }).finally(() => {
      this.#forget(partition);
    });
  }

  async #applyOn(client: PoolClient, batch: ViewBatch): Promise<void> {
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
  async #move(client: PoolClient, batch: ViewBatch, from: Checkpoint): Promise<boolean> {
    const events = unseenEvents(batch, from);
    const to = movedCheckpoint(from, batch);
    if (to.position !== from.position || to.offset !== from.offset) {
      const { partition, parking } = batch;
      // Of a batch that comes again those that the checkpoint is past are parked already.
      const letters = (parking?.letters ?? []).filter(({ position }) => position > from.position);
      const parked = letters.map(({ position }) => position);
      const writes =
        events.length === 0 ? [] : [...(await this.#writesOf(events, client, partition, parked))];
      if (letters.length > 0) writes.push(addLetters(this.#schema, partition, letters));
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
      parkedText(parkedAt(to)),
      from.offset,
      from.position,
      from.hash,
      parkedText(parkedAt(from)),
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
    error instanceof ParkedChangedError ||
    error instanceof MissingEntityError ||
    error instanceof UnknownEventError;
  if (isOfBatch) return false;
  throw error;
}
