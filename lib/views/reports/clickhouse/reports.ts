/**
 * The reports view in ClickHouse: entries as they are delivered, sums of what will not change any more, and
 * checkpoints.
 */
import type { ClickHouse } from '../../stores/clickhouse/client.js';
import { clickhouseGenerations, type GenerationTables } from '../../stores/clickhouse/generations.js';
import type { ViewGenerations } from '../../view.js';
import { readCashFlow, readDeclines, readRank, readTrialBalance, readVolume } from './queries.js';
import { readRows } from './rows.js';
import { ClickHouseReportSealer } from './sealer.js';
import { ClickHouseReportWriter } from './writer.js';
import { createEntriesSql, createRollupSql } from './sql/schema.sql.js';
import type { ReportsView } from '../view.js';

export interface ClickHouseReportsOptions {
  /** Called when sums could not be made: reports are slower then, and not wrong. The sealer tries again. */
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
  return {
    id: 'reports',
    store: 'clickhouse',
    generation,
    apply: (batch) => writer.apply(batch),
    deadLetters: (partition) => checkpoints.deadLetters(partition),
    unpark: (unparking) => writer.unpark(unparking),
    checkpoint: async (partition) => (await checkpoints.read()).of(partition).checkpoint,
    rows: (page) => readRows(reads, page),
    trialBalance: (query) => readTrialBalance(reads, query),
    volume: (query) => readVolume(reads, query),
    declines: (query) => readDeclines(reads, query),
    cashFlow: (query) => readCashFlow(reads, query),
    rank: (query) => readRank(reads, query),
  };
}
