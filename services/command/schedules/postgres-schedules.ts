/** The tables of schedules in PostgreSQL. */
import { CreateScheduleRequestSchema } from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { DeclineReason } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { decodeMessage } from '../../../lib/base/codec/binary.js';
import type { Pool } from '../../../lib/log/postgres-client.js';
import { type Run, type Schedule, SCHEDULES_PER_LEDGER, type State } from './schedule.js';
import * as sql from './schedules.sql.js';
import type { Change, SchedulePage, ScheduleQuery, ScheduleStore } from './store.js';

interface ScheduleRow {
  readonly ledger_id: string;
  readonly schedule_id: string;
  readonly request_id: string;
  readonly request: Uint8Array;
  readonly exponent: number;
  readonly actor: string;
  readonly state: number;
  readonly pause_reason: string;
  readonly occurrence_time: bigint | null;
  readonly attempt: number;
  readonly is_begun: boolean;
  readonly wake_time: bigint | null;
  /** Arrays of int8 are not read as bigint. */
  readonly upcoming: readonly string[];
  readonly has_more: boolean;
  readonly total: number;
  readonly posted: number;
  readonly declined: number;
  readonly failed: number;
  readonly skipped: number;
  readonly version: bigint;
  readonly create_time: bigint;
  readonly update_time: bigint;
}

type NoSchedule = { readonly [K in keyof ScheduleRow]: null };

/** What the list says beside its schedules. */
interface Looked {
  readonly looked: number;
  readonly last_looked: string | null;
}

interface RunRow {
  readonly occurrence_time: bigint;
  readonly attempt: number;
  readonly outcome: number;
  readonly transaction_id: string | null;
  readonly reason: number;
  readonly run_time: bigint;
  readonly occurrences: number;
  readonly last_occurrence_time: bigint;
}

interface TotalsRow {
  readonly active: number;
  readonly paused: number;
  readonly due: number;
  readonly lag: bigint;
}

const STATES: readonly State[] = ['active', 'paused', 'ended', 'cancelled'];
const OUTCOMES: readonly Run['outcome'][] = ['posted', 'declined', 'failed', 'skipped'];
/** Schedules that are looked at for a page, at most. */
const LOOKED_MAX = 5_000;
/** Metrics count no further. */
const COUNTED_MAX = 100_000;
const AFTER_ALL = 9_223_372_036_854_775_807n;

/** The pool is from createPool. */
export function postgresSchedules(pool: Pool): ScheduleStore {
  const one = async (statement: string, ledgerId: string, id: string) => {
    const { rows } = await pool.query<ScheduleRow>(statement, [ledgerId, id]);
    return rows.map(scheduleOf)[0];
  };
  return {
    create: async (schedule) => {
      const { rowCount } = await pool.query(sql.insertSchedule, [
        schedule.ledgerId,
        schedule.scheduleId,
        schedule.requestId,
        Buffer.from(schedule.body),
        schedule.payerAccountId,
        schedule.payeeAccountId,
        schedule.actor,
        schedule.occurrence,
        schedule.upcoming,
        schedule.hasMore,
        schedule.total,
        schedule.createTime,
        SCHEDULES_PER_LEDGER,
        schedule.exponent,
      ]);
      return rowCount === 1;
    },
    findByRequest: (ledgerId, requestId) => one(sql.readByRequest, ledgerId, requestId),
    get: ({ ledgerId, scheduleId }) => one(sql.readSchedule, ledgerId, scheduleId),
    list: (query) => pageOf(pool, query),
    runs: async ({ ledgerId, scheduleId }, before, limit) => {
      const place = [before?.occurrence ?? AFTER_ALL, before?.attempt ?? 0];
      const { rows } = await pool.query<RunRow>(sql.listRuns, [ledgerId, scheduleId, ...place, limit]);
      return rows.map(runOf);
    },
    due: async (now, limit) =>
      (await pool.query<ScheduleRow>(sql.readDue, [now, limit])).rows.map(scheduleOf),
    save: async (changes) => {
      const given = [JSON.stringify(changes.map(changeRow)), JSON.stringify(changes.flatMap(runRows))];
      const { rows } = await pool.query<{ ledger_id: string; schedule_id: string }>(sql.saveChanges, given);
      return rows.map(({ ledger_id: ledgerId, schedule_id: scheduleId }) => ({ ledgerId, scheduleId }));
    },
    totals: async (now) => {
      const { rows } = await pool.query<TotalsRow>(sql.readTotals, [now, COUNTED_MAX]);
      if (rows[0] === undefined) throw new Error('a select of sums has one row');
      return rows[0];
    },
  };
}

