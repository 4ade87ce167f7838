/** What the views in PostgreSQL share: a schema a generation, the pointer to the serving one, and the checkpoint. */
import pg from 'pg';
import type { Pool, PoolClient } from '../log/postgres-client.js';
import type { BusBatch, RecordedEvent } from '../platform/bus.js';
import * as sql from './sql/generations.sql.js';
import {
  type Checkpoint,
  emptyCheckpoint,
  type View,
  type ViewGenerations,
  type ViewId,
  ViewMissingError,
} from './view.js';
import { movedCheckpoint, unseenEvents } from './unseen-events.js';
import { GenerationGoneError } from './view-errors.js';

/** What a view adds to a generation. */
export interface PostgresGenerationsOptions<V extends View> {
  /** From createPool: its int8 are bigint. */
  readonly pool: Pool;
  readonly view: ViewId;
  /** Creates the view's own tables in a schema that is there and holds the checkpoint table only. In one transaction with it. */
  readonly createSchema: (client: PoolClient, schema: string) => Promise<void>;
  /** The adapter over one generation; touches no database yet. */
  readonly open: (schema: string, generation: number) => V;
}

/** The generations of a view in PostgreSQL: the schemas `history_1`, `history_2`, … A number is never given twice. */
export function postgresGenerations<V extends View>(
  options: PostgresGenerationsOptions<V>,
): ViewGenerations<V> {
  const { pool, view } = options;
  const open = (generation: number) => options.open(schemaOf(view, generation), generation);
  const locked = <T>(work: (client: PoolClient) => Promise<T>) =>
    inTransaction(pool, 'begin', async (client) => {
      await client.query(sql.lockRegistry);
      return work(client);
    });
  return {
    async migrate() {
      await locked(async (client) => {
        await client.query(sql.createRegistry);
        const { rows } = await client.query(sql.servingGeneration, [view]);
        if (rows.length === 0) await addGeneration(options, client, true);
      });
    },
    async current() {
      const { rows } = await orMissing(
        view,
        pool.query<{ generation: number }>(sql.servingGeneration, [view]),
      );
      const generation = rows[0]?.generation;
      if (generation === undefined) throw new ViewMissingError(view);
      return open(generation);
    },
    create: () =>
      locked(async (client) => {
        await client.query(sql.createRegistry);
        return open(await addGeneration(options, client, false));
      }),
    async switchTo(generation) {
      await analyze(pool, schemaOf(view, generation));
      const { rowCount } = await orMissing(
        view,
        locked((client) => client.query(sql.switchTo, [view, generation])),
      );
      if (rowCount === 0) throw new Error(`the ${view} view has no generation ${String(generation)}`);
    },
    async drop(generation) {
      await locked(async (client) => {
        const { rowCount } = await client.query(sql.removeGeneration, [view, generation]);
        if (rowCount === 0)
          throw new Error(`generation ${String(generation)} of the ${view} view serves or is not there`);
        await client.query(sql.dropSchema(schemaOf(view, generation)));
      });
    },
    async list() {
      const { rows } = await orMissing(view, pool.query<{ generation: number }>(sql.listGenerations, [view]));
      return rows.map(({ generation }) => generation);
    },
  };
}

function schemaOf(view: ViewId, generation: number): string {
  return `${view}_${String(generation)}`;
}

async function addGeneration<V extends View>(
  { view, createSchema }: PostgresGenerationsOptions<V>,
  client: PoolClient,
  serving: boolean,
): Promise<number> {
  const { rows } = await client.query<{ generation: number }>(sql.addGeneration, [view, serving]);
  const generation = rows[0]?.generation;
  if (generation === undefined) throw new Error('a generation was not registered');
  const schema = schemaOf(view, generation);
  await client.query(sql.createCheckpoint(schema));
  await createSchema(client, schema);
  return generation;
}

/** The readers of a generation come at once, the server's own analyze within a minute: until then plans are guesses. */
async function analyze(pool: Pool, schema: string): Promise<void> {
  const { rows } = await pool.query<{ table: string }>(sql.listTables, [schema]);
  for (const { table } of rows) await pool.query(`analyze ${table}`);
}

/**
 * Awaits a read of a generation; if its schema was dropped meanwhile, says so in a way that the reader understands.
 * @throws GenerationGoneError
 */
