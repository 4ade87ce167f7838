/** The reports view in ClickHouse. */
import type { ClickHouseClient } from '../clickhouse-client.js';
import { clickhouseGenerations, orGone } from '../clickhouse-generations.js';
import type { ViewGenerations } from '../view.js';
import { ReportCheckpoints } from './clickhouse-report-checkpoints.js';
import {
  readCashFlow,
  readDeclines,
  readRank,
  readTrialBalance,
  readVolume,
} from './clickhouse-report-queries.js';
import { readRows } from './clickhouse-report-rows.js';
import { schemaOf, TABLES } from './clickhouse-report-schema.js';
import { ReportSealer } from './clickhouse-report-sealer.js';
import { ReportWriter } from './clickhouse-report-writer.js';
import type { ReportsView } from './view.js';

export interface ClickHouseReportsOptions {
  partitionOf(ledgerId: string): number;
}

/** A generation, and what tests wait for. */
export interface ClickHouseReportsView extends ReportsView {
  /** Resolves when all chunks that were passed are sealed. */
  sealed(): Promise<void>;
}

/** The generations of the reports view. The client is one of createClickHouse. */
export function clickhouseReports(
  client: ClickHouseClient,
  options: ClickHouseReportsOptions,
): ViewGenerations<ClickHouseReportsView> {
  return clickhouseGenerations<ClickHouseReportsView>({
    ...{ client, view: 'reports', schema: schemaOf, tables: TABLES },
    open: (prefix, generation) => openReports(client, prefix, generation, options),
  });
}

function openReports(
  client: ClickHouseClient,
  prefix: string,
  generation: number,
  { partitionOf }: ClickHouseReportsOptions,
): ClickHouseReportsView {
  const checkpoints = new ReportCheckpoints({ client, prefix });
  const place = { client, prefix, checkpoints };
  const writer = new ReportWriter(place);
  const sealer = new ReportSealer(place);
  const gone = <T>(work: Promise<T>) => orGone('reports', generation, work);
  return {
    id: 'reports',
    store: 'clickhouse',
    generation,
    apply: async (batch) => {
      sealer.follow(await gone(writer.apply(batch)));
    },
    sealed: () => sealer.settled(),
    checkpoint: async (partition) => (await gone(checkpoints.standing(partition))).checkpoint,
    rows: (page) => gone(readRows(place, (ledgerId) => partitionOf(ledgerId), page)),
    trialBalance: (query) => gone(readTrialBalance(place, query)),
    volume: (query) => gone(readVolume(place, query)),
    declines: (query) => gone(readDeclines(place, query)),
    cashFlow: (query) => gone(readCashFlow(place, query)),
    rank: (query) => gone(readRank(place, query)),
  };
}
