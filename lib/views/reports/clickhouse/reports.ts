/** The reports view in ClickHouse: entries as they are delivered, sums of what will not change any more, and checkpoints. */
import { type ClickHouse, orGone } from '../../stores/clickhouse/client.js';
import { clickhouseGenerations, type GenerationTables } from '../../stores/clickhouse/generations.js';
import type { RowPage, ViewGenerations } from '../../view.js';
import { readCashFlow, readDeclines, readRank, readTrialBalance, readVolume } from './queries.js';
import { readRows } from './rows.js';
import { ClickHouseReportSealer } from './sealer.js';
import { ClickHouseReportWriter } from './writer.js';
import { createEntriesSql, createRollupSql } from './sql/schema.sql.js';
import type { ReportsView } from '../view.js';

export interface ClickHouseReportsOptions {
  /** Told when sums could not be made, which makes reports slow and not wrong. They are tried again. */
  readonly onError?: (error: unknown) => void;
}

/** The generations of the reports view. */
export function clickhouseReports(
  store: ClickHouse,
  { onError = () => undefined }: ClickHouseReportsOptions = {},
): ViewGenerations<ReportsView> {
  return clickhouseGenerations<ReportsView>({
    store,
    view: 'reports',
    tables: { entries: createEntriesSql, rollup: createRollupSql },
    open: (tables) => openReports(tables, onError),
  });
}

function openReports(
  { store, generation, checkpoints, table }: GenerationTables,
  onError: (error: unknown) => void,
): ReportsView {
  const tables = { entries: table('entries'), rollup: table('rollup') };
  const sealer = new ClickHouseReportSealer({ store, checkpoints, ...tables }, onError);
  const writer = new ClickHouseReportWriter({ store, checkpoints, entries: tables.entries }, (moved) => {
    sealer.follow(moved);
  });
  const reads = { store, checkpoints, tables };
  const gone = <T>(call: Promise<T>) => orGone('reports', generation, call);
  return {
    id: 'reports',
    store: 'clickhouse',
    generation,
    apply: (batch) => gone(writer.apply(batch)),
    checkpoint: (partition) =>
      gone(checkpoints.read().then((standings) => standings.of(partition).checkpoint)),
    rows: (page: RowPage) => gone(readRows(reads, page)),
    trialBalance: (query) => gone(readTrialBalance(reads, query)),
    volume: (query) => gone(readVolume(reads, query)),
    declines: (query) => gone(readDeclines(reads, query)),
    cashFlow: (query) => gone(readCashFlow(reads, query)),
    rank: (query) => gone(readRank(reads, query)),
  };
}