async function pageOf(
  pool: Pool,
  { ledgerId, after, limit, state, accountId }: ScheduleQuery,
): Promise<SchedulePage> {
  const stateNumber = state === undefined ? null : STATES.indexOf(state) + 1;
  const isFiltered = state !== undefined || accountId !== undefined;
  const most = isFiltered ? LOOKED_MAX : limit + 1;
  const { rows } = await pool.query<(ScheduleRow | NoSchedule) & Looked>(sql.listSchedules, [
    ledgerId,
    after,
    limit + 1,
    stateNumber,
    accountId ?? null,
    most,
  ]);
  const found = rows.flatMap((row) => (row.ledger_id === null ? [] : [scheduleOf(row)]));
  const schedules = found.slice(0, limit);
  if (found.length > limit) return { schedules, next: schedules.at(-1)?.scheduleId };
  const [first] = rows;
  return { schedules, next: first?.looked === most ? (first.last_looked ?? undefined) : undefined };
}

function scheduleOf(row: ScheduleRow): Schedule {
  return {
    ledgerId: row.ledger_id,
    scheduleId: row.schedule_id,
    request: {
      ...decodeMessage(CreateScheduleRequestSchema, row.request),
      requestId: row.request_id,
      scheduleId: row.schedule_id,
    },
    body: row.request,
    exponent: row.exponent,
    actor: row.actor,
    state: named(STATES, row.state),
    pauseReason: row.pause_reason,
    occurrence: row.occurrence_time ?? undefined,
    attempt: row.attempt,
    isBegun: row.is_begun,
    wake: row.wake_time ?? undefined,
    upcoming: row.upcoming.map(BigInt),
    hasMore: row.has_more,
    counts: { posted: row.posted, declined: row.declined, failed: row.failed, skipped: row.skipped },
    total: row.total,
    version: row.version,
    createTime: row.create_time,
    updateTime: row.update_time,
  };
}

function runOf(row: RunRow): Run {
  const outcome = named(OUTCOMES, row.outcome);
  return {
    occurrence: row.occurrence_time,
    attempt: row.attempt,
    outcome,
    transactionId: row.transaction_id ?? '',
    declineReason: outcome === 'declined' ? row.reason : DeclineReason.UNSPECIFIED,
    errorReason: outcome === 'failed' ? row.reason : ErrorReason.UNSPECIFIED,
    runTime: row.run_time,
    count: row.occurrences,
    last: row.last_occurrence_time,
  };
}

/** JSON has no bigint: its texts are read as what the columns are. */
function changeRow({ ledgerId, scheduleId, version, progress, time }: Change) {
  const { counts } = progress;
  return {
    ledger_id: ledgerId,
    schedule_id: scheduleId,
    version: String(version),
    state: STATES.indexOf(progress.state) + 1,
    pause_reason: progress.pauseReason,
    occurrence_time: textOf(progress.occurrence),
    attempt: progress.attempt,
    is_begun: progress.isBegun,
    wake_time: textOf(progress.wake),
    upcoming: progress.upcoming.map(String),
    has_more: progress.hasMore,
    posted: counts.posted,
    declined: counts.declined,
    failed: counts.failed,
    skipped: counts.skipped,
    update_time: String(time),
  };
}

function runRows({ ledgerId, scheduleId, runs }: Change) {
  return runs.map((run) => ({
    ledger_id: ledgerId,
    schedule_id: scheduleId,
    occurrence_time: String(run.occurrence),
    attempt: run.attempt,
    outcome: OUTCOMES.indexOf(run.outcome) + 1,
    transaction_id: run.transactionId === '' ? null : run.transactionId,
    reason: run.outcome === 'failed' ? run.errorReason : run.declineReason,
    run_time: String(run.runTime),
    occurrences: run.count,
    last_occurrence_time: String(run.last),
  }));
}

function textOf(time: bigint | undefined): string | null {
  return time === undefined ? null : String(time);
}

function named<T>(names: readonly T[], number: number): T {
  const name = names[number - 1];
  if (name === undefined) throw new Error('a row of schedules says what this program does not know');
  return name;
}
