/** The port of the tables of schedules. Each method is one statement. */
import type { Micros } from '../../../lib/base/time.js';
import type { Progress, Run, Schedule, ScheduleKey, State } from './schedule.js';

/** A schedule to create. */
export interface NewSchedule extends ScheduleKey, Progress {
  readonly requestId: string;
  /** Its CreateScheduleRequest in canonical form. */
  readonly body: Uint8Array;
  readonly payerAccountId: string;
  readonly payeeAccountId: string;
  readonly exponent: number;
  readonly actor: string;
  readonly total: number;
  readonly createTime: Micros;
}

/** How a schedule has moved on from a version, and what became of its times. */
export interface Change extends ScheduleKey {
  readonly version: bigint;
  readonly progress: Progress;
  readonly time: Micros;
  readonly runs: readonly Run[];
}

/** Which schedules to list, after an id. */
export interface ScheduleQuery {
  readonly ledgerId: string;
  readonly after: string;
  readonly limit: number;
  readonly state: State | undefined;
  /** Payer or payee; undefined: any. */
  readonly accountId: string | undefined;
}

/** Some schedules, and the id after which the list goes on; undefined at its end. */
export interface SchedulePage {
  readonly schedules: readonly Schedule[];
  readonly next: string | undefined;
}

/** The place of a run in the list of a schedule. */
export interface RunPlace {
  readonly occurrence: Micros;
  readonly attempt: number;
}

/** Figures over all schedules. */
export interface ScheduleTotals {
  readonly active: number;
  readonly paused: number;
  /** Those that the runner has to look at now. */
  readonly due: number;
  /** For how long the first of them has been due, microseconds; 0 if none is. */
  readonly lag: Micros;
}

export interface ScheduleStore {
  /** False: the ledger has one of this id or of this request, or has as many as it may. */
  create(schedule: NewSchedule): Promise<boolean>;
  /** The one that a request has created. */
  findByRequest(ledgerId: string, requestId: string): Promise<Schedule | undefined>;
  get(key: ScheduleKey): Promise<Schedule | undefined>;
  list(query: ScheduleQuery): Promise<SchedulePage>;
  /** The latest first; those before a place, or from the latest on. */
  runs(key: ScheduleKey, before: RunPlace | undefined, limit: number): Promise<readonly Run[]>;
  /** Those that are due at a time, the longest due first. */
  due(now: Micros, limit: number): Promise<readonly Schedule[]>;
  /** Saves changes; those whose schedule has another version by then are left out. Returns the ids of those saved. */
  save(changes: readonly Change[]): Promise<readonly ScheduleKey[]>;
  totals(now: Micros): Promise<ScheduleTotals>;
}
