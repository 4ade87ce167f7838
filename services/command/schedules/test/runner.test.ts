/** The runner of schedules on a command service and its tables, by a set clock: what is paid, when, and how often. */
import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import {
  CancelScheduleRequestSchema,
  type CreateScheduleRequest,
  CreateScheduleRequestSchema,
  GetScheduleRequestSchema,
  ListScheduleRunsRequestSchema,
  OnDecline,
  OnMissed,
  PauseScheduleRequestSchema,
  ResumeScheduleRequestSchema,
  ScheduleRunOutcome,
  ScheduleState,
} from '../../../../gen/quittance/command/v1/schedule_service_pb.js';
import { ErrorReason } from '../../../../gen/quittance/common/v1/error_reason_pb.js';
import { DeclineReason } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { DAY, SECOND, systemClock, timestampOf } from '../../../../lib/base/time.js';
import { uuidFromBytes } from '../../../../lib/base/uuid.js';
import { createPool, KEYED_PLANS, type Pool } from '../../../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../../../lib/log/postgres-log-reader.js';
import { Wakeups } from '../../../../lib/log/wakeups.js';
import { fail } from '../../../../lib/rpc/errors.js';
import { aCall, CommandProcess, openLedger } from '../../../../test/command-process.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.js';
import type { Job } from '../../application/job.js';
import { notHolder } from '../../application/not-holder.js';
import { ScheduleFigures } from '../figures.js';
import { postgresSchedules } from '../postgres-schedules.js';
import { cancelSchedule, pauseSchedule, resumeSchedule } from '../rpc/change-schedule.js';
import type { ScheduleContext } from '../rpc/context.js';
import { createSchedule } from '../rpc/create-schedule.js';
import { getSchedule, listScheduleRuns } from '../rpc/read-schedules.js';
import { type RunnerDeps, ScheduleRunner } from '../runner.js';
import { SCHEDULES_PER_LEDGER } from '../schedule.js';

const LEDGER = 'main';
const KEY = { ledgerId: LEDGER, scheduleId: 'rent' };

let database: TestDatabase;
let pool: Pool;
let process: CommandProcess;
let now: bigint;
let context: ScheduleContext;
let figures: ScheduleFigures;

beforeEach(async () => {
  database = await createTestDatabase();
  now = (systemClock() / SECOND) * SECOND;
  const clock = () => now;
  process = await CommandProcess.start(database, {
    clock,
    // Its own runner does not come before the test is over.
    schedules_ms: 600_000,
    wrapLog: (log) => ({ ...log, now: () => Promise.resolve(now) }),
  });
  await openLedger(process, LEDGER, ['alice', 'bob']);
  pool = createPool(database.config, { max: 2, name: 'test', options: KEYED_PLANS });
  const { executor, log } = process.part.context;
  const reader = postgresLogReader(pool, new Wakeups());
  context = { store: postgresSchedules(pool), executor, clock, log, reader };
  figures = new ScheduleFigures();
});

afterEach(async () => {
  await pool.end();
  await process.stop();
  await database.drop();
});

function runner(deps: Partial<RunnerDeps> = {}): ScheduleRunner {
  const { store, executor, clock } = context;
  const logger = pino({ level: 'silent' });
  return new ScheduleRunner({ store, executor, clock, logger, figures, interval_ms: 600_000, ...deps });
}

/** Makes all that is due. */
async function makeDue(by = runner()): Promise<void> {
  while ((await by.once()) === 'more');
}

const fund = (minorUnits: bigint) =>
  process.send({
    case: 'deposit',
    value: { ledgerId: LEDGER, requestId: randomUUID(), accountId: 'alice', amount: euro(minorUnits) },
  });

const euro = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });

type Choices = Partial<
  Pick<
    CreateScheduleRequest,
    'scheduleId' | 'requestId' | 'onDecline' | 'retryIntervalSeconds' | 'retryPeriodSeconds' | 'onMissed'
  >
>;

/** Ten from alice to bob, daily, the first in a day. */
async function schedule(choices: Choices = {}, count = 5): Promise<{ requestId: string; times: bigint[] }> {
  const requestId = randomUUID();
  const startTime = timestampOf(now + DAY);
  await createSchedule(context)(
    create(CreateScheduleRequestSchema, {
      ...KEY,
      requestId,
      payment: { payerAccountId: 'alice', payeeAccountId: 'bob', amount: euro(10n) },
      timing: {
        case: 'recurrence',
        value: { rule: `FREQ=DAILY;COUNT=${String(count)}`, timeZone: 'UTC', startTime },
      },
      ...choices,
    }),
    aCall({ actor: 'carol' }),
  );
  return { requestId, times: Array.from({ length: count }, (_, index) => now + BigInt(index + 1) * DAY) };
}

