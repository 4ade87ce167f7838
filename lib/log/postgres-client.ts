/** How the whole platform connects to PostgreSQL. */
import pg from 'pg';
import { postgresError } from './postgres-errors.js';

/**
 * What a pool and a connection have in common. Both throw StoreUnavailable while PostgreSQL cannot be
 * reached.
 */
export interface Queries {
  query<R extends unknown[]>(statement: pg.QueryArrayConfig): Promise<pg.QueryArrayResult<R>>;
  query<R extends pg.QueryResultRow>(
    statement: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<R>>;
}

/** One connection of a pool. */
export interface PoolClient extends Queries {
  /** Gives the connection back; with true it is closed, and not used again. */
  release(destroy?: boolean): void;
}

/** Connections to one database. */
export interface Pool extends Queries {
  connect(): Promise<PoolClient>;
  /** Closes all connections when they have been given back. */
  end(): Promise<void>;
}

const INT8: number = pg.types.builtins.INT8;

/** int8 is bigint here, never a float and never a string. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary'): unknown =>
    oid === INT8 && format !== 'binary'
      ? BigInt
      : pg.types.getTypeParser(oid, format ?? 'text')) as typeof pg.types.getTypeParser,
};

/**
 * The planner's settings where every statement is a look-up by key: a generic plan prepared on an empty table
 * keeps its sequential scan for ever (measured: 336 ms per look-up at 300k rows).
 */
export const KEYED_PLANS = '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off';

const CONNECT_TIMEOUT_MS = 5_000;
/** Where neither the options nor the configuration name another. */
const STATEMENT_TIMEOUT_MS = 5_000;
/** A server that has not answered so long after it should have cancelled the statement is cut off: the connection is given up. */
const SILENCE_MS = 2_500;

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

/**
 * A pool whose int8 are bigint and whose errors are translated: an adapter above it sees StoreUnavailable
 * where PostgreSQL cannot be reached. The pool drops a connection that breaks while it is idle.
 */
export function createPool(config: pg.PoolConfig, options: PoolOptions): Pool {
  const statement_timeout = options.statementTimeout_ms ?? (config.statement_timeout || STATEMENT_TIMEOUT_MS);
  const pool = new pg.Pool({
    query_timeout: statement_timeout + SILENCE_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...config,
    types: TYPES,
    max: options.max,
    application_name: options.name,
    keepAlive: true,
    statement_timeout,
    ...(options.options === undefined ? {} : { options: options.options }),
  });
  // Without listeners these errors would end the process.
  pool.on('error', () => undefined);
  // A connection that breaks while it is in use fails the statement under way, which reports it. The pool's
  // own listener comes and goes, and the server's last message may come in the same packet as the answer
  // before it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    ...queriesOf(pool),
    connect: () => pool.connect().then(clientOf, throwTranslated),
    end: () => pool.end(),
  };
}

function clientOf(client: pg.PoolClient): PoolClient {
  return {
    ...queriesOf(client),
    release: (destroy) => {
      client.release(destroy);
    },
  };
}

function queriesOf(connection: pg.Pool | pg.PoolClient): Queries {
  function query<R extends unknown[]>(statement: pg.QueryArrayConfig): Promise<pg.QueryArrayResult<R>>;
  function query<R extends pg.QueryResultRow>(
    statement: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<R>>;
  function query(statement: string | pg.QueryConfig, values?: unknown[]): Promise<unknown> {
    return connection.query(statement, values).catch(throwTranslated);
  }
  return { query };
}

function throwTranslated(error: unknown): never {
  throw postgresError(error);
}
