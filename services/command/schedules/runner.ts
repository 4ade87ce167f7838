/**
 * Makes the payments of schedules when they fall due: as ordinary commands, under request ids that follow from the schedule, the time
 * and the attempt. A payment is noted as begun before it is sent, and is sent until there is an answer: so a time is never skipped
 * whose payment may be in the log, and a payment that was sent twice is decided once. Runs where commands are decided.
 */
import { randomBytes } from 'node:crypto';
import { Code } from '@connectrpc/connect';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { DeclineReason } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { CallError, toCallError } from '../../../lib/rpc/errors.js';
import type { Log } from '../../../lib/base/logging.js';
import { Repeated } from '../../../lib/base/repeated.js';
import { SECOND, type Clock, type Micros } from '../../../lib/base/time.js';
import type { Executor } from '../application/executor.js';
import type { Outcome } from '../application/job.js';
import { requestOf } from '../rpc/submit.js';
import type { ScheduleFigures } from './figures.js';
import { policyOf } from './policy.js';
import { due, settled } from './progress.js';
import type { Progress, Run, Schedule, Settlement, Skipped } from './schedule.js';
import { scheduledPayment } from './scheduled-payment.js';
import type { Change, ScheduleStore } from './store.js';
import { moreOf } from './times.js';

export interface RunnerDeps {
  readonly store: Pick<ScheduleStore, 'due' | 'get' | 'save'>;
  readonly executor: Pick<Executor, 'isServing' | 'submit'>;
  readonly clock: Clock;
  readonly logger: Log;
  readonly figures: ScheduleFigures;
  /** How often it looks for what is due, milliseconds. */
  readonly interval_ms: number;
}

/** An attempt whose outcome is known, or whose answer failed. */
interface Made {
  readonly schedule: Schedule;
  readonly transactionId: string;
  readonly settlement: Settlement | undefined;
  readonly failure: unknown;
}

/** Schedules per round at most. */
const ROUND_MAX = 100;
/** A schedule whose payment was not answered lets the others go first. */
const POSTPONED: Micros = 5n * SECOND;
/** An outcome is written again where a call has changed its schedule meanwhile; a caller would have to be that fast each time. */
const SAVES_MAX = 10;
/** Errors that the same command would get again. All others are of the moment: it is sent again. */
const FINAL: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.FailedPrecondition,
  Code.OutOfRange,
]);

