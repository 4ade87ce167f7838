/**
 * What the views in PostgreSQL share: one schema per generation, the pointer to the serving one, and the
 * checkpoint.
 */
import pg from 'pg';
import type { Pool, PoolClient } from '../../../log/postgres-client.js';
import * as sql from './sql/generations.sql.js';
import {
  type Checkpoint,
  type DeadLetters,
  emptyCheckpoint,
  type View,
  type ViewGenerations,
  type ViewId,
  ViewMissingError,
} from '../../view.js';
import { letterOfText } from '../../parked/dead-letter.js';
import { parkedAt, parkedOfText } from '../../parked/parked.js';
import { translateErrors } from '../../translate-errors.js';
import { GenerationGoneError } from '../../view-errors.js';

/** What a view adds to a generation. */
export interface PostgresGenerationsOptions<V extends View> {
  /** From createPool: its int8 are bigint. */
  readonly pool: Pool;
  readonly view: ViewId;
  /**
   * Creates the view's own tables in a schema that is there and holds the checkpoint table only. In one
   * transaction with it.
   */
  readonly createSchema: (client: PoolClient, schema: string) => Promise<void>;
  /** The adapter over one generation; touches no database yet. */
  readonly open: (schema: string, generation: number) => V;
}

/**
 * The generations of a view in PostgreSQL: the schemas `history_1`, `history_2`, … A number is never given
 * twice.
 */
export function postgresGenerations<V extends View>(
  options: PostgresGenerationsOptions<V>,
): ViewGenerations<V> {
  const { pool, view } = options;
  const open = (generation: number) =>
    translateErrors(options.open(schemaOf(view, generation), generation), (error) =>
      isMissing(error) ? new GenerationGoneError(view, generation, error) : error,
    );
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

/** The schema of a generation. */
export function schemaOf(view: ViewId, generation: number): string {
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

/**
 * The readers of a generation come at once, the server's own analyze within a minute: until then plans are
 * guesses.
 */
async function analyze(pool: Pool, schema: string): Promise<void> {
  const { rows } = await pool.query<{ table: string }>(sql.listTables, [schema]);
  for (const { table } of rows) await pool.query(`analyze ${table}`);
}

/** The checkpoint columns of a row, as `checkpointColumns` in sql/generations.sql.ts names them. */
export interface CheckpointColumns {
  readonly checkpoint_offset: bigint;
  readonly checkpoint_epoch: number;
  readonly checkpoint_position: bigint;
  readonly checkpoint_hash: Uint8Array;
  readonly checkpoint_time: bigint;
  readonly checkpoint_parked: string;
}

/** The checkpoint in a row of a read; `emptyCheckpoint` of no row. */
export function checkpointOf(partition: number, row: CheckpointColumns | undefined): Checkpoint {
  if (row === undefined) return emptyCheckpoint(partition);
  const checkpoint = {
    partition,
    offset: row.checkpoint_offset,
    epoch: row.checkpoint_epoch,
    position: row.checkpoint_position,
    hash: row.checkpoint_hash,
    recordedTime: row.checkpoint_time,
  };
  const parked = parkedOfText(row.checkpoint_parked);
  return parked === undefined ? checkpoint : { ...checkpoint, parked };
}

/** The checkpoint of a partition; `emptyCheckpoint` if there is none. */
export async function readCheckpoint(
  client: Pool | PoolClient,
  schema: string,
  partition: number,
): Promise<Checkpoint> {
  const { rows } = await client.query<CheckpointColumns>({
    name: `${schema}.checkpoint`,
    text: sql.readCheckpoint(schema),
    values: [partition],
  });
  return checkpointOf(partition, rows[0]);
}

/** The same, and nobody else moves it before the end of the transaction. */
export async function lockCheckpoint(
  client: PoolClient,
  schema: string,
  partition: number,
): Promise<Checkpoint> {
  const { rows } = await client.query<CheckpointColumns>(sql.lockCheckpoint(schema), [partition]);
  return checkpointOf(partition, rows[0]);
}

/** The parked events of a partition, see View.deadLetters. */
export async function readDeadLetters(pool: Pool, schema: string, partition: number): Promise<DeadLetters> {
  const { rows } = await pool.query<CheckpointColumns & { readonly letter: string | null }>(
    sql.readDeadLetters(schema),
    [partition],
  );
  const letters = rows.flatMap(({ letter }) => (letter === null ? [] : [letterOfText(letter)]));
  return { parked: parkedAt(checkpointOf(partition, rows[0])), letters };
}

/** Makes the checkpoint of a partition, before anything is in it, if there is none. */
export async function makeCheckpoint(client: PoolClient, schema: string, partition: number): Promise<void> {
  await client.query(sql.insertCheckpoint(schema), [partition]);
}

/** Runs `work` in a transaction. */
export function inTransaction<T>(
  pool: Pool,
  begin: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  return withConnection(pool, (client) => transact(client, begin, () => work(client)));
}

/**
 * Runs `work` on one connection, which is not used again if it fails: it may be broken, or in a transaction.
 */
export async function withConnection<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failed = true;
  try {
    const result = await work(client);
    failed = false;
    return result;
  } finally {
    client.release(failed);
  }
}

/** Runs `work` in a transaction on a connection of `withConnection` that is in none. */
export async function transact<T>(client: PoolClient, begin: string, work: () => Promise<T>): Promise<T> {
  await client.query(begin);
  const result = await work();
  await client.query('commit');
  return result;
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
