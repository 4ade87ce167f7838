/**
 * The reports view in PostgreSQL. Data and checkpoint change in one statement; segments are sealed beside it,
 * and reports never wait for that.
 */
import { readAhead } from '../../../base/read-ahead.js';
import type { Pool } from '../../../log/postgres-client.js';
import { PostgresApplier } from '../../stores/postgres/apply.js';
import {
  postgresGenerations,
  readCheckpoint,
  readDeadLetters,
  schemaOf,
} from '../../stores/postgres/generations.js';
import { partitionWholeUpTo } from '../../parked/parked.js';
import type { ViewBatch, ViewGenerations } from '../../view.js';
import { compareStored } from './compare-stored.js';
import { readCashFlow, readDeclines, readRank, readTrialBalance, readVolume } from './queries.js';
import { readRows } from './rows.js';
import { scanRows } from './scan.js';
import { ReportSealer } from './sealer.js';
import { ReportWriter } from './writer.js';
import { schemaSql } from './sql/schema.sql.js';
import type { ReportsView } from '../view.js';

/**
 * Session options for the pool. To compile a report takes longer than to run it (measured: 60 ms for one
 * without rows, 2 ms without compiling). Rows lie in order of position, as the indexes have them: without
 * bitmaps a page is read up to its limit, also before the first statistics (with them the whole range was,
 * and sorted). Unlike other views' pools not KEYED_PLANS: reports read ranges, and hash.
 */
export const REPORT_PLANS = '-c jit=off -c enable_bitmapscan=off';

/**
 * The generations of the reports view.
 * @param pool from createPool with REPORT_PLANS; two connections at least where it is written, for sums are
 * made beside.
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
  const store = { pool, schema };
  const writer = new ReportWriter(schema);
  const sealer = new ReportSealer(pool, schema);
  const applier = new PostgresApplier(
    pool,
    schema,
    (events, client, partition, parked) => writer.writesOf(events, client, partition, parked),
    () => {
      writer.reset();
    },
  );
  const apply = async (batch: ViewBatch): Promise<void> => {
    await applier.apply(batch);
    const { partition, watermark, offset, parking } = batch;
    const parked = parking?.to;
    const at = { ...watermark, partition, offset };
    // A parked event may still come into its segment, and all segments are sealed in order.
    await sealer.follow(partition, parked === undefined ? at : partitionWholeUpTo({ ...at, parked }));
  };
  return {
    id: 'reports',
    store: 'postgres',
    generation,
    apply: (batch) => apply(batch),
    deadLetters: (partition) => readDeadLetters(pool, schema, partition),
    unpark: (unparking) => applier.unpark(unparking),
    checkpoint: (partition) => readCheckpoint(pool, schema, partition),
    rows: (page) => readRows(store, page),
    scan: async (ledgerId, take) => {
      for await (const rows of readAhead(scanRows(store, ledgerId))) await take(rows);
    },
    compareStored: (other, through, signal) => {
      const theirs = { pool, schema: schemaOf('reports', other) };
      return compareStored({ ours: store, theirs, through, signal });
    },
    trialBalance: (query) => readTrialBalance(store, query),
    volume: (query) => readVolume(store, query),
    declines: (query) => readDeclines(store, query),
    cashFlow: (query) => readCashFlow(store, query),
    rank: (query) => readRank(store, query),
  };
}
