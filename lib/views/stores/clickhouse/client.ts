/**
 * The client of ClickHouse, over HTTP: texts go as parameters, 64-bit numbers as text, and every call has an
 * end.
 */
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { StoreUnavailable } from '../../../base/store-unavailable.js';
import { clickhouseError, isConnectionLost } from './errors.js';

export interface ClickHouseOptions {
  /** How ClickHouse names the client in its log of queries. */
  readonly name?: string;
  /** How long a call may take, milliseconds. Default 30,000. */
  readonly requestTimeout_ms?: number;
  /** How long an insert or a read of a few rows may take, milliseconds. Default 10,000. */
  readonly quickTimeout_ms?: number;
}

const REQUEST_TIMEOUT_MS = 30_000;
/**
 * A server that has not answered for so long is away, or the connection is open on this side only. All that comes next in a view
 * waits for its insert, and for where it is.
 */
const QUICK_TIMEOUT_MS = 10_000;
/** Inserts are gathered and reports are few: beyond these, calls wait for a connection. */
const MOST_CONNECTIONS = 10;
/**
 * An idle connection is given up before the server gives it up, or a call would be sent into one that is
 * being closed and fail with ECONNRESET. The server's keep_alive_timeout has been 3 s, then 10 s, then 30 s.
 */
const IDLE_CONNECTION_MS = 2_000;

/** What a parameter of a statement may be. Times and positions are bigint. */
export type Parameter = string | number | bigint | readonly bigint[] | readonly number[];
export type Parameters = Readonly<Record<string, Parameter>>;
/** A value of a row to insert; whole numbers beyond 32 bits as text. */
export type Inserted = string | number | Readonly<Record<string, string | number>>;

const SELECT_SETTINGS = {
  // A number in JSON is exact to 53 bits.
  output_format_json_quote_64bit_integers: 1,
  // All versions of a row are in one partition of a table: a part that is merged already is not merged again
  // by a read.
  do_not_merge_across_partitions_select_final: 1,
  // And all versions of a row agree in what is indexed.
  use_skip_indexes_if_final: 1,
  // An answer is sent when it is whole: a failure half way shows as one.
  wait_end_of_query: 1,
  // Ends a report whose caller has left.
  cancel_http_readonly_queries_on_client_close: 1,
} as const;

/**
 * One database of a ClickHouse. Tables are named with their database, so that the database itself can be
 * created.
 *
 * On a cluster of replicas tables are ReplicatedReplacingMergeTree and ReplicatedAggregatingMergeTree (by
 * default where the database is of the Replicated engine, or in ClickHouse Cloud). Then data must not be seen
 * later than its checkpoint: insert with insert_quorum = 'auto' and read with select_sequential_consistency =
 * 1, as settings of the user; with insert_quorum_parallel = 0, without which the latter does nothing.
 */
export class ClickHouse {
  readonly database: string;
  readonly #client: ClickHouseClient;
  readonly #quickTimeout_ms: number;

  /**
   * Connects with the first call. `url` is `http[s]://[user:password@]host[:port][/database]`.
   * @throws TypeError if it is none, or names a database that is not of letters, digits and underscores.
   */
  constructor(url: string, options: ClickHouseOptions = {}) {
    const { name, requestTimeout_ms = REQUEST_TIMEOUT_MS, quickTimeout_ms = QUICK_TIMEOUT_MS } = options;
    const parsed = new URL(url);
    this.#quickTimeout_ms = quickTimeout_ms;
    this.database = parsed.pathname.slice(1) || 'default';
    if (!/^[A-Za-z_]\w{0,99}$/.test(this.database)) {
      throw new TypeError('the database of ClickHouse is named by letters, digits and underscores');
    }
    parsed.pathname = '';
    this.#client = createClient({
      url: parsed,
      ...(name === undefined ? {} : { application: name }),
      request_timeout: requestTimeout_ms,
      max_open_connections: MOST_CONNECTIONS,
      keep_alive: {
        enabled: true,
        idle_socket_ttl: IDLE_CONNECTION_MS,
        // Also if the event loop was busy when the time came.
        eagerly_destroy_stale_sockets: true,
      },
      // By default it writes failures, with what was sent, to the console. They are thrown anyway.
      log: { level: ClickHouseLogLevel.OFF },
    });
  }

  /** A table of the database, as statements name it. `name` comes from the code, never from a caller. */
  table(name: string): string {
    return `\`${this.database}\`.\`${name}\``;
  }

  /** Rows of a SELECT. 64-bit numbers and wider arrive as text. */
  async select<Row>(query: string, parameters: Parameters = {}): Promise<Row[]> {
    return this.#twice(() => this.#query<Row>(query, parameters, undefined));
  }

  /** The same of a few rows that are found at once, such as those that say where a view is. */
  async selectFew<Row>(query: string, parameters: Parameters = {}): Promise<Row[]> {
    return this.#quickly((signal) => this.#query<Row>(query, parameters, signal));
  }

  /** Inserts rows by the order of the columns; resolves when every later read sees them. */
  async insert(
    table: string,
    columns: readonly [string, ...string[]],
    rows: readonly (readonly Inserted[])[],
  ): Promise<void> {
    await this.#quickly(async (signal) => {
      await this.#client.insert({
        table,
        abort_signal: signal,
        columns: [...columns],
        values: rows,
        format: 'JSONCompactEachRow',
        // Later versions gather inserts by default, and some acknowledge before they are there.
        clickhouse_settings: { async_insert: 0 },
      });
    });
  }

  /** A statement without an answer. It may be carried out twice. */
  async command(query: string, parameters: Parameters = {}): Promise<void> {
    await this.#twice(async () => {
      await this.#client.command({
        query,
        query_params: { ...parameters },
        clickhouse_settings: { wait_end_of_query: 1, use_skip_indexes_if_final: 1 },
      });
    });
  }

  /** @throws StoreUnavailable, or the driver's error, if it does not answer. */
  async ping(): Promise<void> {
    const answer = await this.#client.ping();
    if (!answer.success) throw clickhouseError(answer.error);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #query<Row>(query: string, parameters: Parameters, signal: AbortSignal | undefined): Promise<Row[]> {
    const result = await this.#client.query({
      query,
      query_params: { ...parameters },
      format: 'JSONEachRow',
      clickhouse_settings: SELECT_SETTINGS,
      ...(signal === undefined ? {} : { abort_signal: signal }),
    });
    return result.json<Row>();
  }

  /** Ends the connection of a call that takes too long: what waits for it must not wait as long as a report may take. */
  async #quickly<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.timeout(this.#quickTimeout_ms);
    try {
      return await this.#twice(() => call(signal));
    } catch (error) {
      throw signal.aborted ? new StoreUnavailable('ClickHouse', error) : error;
    }
  }

  /** Once more after a connection was closed under a call: all that is sent may be sent twice. */
  async #twice<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call().catch((error: unknown) => {
        if (!isConnectionLost(error)) throw error;
        return call();
      });
    } catch (error) {
      throw clickhouseError(error);
    }
  }
}
