/** How the whole platform connects to PostgreSQL. */
import pg from 'pg';
import { StoreUnavailable } from '../base/store-unavailable.js';
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

/**
 * A transaction whose process is lost without a word, stopped or cut off, keeps its locks no longer than this: those of the
 * state tables would hold up every other process.
 */
const IDLE_IN_TRANSACTION_MS = 10_000;
/** A connection on which nothing comes is asked after so long whether the other side is still there. */
const KEEPALIVE_MS = 10_000;
/** The same on the side of the server: what it holds for lost connections counts against its limit. Without effect on a socket. */
const SERVER_KEEPALIVE = '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=5';

/** Of every connection: what finds out that the other side is lost. */
export function keepalive(options = '') {
  return {
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
    options: `${SERVER_KEEPALIVE} ${options}`.trim(),
  };
}

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
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    ...config,
    types: TYPES,
    max: options.max,
    application_name: options.name,
    ...keepalive(options.options),
    statement_timeout,
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

/** A connection that PostgreSQL has not answered on is not used again: it may be silent for ever, or amid a transaction. */
function clientOf(client: pg.PoolClient): PoolClient {
  let failure: StoreUnavailable | undefined;
  function query<R extends unknown[]>(statement: pg.QueryArrayConfig): Promise<pg.QueryArrayResult<R>>;
  function query<R extends pg.QueryResultRow>(
    statement: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<R>>;
  function query(statement: string | pg.QueryConfig, values?: unknown[]): Promise<unknown> {
    if (failure !== undefined) return Promise.reject(failure);
    return client.query(statement, values).catch((error: unknown) => {
      const told = postgresError(error);
      if (told instanceof StoreUnavailable) failure = told;
      throw told;
    });
  }
  return {
    query,
    release: (destroy) => {
      client.release(destroy === true || failure !== undefined);
    },
  };
}

function queriesOf(pool: pg.Pool): Queries {
  function query<R extends unknown[]>(statement: pg.QueryArrayConfig): Promise<pg.QueryArrayResult<R>>;
  function query<R extends pg.QueryResultRow>(
    statement: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<R>>;
  function query(statement: string | pg.QueryConfig, values?: unknown[]): Promise<unknown> {
    return pool.query(statement, values).catch(throwTranslated);
  }
  return { query };
}

function throwTranslated(error: unknown): never {
  throw postgresError(error);
}