export async function orGone<T>(view: ViewId, generation: number, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    throw isMissing(error) ? new GenerationGoneError(view, generation, error) : error;
  }
}

/** The checkpoint columns of a row, as `checkpointColumns` in sql/generations.sql.ts names them. */
export interface CheckpointColumns {
  readonly checkpoint_offset: bigint;
  readonly checkpoint_epoch: number;
  readonly checkpoint_position: bigint;
  readonly checkpoint_hash: Uint8Array;
  readonly checkpoint_time: bigint;
}

/** The checkpoint in a row of a read; `emptyCheckpoint` of no row. */
export function checkpointOf(partition: number, row: CheckpointColumns | undefined): Checkpoint {
  if (row === undefined) return emptyCheckpoint(partition);
  return {
    partition,
    offset: row.checkpoint_offset,
    epoch: row.checkpoint_epoch,
    position: row.checkpoint_position,
    hash: row.checkpoint_hash,
    recordedTime: row.checkpoint_time,
  };
}

/** The checkpoint of a partition, outside any transaction. */
export async function readCheckpoint(pool: Pool, schema: string, partition: number): Promise<Checkpoint> {
  const { rows } = await pool.query<CheckpointColumns>({
    name: `${schema}.checkpoint`,
    text: sql.readCheckpoint(schema),
    values: [partition],
  });
  return checkpointOf(partition, rows[0]);
}

/** Locks the checkpoint of a partition until the transaction ends, and makes it if there is none. */
export async function lockCheckpoint(
  client: PoolClient,
  schema: string,
  partition: number,
): Promise<Checkpoint> {
  const query = { name: `${schema}.lock`, text: sql.lockCheckpoint(schema), values: [partition] };
  const { rows } = await client.query<CheckpointColumns>(query);
  if (rows[0] !== undefined) return checkpointOf(partition, rows[0]);
  await client.query(sql.insertCheckpoint(schema), [partition]);
  const { rows: made } = await client.query<CheckpointColumns>(query);
  if (made[0] === undefined) throw new Error('the checkpoint that was just made is not there');
  return checkpointOf(partition, made[0]);
}

/** Moves a checkpoint that this transaction has locked, forward only: to the greater offset and the later point. */
export async function moveCheckpoint(
  client: PoolClient,
  schema: string,
  from: Checkpoint,
  batch: BusBatch,
): Promise<void> {
  const to = movedCheckpoint(from, batch);
  if (to.position === from.position && to.offset === from.offset) return;
  await client.query({
    name: `${schema}.move`,
    text: sql.moveCheckpoint(schema),
    values: [to.partition, to.offset, to.epoch, to.position, to.hash, to.recordedTime],
  });
}

/**
 * Applies a batch in one transaction with the checkpoint, so that each event counts once however often it is delivered.
 * `write` gets the events after the checkpoint that this program knows, perhaps none. It may start statements without
 * awaiting each, but resolves only when all have ended. The commit is asynchronous: after a crash of the server a view may
 * be some batches older, data and checkpoint together, and is filled again.
 * @throws UnknownEventError, MissedEventsError, LostEventsError as View.apply says; nothing is changed then.
 */
export async function applyOnce(
  pool: Pool,
  schema: string,
  batch: BusBatch,
  write: (client: PoolClient, events: readonly RecordedEvent[]) => Promise<void>,
): Promise<void> {
  await inTransaction(pool, sql.beginApply, async (client) => {
    const checkpoint = await lockCheckpoint(client, schema, batch.partition);
    const events = unseenEvents(batch, checkpoint);
    if (events.length > 0) await write(client, events);
    await moveCheckpoint(client, schema, checkpoint, batch);
  });
}

/** Runs `work` in a transaction. A connection whose transaction failed is not used again unless it could be rolled back. */
export async function inTransaction<T>(
  pool: Pool,
  begin: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((cause: unknown) => {
      broken = cause instanceof Error ? cause : new Error('rollback failed', { cause });
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

const UNDEFINED_TABLE = '42P01';
const INVALID_SCHEMA_NAME = '3F000';

function isMissing(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError &&
    (error.code === UNDEFINED_TABLE || error.code === INVALID_SCHEMA_NAME)
  );
}

async function orMissing<T>(view: ViewId, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isMissing(error) ? new ViewMissingError(view) : error;
  }
}