export class ScheduleRunner {
  readonly #deps: RunnerDeps;
  readonly #rounds: Repeated;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
    this.#rounds = new Repeated({
      interval_ms: deps.interval_ms,
      logger: deps.logger,
      texts: {
        failed: 'payments of schedules could not be made; the runner of schedules tries again',
        ended: 'the runner of schedules makes payments again',
      },
      work: () => this.#round(),
    });
  }

  /** Makes what falls due until `stop`. */
  start(): void {
    this.#rounds.begin();
  }

  /** One round. It does not throw: a failure is reported, and what it concerns is tried again. */
  once(): Promise<'done' | 'more'> {
    return this.#rounds.once();
  }

  /** Resolves when the round under way has ended. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** @throws the first failure, when all payments of the round have been dealt with */
  async #round(): Promise<'done' | 'more'> {
    const { store, clock } = this.#deps;
    if (!this.#isServing()) return 'done';
    const found = await store.due(clock(), ROUND_MAX);
    if (found.length === 0) return 'done';
    const failures: unknown[] = [];
    const begun = await this.#begin(found, failures);
    const made = await Promise.all(begun.map((schedule) => this.#make(schedule)));
    failures.push(...made.flatMap(({ settlement, failure }) => (settlement === undefined ? [failure] : [])));
    // Without the lease another process goes on, and at once.
    if (this.#isServing()) await this.#postpone(made.filter(({ settlement }) => settlement === undefined));
    const known = made.filter(({ settlement }) => settlement !== undefined);
    await this.#record(known, failures);
    if (failures.length > 0) throw failures[0];
    return 'more';
  }

  #isServing(): boolean {
    return this.#deps.executor.isServing;
  }

  /** Notes what is sent now and what was skipped. Returns what is to be sent. */
  async #begin(found: readonly Schedule[], failures: unknown[]): Promise<Schedule[]> {
    const now = this.#deps.clock();
    const changes: Change[] = [];
    const begun: Schedule[] = [];
    for (const schedule of found) {
      if (schedule.isBegun) {
        begun.push(schedule);
        continue;
      }
      try {
        const step = due(schedule, policyOf(schedule.request), now, moreOf(schedule));
        changes.push(changeOf(schedule, step.progress, now, skippedRuns(step.skipped, now)));
      } catch (error) {
        failures.push(error);
        changes.push(changeOf(schedule, { ...schedule, wake: now + POSTPONED }, now, []));
      }
    }
    const saved = await this.#save(changes);
    const byKey = new Map(found.map((schedule) => [keyOf(schedule), schedule]));
    for (const change of saved) {
      const schedule = byKey.get(keyOf(change));
      if (schedule === undefined || !change.progress.isBegun) continue;
      begun.push({ ...schedule, ...change.progress, version: schedule.version + 1n });
    }
    return begun;
  }

  /** Sends the payment of a schedule, and waits for its decision. */
  async #make(schedule: Schedule): Promise<Made> {
    const { request, occurrence, attempt, actor } = schedule;
    if (occurrence === undefined) throw new Error('a schedule that is due has a time');
    const payment = scheduledPayment(request, occurrence, attempt);
    try {
      const value = requestOf(
        { case: 'submitPayment', value: payment },
        { actor, traceId: randomBytes(16).toString('hex') },
      );
      const outcome = await this.#decided(value);
      return {
        schedule,
        transactionId: payment.requestId,
        settlement: settlementOf(outcome),
        failure: outcome,
      };
    } catch (error) {
      const failure = toCallError(error);
      return { schedule, transactionId: '', settlement: settlementOf(failure), failure };
    }
  }

  #decided(request: ReturnType<typeof requestOf>): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#deps.executor.submit({
        isAtomic: false,
        requests: [request],
        caller: undefined,
        answer: (result) => {
          const outcome = result instanceof CallError ? result : result[0];
          if (outcome === undefined) reject(new Error('a command is answered with its decision'));
          else resolve(outcome);
        },
      });
    });
  }

  async #postpone(unanswered: readonly Made[]): Promise<void> {
    const now = this.#deps.clock();
    this.#deps.figures.ran('unanswered', unanswered.length);
    await this.#save(
      unanswered.map(({ schedule }) => changeOf(schedule, { ...schedule, wake: now + POSTPONED }, now, [])),
    );
  }

  /** Notes the outcomes. Where a call has changed a schedule meanwhile, its outcome is noted on what the call has left. */
  async #record(made: readonly Made[], failures: unknown[]): Promise<void> {
    let open = made;
    for (let saves = 0; open.length > 0 && saves < SAVES_MAX; saves += 1) {
      const now = this.#deps.clock();
      const changes = open.flatMap((each) => outcomeChange(each, now, failures));
      const saved = new Set((await this.#save(changes)).map(keyOf));
      const read = await Promise.all(
        open.filter(({ schedule }) => !saved.has(keyOf(schedule))).map((each) => this.#reread(each)),
      );
      open = read.flatMap((each) => (each === undefined ? [] : [each]));
    }
  }

  /** The attempt on its schedule as it is by now; undefined if another process has noted the outcome. */
  async #reread(made: Made): Promise<Made | undefined> {
    const { schedule } = made;
    const now = await this.#deps.store.get(schedule);
    const isSame =
      now?.isBegun === true && now.occurrence === schedule.occurrence && now.attempt === schedule.attempt;
    return isSame ? { ...made, schedule: now } : undefined;
  }

  /** Saves changes, and counts the runs of those that were saved. */
  async #save(changes: readonly Change[]): Promise<Change[]> {
    if (changes.length === 0) return [];
    const saved = new Set((await this.#deps.store.save(changes)).map(keyOf));
    const kept = changes.filter((change) => saved.has(keyOf(change)));
    for (const { outcome, count } of kept.flatMap(({ runs }) => runs)) this.#deps.figures.ran(outcome, count);
    return kept;
  }
}

/** Times that were skipped, as the list of runs has them. */
export function skippedRuns(skipped: Skipped | undefined, runTime: Micros): Run[] {
  if (skipped === undefined) return [];
  const { first, last, count } = skipped;
  return [
    {
      occurrence: first,
      attempt: 0,
      outcome: 'skipped',
      transactionId: '',
      declineReason: DeclineReason.UNSPECIFIED,
      errorReason: ErrorReason.UNSPECIFIED,
      runTime,
      count,
      last,
    },
  ];
}

/** A schedule that has moved on. */
export function changeOf(
  { ledgerId, scheduleId, version }: Schedule,
  progress: Progress,
  time: Micros,
  runs: readonly Run[],
): Change {
  return { ledgerId, scheduleId, version, progress, time, runs };
}

/** What an outcome leaves; if what follows cannot be worked out, the payment is sent again later, and answered the same. */
function outcomeChange(
  { schedule, settlement, transactionId }: Made,
  now: Micros,
  failures: unknown[],
): Change[] {
  const { occurrence, attempt, request } = schedule;
  if (settlement === undefined || occurrence === undefined) return [];
  const run: Run = {
    occurrence,
    attempt,
    outcome: settlement.outcome,
    transactionId: settlement.outcome === 'failed' ? '' : transactionId,
    declineReason: settlement.outcome === 'declined' ? settlement.reason : DeclineReason.UNSPECIFIED,
    errorReason: settlement.outcome === 'failed' ? settlement.reason : ErrorReason.UNSPECIFIED,
    runTime: now,
    count: 1,
    last: occurrence,
  };
  try {
    const progress = settled(schedule, policyOf(request), settlement, now, moreOf(schedule));
    return [changeOf(schedule, progress, now, [run])];
  } catch (error) {
    failures.push(error);
    return [changeOf(schedule, { ...schedule, wake: now + POSTPONED }, now, [])];
  }
}

/** Undefined where nothing is known: the payment is sent again. */
function settlementOf(outcome: Outcome): Settlement | undefined {
  if (outcome instanceof CallError) {
    return FINAL.has(outcome.code) ? { outcome: 'failed', reason: outcome.reason } : undefined;
  }
  const payload = outcome.events[0]?.payload;
  switch (payload?.case) {
    case 'transactionPosted':
      return { outcome: 'posted' };
    case 'transactionDeclined':
      return { outcome: 'declined', reason: payload.value.reason };
    default:
      throw new Error('SubmitPayment comes to a transaction');
  }
}

function keyOf({ ledgerId, scheduleId }: { readonly ledgerId: string; readonly scheduleId: string }): string {
  return `${ledgerId} ${scheduleId}`;
}