async function shown() {
  const { schedule: found } = await getSchedule(context)(create(GetScheduleRequestSchema, KEY), aCall());
  if (found === undefined) throw new Error('an answer has the schedule');
  return found;
}

async function runs() {
  const answer = await listScheduleRuns(context)(create(ListScheduleRunsRequestSchema, KEY), aCall());
  return [...(answer.runs ?? [])].reverse();
}

/** The payments of the schedule in the log, with what they were decided to. */
async function payments() {
  const page = { after: -1n, through: null, limit: 10_000, ledgerId: LEDGER, streamId: null };
  const events = await context.reader.page(page);
  return events.flatMap(({ event }) => {
    const { payload, requestId } = event;
    if (payload.case !== 'transactionPosted' && payload.case !== 'transactionDeclined') return [];
    if (event.actor !== 'carol') return [];
    return [{ id: uuidFromBytes(requestId), outcome: payload.case }];
  });
}

const posted = async () => (await payments()).filter(({ outcome }) => outcome === 'transactionPosted').length;

test('a payment is made once when its time has come, by whom the schedule is from, under an id that follows', async () => {
  await fund(100n);
  const { times } = await schedule({}, 1);
  await makeDue();
  expect(await payments()).toEqual([]);
  now += DAY;
  await makeDue();
  await makeDue();
  const [payment] = await payments();
  expect(await payments()).toHaveLength(1);
  expect(await runs()).toMatchObject([
    {
      occurrenceTime: timestampOf(times[0] ?? 0n),
      attempt: 1,
      outcome: ScheduleRunOutcome.POSTED,
      transactionId: payment?.id,
    },
  ]);
  expect(await shown()).toMatchObject({ state: ScheduleState.ENDED, postedCount: 1, nextTimes: [] });
  expect(figures.runs).toMatchObject({ posted: 1, unanswered: 0 });
});

describe('where funds lack', () => {
  test('RECORD lists the decline, and the next payment is made in its time', async () => {
    await schedule();
    now += DAY;
    await makeDue();
    await fund(100n);
    now += DAY;
    await makeDue();
    expect(await runs()).toMatchObject([
      { outcome: ScheduleRunOutcome.DECLINED, declineReason: DeclineReason.INSUFFICIENT_FUNDS },
      { outcome: ScheduleRunOutcome.POSTED },
    ]);
    expect(await shown()).toMatchObject({ postedCount: 1, declinedCount: 1, state: ScheduleState.ACTIVE });
  });

  test('RETRY tries it again under another id, until there are funds', async () => {
    await schedule({ onDecline: OnDecline.RETRY, retryIntervalSeconds: 3_600, retryPeriodSeconds: 36_000 });
    now += DAY;
    await makeDue();
    expect((await shown()).nextAttemptTime).toMatchObject({ seconds: (now + 3_600n * SECOND) / SECOND });
    now += 3_600n * SECOND;
    await makeDue();
    await fund(100n);
    await makeDue();
    expect(await posted()).toBe(0);
    now += 3_600n * SECOND;
    await makeDue();
    expect(await runs()).toMatchObject([
      { attempt: 1, outcome: ScheduleRunOutcome.DECLINED },
      { attempt: 2, outcome: ScheduleRunOutcome.DECLINED },
      { attempt: 3, outcome: ScheduleRunOutcome.POSTED },
    ]);
    expect(new Set((await payments()).map(({ id }) => id)).size).toBe(3);
    expect(await shown()).toMatchObject({ postedCount: 1, declinedCount: 0 });
  });

  test('PAUSE makes no more payments until it is resumed, and passes over those of the pause', async () => {
    await schedule({ onDecline: OnDecline.PAUSE });
    now += DAY;
    await makeDue();
    await fund(100n);
    expect(await shown()).toMatchObject({
      state: ScheduleState.PAUSED,
      pauseReason: 'declined: INSUFFICIENT_FUNDS',
    });
    now += 2n * DAY;
    await makeDue();
    expect(await posted()).toBe(0);
    await resumeSchedule(context)(create(ResumeScheduleRequestSchema, KEY), aCall());
    now += DAY;
    await makeDue();
    expect(await posted()).toBe(1);
    expect(await runs()).toMatchObject([
      { outcome: ScheduleRunOutcome.DECLINED },
      { outcome: ScheduleRunOutcome.SKIPPED, occurrenceCount: 2, attempt: 0 },
      { outcome: ScheduleRunOutcome.POSTED },
    ]);
  });
});

