/** The words of schedules: what was asked for, and how far it is. */
import type { CreateScheduleRequest } from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import type { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { DeclineReason } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Micros } from '../../../lib/base/time.js';

/** Which schedule. */
export interface ScheduleKey {
  readonly ledgerId: string;
  readonly scheduleId: string;
}

export type State = 'active' | 'paused' | 'ended' | 'cancelled';

/** Of how many times what came. */
export interface Counts {
  readonly posted: number;
  readonly declined: number;
  readonly failed: number;
  readonly skipped: number;
}

/** How far a schedule is. */
export interface Progress {
  readonly state: State;
  /** Empty unless it is paused. */
  readonly pauseReason: string;
  /** The time at hand: the next one, or the one whose payment is under way or tried again; undefined if none is left. */
  readonly occurrence: Micros | undefined;
  /** The number of the attempt that comes next, from 1 on. */
  readonly attempt: number;
  /** Whether this attempt may have been sent: then it is sent until there is an answer, in every state. */
  readonly isBegun: boolean;
  /** When the runner is to look at it; undefined: not at all. */
  readonly wake: Micros | undefined;
  /** The times after `occurrence`, as far as they were worked out. */
  readonly upcoming: readonly Micros[];
  /** Whether the rule has more times than these. */
  readonly hasMore: boolean;
  readonly counts: Counts;
}

/** A schedule as it stands. */
export interface Schedule extends ScheduleKey, Progress {
  /** What was asked for, in full: with the ids, without validate_only. */
  readonly request: CreateScheduleRequest;
  /** The same in canonical form, as it was given. */
  readonly body: Uint8Array;
  /** How many decimal digits of the currency the minor unit is. */
  readonly exponent: number;
  readonly actor: string;
  /** How many times it has in all. */
  readonly total: number;
  /** Rises with each change of the row: a change names the one that it was worked out from. */
  readonly version: bigint;
  readonly createTime: Micros;
  readonly updateTime: Micros;
}

/** What a payment came to. */
export type Settlement =
  | { readonly outcome: 'posted' }
  | { readonly outcome: 'declined'; readonly reason: DeclineReason }
  | { readonly outcome: 'failed'; readonly reason: ErrorReason };

/** Times in a row that were skipped. */
export interface Skipped {
  readonly first: Micros;
  readonly last: Micros;
  readonly count: number;
}

/** A row of the list of runs. */
export interface Run {
  readonly occurrence: Micros;
  /** 0 if it was skipped. */
  readonly attempt: number;
  readonly outcome: Settlement['outcome'] | 'skipped';
  /** Empty if there is none. */
  readonly transactionId: string;
  /** UNSPECIFIED unless it was declined. */
  readonly declineReason: DeclineReason;
  /** UNSPECIFIED unless it was refused with an error. */
  readonly errorReason: ErrorReason;
  readonly runTime: Micros;
  /** How many times it stands for. */
  readonly count: number;
  readonly last: Micros;
}

/** Schedules of a ledger that are active or paused, at most. */
export const SCHEDULES_PER_LEDGER = 10_000;
