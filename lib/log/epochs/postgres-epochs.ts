/** Where the log was written, and what it has lost, in PostgreSQL. */
import type { Pool } from '../postgres-client.js';
import type { LogPoint } from '../recorded-event.js';
import type { Origin } from './origin.js';
import * as sql from './epochs.sql.js';

interface OriginRow {
  readonly epoch: number;
  readonly is_moved: boolean;
  readonly lost_epoch: number | null;
}

export async function readOrigin(pool: Pool): Promise<Origin> {
  const { rows } = await pool.query<OriginRow>({ name: 'read_origin', text: sql.readOrigin });
  const [row] = rows;
  if (row === undefined) throw new Error('the log has no origin');
  return { epoch: row.epoch, isMoved: row.is_moved, lostEpoch: row.lost_epoch ?? undefined };
}

/** Says that the log is written here from now on, in this epoch: what was known to be lost is settled. */
export async function recordOrigin(pool: Pool, epoch: number): Promise<void> {
  await pool.query({ name: 'record_origin', text: sql.recordOrigin, values: [epoch] });
}

/** Tells the process that decides that the log does not have a point that was seen. */
export async function reportLost(pool: Pool, point: Pick<LogPoint, 'epoch' | 'position'>): Promise<void> {
  const values = [point.epoch, point.position];
  await pool.query({ name: 'report_lost', text: sql.reportLost, values });
}