describe('a service that was down for three times', () => {
  test.each([
    [OnMissed.MAKE_EACH, 3, 0],
    [OnMissed.MAKE_LAST, 1, 2],
    [OnMissed.SKIP, 0, 3],
  ])('by policy %s makes %s payments and skips %s', async (onMissed, made, skipped) => {
    await fund(100n);
    await schedule({ onMissed });
    now += 4n * DAY - 3_600n * SECOND;
    await makeDue();
    expect(await posted()).toBe(made);
    expect(await shown()).toMatchObject({ postedCount: made, skippedCount: skipped });
    now += 3_600n * SECOND;
    await makeDue();
    expect(await posted()).toBe(made + 1);
  });
});

describe('a process that dies', () => {
  /** A store whose process dies before its n-th save. */
  function dying(saves: number): RunnerDeps['store'] {
    const { store } = context;
    let left = saves;
    return {
      due: (...given) => store.due(...given),
      get: (key) => store.get(key),
      save: (changes) => {
        if (left === 0) return Promise.reject(new Error('the process is dead'));
        left -= 1;
        return store.save(changes);
      },
    };
  }

  test('between the commit and the note of it has paid once, though its time has been missed since', async () => {
    await fund(100n);
    await schedule({ onMissed: OnMissed.SKIP }, 1);
    now += DAY;
    await runner({ store: dying(1) }).once();
    expect(await posted()).toBe(1);
    expect(await runs()).toEqual([]);
    now += 10n * DAY;
    await makeDue();
    expect(await posted()).toBe(1);
    expect(await runs()).toMatchObject([{ outcome: ScheduleRunOutcome.POSTED }]);
  });

  test('before it has noted that it begins has paid nothing', async () => {
    await fund(100n);
    await schedule({}, 1);
    now += DAY;
    await runner({ store: dying(0) }).once();
    expect(await posted()).toBe(0);
    await makeDue();
    expect(await posted()).toBe(1);
  });

  test('at any moment leaves no payment out with MAKE_EACH, and makes none twice', async () => {
    const count = 30;
    await fund(1_000n);
    const { requestId } = await schedule({}, count);
    const other = randomUUID();
    await schedule({ scheduleId: 'other', requestId: other, onDecline: OnDecline.RETRY }, count);
    // A fixed sequence: which save of its process fails, and how far the clock goes on.
    let seed = 12_345;
    const next = (most: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % most;
    };
    for (let round = 0; round < 60; round += 1) {
      now += BigInt(next(2 * 86_400)) * SECOND;
      const dead = runner({ store: dying(next(6)) });
      for (let turn = 0; turn < 4; turn += 1) await dead.once();
    }
    now += BigInt(count + 1) * DAY;
    await makeDue();
    const made = await payments();
    expect(made).toHaveLength(2 * count);
    expect(new Set(made.map(({ id }) => id)).size).toBe(2 * count);
    expect(await posted()).toBe(2 * count);
    expect(await shown()).toMatchObject({ postedCount: count, state: ScheduleState.ENDED });
    expect(requestId).not.toBe(other);
  }, 60_000);
});

describe('a process that loses the lease', () => {
  /** An executor that answers as one without the lease does from a moment on. */
  const losing = (isServing: () => boolean): RunnerDeps['executor'] => ({
    get isServing() {
      return isServing();
    },
    submit: (job: Job) => job.answer(notHolder()),
  });

  test('in mid-payment leaves it to the next holder, which makes it at once', async () => {
    await fund(100n);
    await schedule({}, 1);
    now += DAY;
    let looks = 0;
    await runner({ executor: losing(() => (looks += 1) === 1) }).once();
    expect(await posted()).toBe(0);
    await makeDue();
    expect(await posted()).toBe(1);
    expect(await runs()).toHaveLength(1);
  });

  test('makes nothing', async () => {
    await schedule({}, 1);
    now += DAY;
    expect(await runner({ executor: losing(() => false) }).once()).toBe('done');
    expect(await runs()).toEqual([]);
    const lag = 7n * SECOND;
    expect(await context.store.totals(now + lag)).toEqual({ active: 1, paused: 0, due: 1, lag });
  });

  test('while another one has made the payment adds nothing', async () => {
    await fund(100n);
    await schedule({}, 2);
    now += DAY;
    const { store } = context;
    const late = runner({
      store: {
        due: (...given) => store.due(...given),
        get: (key) => store.get(key),
        save: async (changes) => {
          // Between its commit and its note the other one has made and noted the same.
          if (changes.some(({ runs: noted }) => noted.length > 0)) await makeDue();
          return store.save(changes);
        },
      },
    });
    await late.once();
    expect(await posted()).toBe(1);
    expect(await runs()).toHaveLength(1);
    expect(await shown()).toMatchObject({ postedCount: 1 });
  });
});

