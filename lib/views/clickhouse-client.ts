/** Connections to ClickHouse as all of the platform makes them. */
import { type ClickHouseClient, createClient, ClickHouseLogLevel } from '@clickhouse/client';

export type { ClickHouseClient } from '@clickhouse/client';

const REQUEST_ms = 30_000;
const CONNECTIONS = 8;
/** Below the server's own 10 s: a socket that it closes while we send is a reset that nobody deserves. */
const IDLE_ms = 2_500;

/** @param url `http://user:password@host:8123/database` */
export function createClickHouse(url: string, name: string): ClickHouseClient {
  return createClient({
    url,
    application: name.replaceAll(' ', '-'),
    request_timeout: REQUEST_ms,
    max_open_connections: CONNECTIONS,
    keep_alive: { enabled: true, idle_socket_ttl: IDLE_ms },
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: {
      // Money and positions are texts in JSON: a number would be rounded.
      output_format_json_quote_64bit_integers: 1,
      // The same key has the same month: parts of different months need not be merged to read one row of each.
      do_not_merge_across_partitions_select_final: 1,
    },
  });
}

/** Values of a statement's `{name:Type}`; bigints and arrays of them as ClickHouse reads them. */
export type Params = Readonly<Record<string, string | number | bigint | readonly bigint[]>>;

/** Rows of a query as objects; every number of 64 bits or more is a text. */
export async function select<Row>(
  client: ClickHouseClient,
  query: string,
  params: Params = {},
): Promise<Row[]> {
  const found = await client.query({
    query,
    format: 'JSONEachRow',
    query_params: { ...params },
  });
  return await found.json<Row>();
}

/** Inserts rows; resolves when the server has stored them. */
export async function insert(
  client: ClickHouseClient,
  table: string,
  columns: readonly [string, ...string[]],
  values: readonly object[],
): Promise<void> {
  await client.insert({ table, columns: [...columns], values: [...values], format: 'JSONEachRow' });
}

const UNKNOWN_TABLE = '60';
const UNKNOWN_DATABASE = '81';

/** Whether an error says that a table, or its database, is not there. */
export function isMissing(error: unknown): boolean {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === UNKNOWN_TABLE || code === UNKNOWN_DATABASE;
}
