/** Connections to PostgreSQL as all of the platform makes them. */
import pg from 'pg';

export type Pool = pg.Pool;
export type PoolClient = pg.PoolClient;

const INT8: number = pg.types.builtins.INT8;

/** int8 is bigint here, never a float and never a string. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary'): unknown =>
    oid === INT8 && format !== 'binary'
      ? BigInt
      : pg.types.getTypeParser(oid, format ?? 'text')) as typeof pg.types.getTypeParser,
};

/**
 * The planner's settings where every statement is a look-up by key: a generic plan prepared on an empty table keeps its
 * sequential scan for ever (measured: 336 ms a look-up at 300k rows).
 */
export const KEYED_PLANS = '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off';

export interface PoolOptions {
  /** At most this many connections. */
  readonly max: number;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** Command line options for the session, such as KEYED_PLANS. */
  readonly options?: string;
  /** A statement that takes longer is cancelled: none may hold a snapshot for long. */
  readonly statementTimeout_ms?: number;
}

/** A pool whose int8 are bigint. A connection that breaks while idle is dropped by the pool and not an error of anyone. */
export function createPool(config: pg.PoolConfig, options: PoolOptions): Pool {
  const pool = new pg.Pool({
    ...config,
    types: TYPES,
    max: options.max,
    application_name: options.name,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    statement_timeout: options.statementTimeout_ms ?? 5_000,
    ...(options.options === undefined ? {} : { options: options.options }),
  });
  pool.on('error', () => undefined);
  // One that breaks while in use fails the statement under way, which says so. The pool's own listener comes and goes, and
  // the server's farewell may come in the same packet as the answer before it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
