/**
 * The control of several projector processes, in the log's PostgreSQL: the one store that all of them need
 * anyway.
 */
import { randomUUID } from 'node:crypto';
import type { Pool } from '../../../lib/log/postgres-client.js';
import type { ViewId } from '../../../lib/views/view.js';
import type { RebuildStatus } from '../rebuild.js';
import type { ControlState, Lease, ProjectionControl } from './control.js';
import * as sql from './control.sql.js';

/** A lease that is not renewed for so long can be taken by another process. */
const LEASE_MS = 10_000;
const RENEW_MS = 2_500;

/** The status as JSON has it: bigints as texts. */
type StoredRebuild = Omit<RebuildStatus, 'position' | 'startTime' | 'endTime'> & {
  readonly position: string;
  readonly startTime: string;
  readonly endTime: string | null;
};

interface Row {
  readonly view: ViewId;
  readonly paused: boolean;
  readonly resumes: number;
  readonly rebuild: StoredRebuild | null;
  readonly held: boolean;
  readonly failure: string | null;
}

/** Makes the tables if need be. The pool is from createPool. */
export async function openPostgresControl(
  pool: Pool,
  views: readonly ViewId[],
  process = randomUUID(),
): Promise<ProjectionControl> {
  // Several statements in one message are one transaction.
  await pool.query(sql.createControl);
  await pool.query(sql.insertControl, [views]);
  return {
    isShared: true,
    read: async () => {
      const { rows } = await pool.query<Row>({
        name: 'read_control',
        text: sql.readControl,
        values: [process],
      });
      return new Map(rows.map((row) => [row.view, stateOf(row)]));
    },
    setPaused: async (view, paused) => {
      await pool.query(sql.setPaused, [view, paused]);
    },
    saveRebuild: async (view, status) => {
      await pool.query(sql.saveRebuild, [view, storedOf(status)]);
    },
    report: async (reports) => {
      const failures = reports.map(({ failure }) => failure ?? null);
      await pool.query(sql.reportRuns, [process, reports.map(({ view }) => view), failures]);
    },
    acquire: (view) => acquire(pool, view),
    close: async () => {
      await pool.query(sql.forgetRuns, [process]);
    },
  };
}

/** A holder of its own for each lease: a process does not share one with itself. */
async function acquire(pool: Pool, view: ViewId): Promise<Lease | undefined> {
  const holder = randomUUID();
  const { rowCount } = await pool.query(sql.acquireLease, [view, holder, LEASE_MS]);
  if (rowCount === 0) return undefined;
  const lost = new AbortController();
  let renewedAt_ms = performance.now();
  const renew = async () => {
    try {
      const { rowCount: renewed } = await pool.query(sql.renewLease, [view, holder, LEASE_MS]);
      if (renewed === 1) renewedAt_ms = performance.now();
      else lost.abort(new Error(`the lease on the ${view} view was lost`));
    } catch (error) {
      // Tried again, while there is time.
      if (performance.now() - renewedAt_ms > LEASE_MS - RENEW_MS) lost.abort(error);
    }
  };
  const timer = setInterval(() => void renew(), RENEW_MS);
  return {
    signal: lost.signal,
    release: async () => {
      clearInterval(timer);
      await pool.query(sql.releaseLease, [view, holder]);
    },
  };
}

function stateOf({ paused, resumes, rebuild, held, failure }: Row): ControlState {
  const status = rebuild === null ? undefined : statusOf(rebuild);
  // The process that ran it has ended: its lease has run out.
  const isOrphan = status !== undefined && status.endTime === undefined && !held;
  return {
    paused,
    resumes,
    failureElsewhere: failure ?? undefined,
    rebuild: isOrphan ? { ...status, phase: 'failed', failure: ORPHANED, endTime: status.startTime } : status,
  };
}

const ORPHANED = 'the process that rebuilt the view has ended; the old generation serves';

function storedOf(status: RebuildStatus): StoredRebuild {
  const { position, startTime, endTime, ...rest } = status;
  return {
    ...rest,
    position: String(position),
    startTime: String(startTime),
    endTime: endTime === undefined ? null : String(endTime),
  };
}

function statusOf(stored: StoredRebuild): RebuildStatus {
  return {
    ...stored,
    position: BigInt(stored.position),
    startTime: BigInt(stored.startTime),
    endTime: stored.endTime === null ? undefined : BigInt(stored.endTime),
  };
}
