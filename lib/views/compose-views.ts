/**
 * Wires the views to their stores: the same for the projector, which writes them, and for query, which reads
 * them.
 */
import { createPool } from '../log/postgres-client.js';
import type { Closeables } from '../base/closeables.js';
import type { Log } from '../base/logging.js';
import { redisBalances } from './balances/redis/balances.js';
import type { BalancesView } from './balances/view.js';
import { ClickHouse } from './stores/clickhouse/client.js';
import { mongodbHistory } from './history/mongodb/history.js';
import { HISTORY_PLANS, postgresHistory } from './history/postgres/history.js';
import type { HistoryView } from './history/view.js';
import { clickhouseReports } from './reports/clickhouse/reports.js';
import type { ReportsView } from './reports/view.js';
import { createMongodb } from './stores/mongodb/client.js';
import { createRedis } from './stores/redis/client.js';
import { redisSafety } from './stores/redis/safety.js';
import type { StoresConfig } from './stores-config.js';
import type { ViewGenerations } from './view.js';

/** The views of the distributed platform. */
export interface Views {
  readonly balances: ViewGenerations<BalancesView>;
  readonly history: ViewGenerations<HistoryView>;
  readonly reports: ViewGenerations<ReportsView>;
}

export interface ViewsOptions {
  readonly stores: StoresConfig;
  /** Of the log. It holds the history too, unless a MongoDB is named. */
  readonly databaseUrl: string;
  readonly partitions: number;
  partitionOf(ledgerId: string): number;
  /** Under which the stores list the connections. */
  readonly name: string;
  readonly log: Log;
}

/** Opens what the views need. A store that is away fails the calls that need it, and not the start. */
export function composeViews(options: ViewsOptions, closeables: Closeables): Views {
  return {
    balances: balancesOf(options, closeables),
    history: historyOf(options, closeables),
    reports: reportsOf(options, closeables),
  };
}

function balancesOf({ stores, partitions, partitionOf, name, log }: ViewsOptions, closeables: Closeables) {
  const client = createRedis(stores.redisUrl, {
    name,
    onError: (error) => {
      log.debug({ err: error }, 'the connection to Redis failed');
    },
  });
  closeables.add('Redis', () => {
    client.disconnect();
  });
  redisSafety(client).then(
    ({ verdict, detail }) => {
      if (verdict !== 'safe') log.warn({ verdict }, detail);
    },
    () => undefined,
  );
  return redisBalances(client, { partitions, partitionOf });
}

function historyOf(options: ViewsOptions, closeables: Closeables): ViewGenerations<HistoryView> {
  const { stores, databaseUrl, partitions, partitionOf, name } = options;
  if (stores.mongodbUrl === undefined) {
    const pool = createPool(
      { connectionString: databaseUrl },
      { max: 8, name: `${name} history`, options: HISTORY_PLANS, statementTimeout_ms: 30_000 },
    );
    closeables.add('the pool of the history', () => pool.end());
    return postgresHistory(pool);
  }
  const client = createMongodb(stores.mongodbUrl, name);
  closeables.add('MongoDB', () => client.close());
  return mongodbHistory(client.db(), { partitions, partitionOf });
}

function reportsOf({ stores, name, log }: ViewsOptions, closeables: Closeables) {
  const store = new ClickHouse(stores.clickhouseUrl, { name });
  closeables.add('ClickHouse', () => store.close());
  return clickhouseReports(store, {
    onError: (error) => {
      log.warn({ err: error }, 'sums of the reports were not made; they are tried again');
    },
  });
}