describe('a call while a payment is under way', () => {
  /** An executor that runs something before it decides. */
  const slowed = (before: () => Promise<unknown>): RunnerDeps['executor'] => ({
    isServing: true,
    submit: (job) => {
      void before().then(() => context.executor.submit(job));
    },
  });

  test.each([
    [
      'pauses',
      () => pauseSchedule(context)(create(PauseScheduleRequestSchema, KEY), aCall()),
      ScheduleState.PAUSED,
    ],
    [
      'cancels',
      () => cancelSchedule(context)(create(CancelScheduleRequestSchema, KEY), aCall()),
      ScheduleState.CANCELLED,
    ],
  ])('%s the schedule, and the payment is noted', async (_, change, state) => {
    await fund(100n);
    await schedule({}, 3);
    now += DAY;
    await runner({ executor: slowed(change) }).once();
    now += 5n * DAY;
    await makeDue();
    expect(await posted()).toBe(1);
    expect(await runs()).toMatchObject([{ outcome: ScheduleRunOutcome.POSTED }]);
    expect(await shown()).toMatchObject({ state, postedCount: 1 });
  });
});

test('an account that was closed later declines, and is not tried again', async () => {
  await schedule({ onDecline: OnDecline.RETRY }, 2);
  const accountId = 'bob';
  await process.send({
    case: 'closeAccount',
    value: { ledgerId: LEDGER, requestId: randomUUID(), accountId },
  });
  now += DAY;
  await makeDue();
  expect(await runs()).toMatchObject([
    { outcome: ScheduleRunOutcome.DECLINED, declineReason: DeclineReason.ACCOUNT_CLOSED },
  ]);
  expect(await shown()).toMatchObject({ declinedCount: 1, state: ScheduleState.ACTIVE });
});

test('a ledger has so many schedules that are active or paused, and those that have ended do not count', async () => {
  await schedule({}, 1);
  await pool.query(
    `insert into schedules.schedules
     select (jsonb_populate_record(s, jsonb_build_object('schedule_id', 'many-' || n, 'request_id', gen_random_uuid()))).*
     from schedules.schedules s cross join generate_series(1, ${String(SCHEDULES_PER_LEDGER - 1)}) n`,
  );
  const another = () => schedule({ scheduleId: 'another', requestId: randomUUID() });
  await expect(another()).rejects.toMatchObject({ reason: ErrorReason.TOO_MANY_SCHEDULES });
  await cancelSchedule(context)(create(CancelScheduleRequestSchema, KEY), aCall());
  await another();
});

test('a payment that is refused with an error pauses its schedule', async () => {
  await schedule({}, 2);
  now += DAY;
  const unknown = fail(ErrorReason.LEDGER_NOT_FOUND, 'the ledger is gone');
  await runner({ executor: { isServing: true, submit: (job) => job.answer(unknown) } }).once();
  expect(await runs()).toMatchObject([
    { outcome: ScheduleRunOutcome.FAILED, errorReason: ErrorReason.LEDGER_NOT_FOUND, transactionId: '' },
  ]);
  expect(await shown()).toMatchObject({
    state: ScheduleState.PAUSED,
    pauseReason: 'refused: LEDGER_NOT_FOUND',
    failedCount: 1,
  });
});

test('a schedule whose payment is not answered keeps none of the others', async () => {
  await fund(100n);
  await schedule({}, 1);
  await schedule({ scheduleId: 'other', requestId: randomUUID() }, 1);
  now += DAY;
  const full = fail(ErrorReason.QUEUE_FULL, 'the command queue is full');
  let isFirst = true;
  const busy: RunnerDeps['executor'] = {
    isServing: true,
    submit: (job) => {
      if (isFirst) job.answer(full);
      else context.executor.submit(job);
      isFirst = false;
    },
  };
  await runner({ executor: busy }).once();
  expect(await posted()).toBe(1);
  expect(figures.runs).toMatchObject({ posted: 1, unanswered: 1 });
  now += 5n * SECOND;
  await makeDue();
  expect(await posted()).toBe(2);
});
