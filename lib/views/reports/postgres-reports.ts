/** The reports view in PostgreSQL. Data and checkpoint change in one transaction. */
import type { Pool } from '../../log/postgres-client.js';
import type { BusBatch } from '../../platform/bus.js';
import { applyOnce, orGone, postgresGenerations, readCheckpoint } from '../postgres-generations.js';
import type { RowPage, ViewGenerations } from '../view.js';
import {
  readCashFlow,
  readDeclines,
  readRank,
  readTrialBalance,
  readVolume,
} from './postgres-report-queries.js';
import { readRows } from './postgres-report-rows.js';
import { ReportWriter } from './postgres-report-writer.js';
import { schemaSql } from './sql/schema.sql.js';
import type { ReportsView } from './view.js';

/**
 * The generations of the reports view.
 * @param pool from createPool, its planner free to hash and to scan (not KEYED_PLANS): reports read ranges, not keys.
 */
export function postgresReports(pool: Pool): ViewGenerations<ReportsView> {
  return postgresGenerations<ReportsView>({
    pool,
    view: 'reports',
    createSchema: async (client, schema) => {
      await client.query(schemaSql(schema));
    },
    open: (schema, generation) => openReports(pool, schema, generation),
  });
}

function openReports(pool: Pool, schema: string, generation: number): ReportsView {
  const writer = new ReportWriter(schema);
  const gone = <T>(read: Promise<T>) => orGone('reports', generation, read);
  const apply = async (batch: BusBatch): Promise<void> => {
    try {
      await applyOnce(pool, schema, batch, (client, events) =>
        writer.write(client, batch.partition, events, batch.watermark),
      );
    } catch (error) {
      writer.reset();
      throw error;
    }
  };
  return {
    id: 'reports',
    store: 'postgres',
    generation,
    apply: (batch) => gone(apply(batch)),
    checkpoint: (partition) => gone(readCheckpoint(pool, schema, partition)),
    rows: (page: RowPage) => gone(readRows({ pool, schema }, page)),
    trialBalance: (query) => gone(readTrialBalance(pool, schema, query)),
    volume: (query) => gone(readVolume(pool, schema, query)),
    declines: (query) => gone(readDeclines(pool, schema, query)),
    cashFlow: (query) => gone(readCashFlow(pool, schema, query)),
    rank: (query) => gone(readRank(pool, schema, query)),
  };
}
