/** Schedules over both doors: what is created, refused, listed, paused and cancelled, and a payment that is made in its time. */
import { randomUUID } from 'node:crypto';
import { ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BadRequestSchema, ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  OnDecline,
  OnMissed,
  ScheduleRunOutcome,
  ScheduleService,
  ScheduleState,
} from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { DAY, microsOf, SECOND, systemClock, timestampOf } from '../../../lib/base/time.js';
import { endingOf, proveBooks, until } from '../../../test/load.js';
import { startPlatform, type TestPlatform } from './platform.js';

const FRESH = { requirement: { case: 'fullyConsistent' as const, value: true } };
const FIRST = (systemClock() / SECOND + 86_400n) * SECOND;

let platform: TestPlatform;

beforeAll(async () => {
  platform = await startPlatform();
});

afterAll(() => platform.stop());

/** The reason of a call that fails, and the fields that it names. */
async function refusalOf(call: Promise<unknown>): Promise<{ reason: string; fields: string[] }> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectError))
    throw new Error('the call did not fail with an answer', { cause: error });
  const violations = error.findDetails(BadRequestSchema)[0]?.fieldViolations ?? [];
  return {
    reason: error.findDetails(ErrorInfoSchema)[0]?.reason ?? '',
    fields: violations.map(({ field }) => field),
  };
}

describe.each(['grpc', 'connect'] as const)('over %s', (door) => {
  const ledgerId = `schedules-${door}`;
  const schedules = () => platform[door](ScheduleService);
  const payment = {
    payerAccountId: 'alice',
    payeeAccountId: 'shop',
    amount: { currency: 'EUR', minorUnits: 10n },
  };
  const recurrence = (rule: string, timeZone = 'UTC') => ({
    case: 'recurrence' as const,
    value: { rule, timeZone, startTime: timestampOf(FIRST) },
  });
  const DAILY = recurrence('FREQ=DAILY;COUNT=12');
  const request = <const C extends object>(choices: C) => ({
    ledgerId,
    requestId: randomUUID(),
    payment,
    timing: DAILY,
    ...choices,
  });

  beforeAll(async () => {
    await platform[door](LedgerCommandService).createLedger({ ledgerId, requestId: randomUUID() });
    const { openAccount } = platform[door](AccountCommandService);
    for (const accountId of ['alice', 'shop', 'bank'])
      await openAccount({ ledgerId, requestId: randomUUID(), accountId, currency: 'EUR' });
    await openAccount({ ledgerId, requestId: randomUUID(), accountId: 'tokyo', currency: 'JPY' });
    const amount = { currency: 'EUR', minorUnits: 1_000n };
    await platform[door](TransactionCommandService).deposit({
      ledgerId,
      requestId: randomUUID(),
      accountId: 'alice',
      amount,
    });
  });

  /** A schedule of one payment in a moment, which is longer where the call takes longer. */
  async function createdSoon() {
    for (let ahead = SECOND; ; ahead *= 2n) {
      const at = systemClock() + ahead;
      const timing = { case: 'at', value: timestampOf(at) } as const;
      const soon = request({ scheduleId: 'once', timing });
      const creating = schedules().createSchedule(soon);
      const ending = await endingOf(creating);
      if (ending === 'SCHEDULE_IN_PAST') continue;
      return { schedule: (await creating).schedule, at, requestId: soon.requestId };
    }
  }

  test('a payment is made in its time, once, and is found by the schedule', async () => {
    const { schedule, at, requestId } = await createdSoon();
    expect(schedule).toMatchObject({
      state: ScheduleState.ACTIVE,
      nextTimes: [{ seconds: at / SECOND }],
      occurrenceCount: 1,
      onDecline: OnDecline.RECORD,
      onMissed: OnMissed.MAKE_EACH,
      lateAfterSeconds: 3_600,
      actor: 'anonymous',
      requestId,
      payment: { amount: { currency: 'EUR', minorUnits: 10n, exponent: 2 } },
    });
    const key = { ledgerId, scheduleId: 'once' };
    await until('the schedule has ended', async () => {
      const now = await schedules().getSchedule(key);
      return now.schedule?.state === ScheduleState.ENDED;
    });
    const { runs } = await schedules().listScheduleRuns(key);
    expect(runs).toMatchObject([
      { outcome: ScheduleRunOutcome.POSTED, attempt: 1, occurrenceCount: 1, occurrenceTime: timestampOf(at) },
    ]);
    const [run] = runs;
    const { transactions } = await platform[door](TransactionQueryService).listTransactions({
      ledgerId,
      metadata: [{ key: 'quittance.schedule_id', value: 'once' }],
      consistency: FRESH,
    });
    expect(transactions).toMatchObject([
      { transactionId: run?.transactionId, status: TransactionStatus.POSTED },
    ]);
    expect(microsOf(run?.runTime ?? timestampOf(0n))).toBeGreaterThanOrEqual(at);
    expect(await refusalOf(schedules().pauseSchedule(key))).toMatchObject({ reason: 'SCHEDULE_ENDED' });
    expect(await refusalOf(schedules().cancelSchedule(key))).toMatchObject({ reason: 'SCHEDULE_ENDED' });
  });

  test('the same request creates one schedule, and another one under its id or name is refused', async () => {
    const first = request({ scheduleId: 'same', payment: { ...payment, metadata: { b: '2', a: '1' } } });
    const created = await schedules().createSchedule(first);
    const again = { ...first, payment: { ...payment, metadata: { a: '1', b: '2' } } };
    expect(await schedules().createSchedule(again)).toEqual({ ...created, replayed: true });
    const { requestId } = first;
    const other = recurrence('FREQ=DAILY;COUNT=13');
    expect(await refusalOf(schedules().createSchedule({ ...first, timing: other }))).toMatchObject({
      reason: 'REQUEST_ID_REUSED',
      fields: ['recurrence'],
    });
    const renamed = schedules().createSchedule({ ...first, scheduleId: 'renamed' });
    expect(await refusalOf(renamed)).toEqual({ reason: 'REQUEST_ID_REUSED', fields: ['schedule_id'] });
    expect(await refusalOf(schedules().createSchedule(request({ scheduleId: 'same' })))).toEqual({
      reason: 'SCHEDULE_ALREADY_EXISTS',
      fields: [],
    });
    const { schedule } = await schedules().createSchedule(request({ requestId: randomUUID() }));
    expect(schedule?.scheduleId).toMatch(/^[0-9a-f-]{36}$/);
    expect(schedule?.scheduleId).not.toBe(requestId);
  });

  test('a preview shows the times, and stores nothing', async () => {
    const preview = request({ scheduleId: 'preview', validateOnly: true });
    const { schedule } = await schedules().createSchedule(preview);
    expect(schedule?.nextTimes.map(microsOf)).toEqual(
      Array.from({ length: 10 }, (_, index) => FIRST + BigInt(index) * DAY),
    );
    expect(await refusalOf(schedules().getSchedule({ ledgerId, scheduleId: 'preview' }))).toMatchObject({
      reason: 'SCHEDULE_NOT_FOUND',
    });
  });

  test.each<[reason: string, field: string | undefined, choices: object]>([
    ['LEDGER_NOT_FOUND', undefined, { ledgerId: 'nowhere' }],
    ['ACCOUNT_NOT_FOUND', undefined, { payment: { ...payment, payerAccountId: 'nobody' } }],
    ['CURRENCY_MISMATCH', undefined, { payment: { ...payment, payeeAccountId: 'tokyo' } }],
    [
      'UNKNOWN_CURRENCY',
      'payment.amount.currency',
      { payment: { ...payment, amount: { currency: 'QQQ', minorUnits: 1n } } },
    ],
    ['INVALID_FIELD', 'payment', { payment: { ...payment, payeeAccountId: 'alice' } }],
    [
      'INVALID_FIELD',
      'payment.metadata["quittance.schedule_id"]',
      { payment: { ...payment, metadata: { 'quittance.schedule_id': 'x' } } },
    ],
    ['INVALID_FIELD', 'retry_interval_seconds', { retryIntervalSeconds: 60 }],
    [
      'INVALID_FIELD',
      'retry_period_seconds',
      { onDecline: OnDecline.RETRY, retryIntervalSeconds: 3_600, retryPeriodSeconds: 60 },
    ],
    [
      'INVALID_FIELD',
      'retry_period_seconds',
      { onDecline: OnDecline.RETRY, retryIntervalSeconds: 60, retryPeriodSeconds: 6_001 },
    ],
    ['SCHEDULE_IN_PAST', 'at', { timing: { case: 'at', value: { seconds: 1n } } }],
    [
      'SCHEDULE_IN_PAST',
      'recurrence.start_time',
      { timing: { case: 'recurrence', value: { ...DAILY.value, startTime: { seconds: 1n } } } },
    ],
    ['SCHEDULE_RULE_INVALID', 'recurrence.rule', { timing: recurrence('every month') }],
    ['SCHEDULE_RULE_ENDLESS', 'recurrence.rule', { timing: recurrence('FREQ=MONTHLY') }],
    [
      'SCHEDULE_RULE_EMPTY',
      'recurrence.rule',
      { timing: recurrence('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1') },
    ],
    ['SCHEDULE_RULE_TOO_FREQUENT', 'recurrence.rule', { timing: recurrence('FREQ=SECONDLY;COUNT=2') }],
    ['SCHEDULE_RULE_TOO_LONG', 'recurrence.rule', { timing: recurrence('FREQ=DAILY;COUNT=10001') }],
    [
      'UNKNOWN_TIME_ZONE',
      'recurrence.time_zone',
      { timing: recurrence('FREQ=DAILY;COUNT=2', 'Europe/Atlantis') },
    ],
  ])('%s is answered, naming %s', async (reason, field, choices) => {
    const refusal = await refusalOf(schedules().createSchedule(request(choices)));
    expect(refusal.reason).toBe(reason);
    if (field !== undefined) expect(refusal.fields).toContain(field);
  });

  test('lists page by id, filter by state and account, and name an unknown ledger', async () => {
    const ids = ['list-a', 'list-b', 'list-c'];
    for (const scheduleId of ids)
      await schedules().createSchedule(
        request({ scheduleId, payment: { ...payment, payeeAccountId: 'bank' } }),
      );
    await schedules().pauseSchedule({ ledgerId, scheduleId: 'list-b', reason: 'holidays' });
    const listed: string[] = [];
    let pageToken = '';
    do {
      const page = await schedules().listSchedules({ ledgerId, accountId: 'bank', pageSize: 2, pageToken });
      listed.push(...page.schedules.map(({ scheduleId }) => scheduleId));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(listed).toEqual(ids);
    const whole = await schedules().listSchedules({ ledgerId, accountId: 'bank', pageSize: ids.length });
    expect(whole).toMatchObject({ schedules: [{}, {}, {}], nextPageToken: '' });
    const { schedules: all } = await schedules().listSchedules({ ledgerId, pageSize: 1000 });
    const first = await schedules().listSchedules({ ledgerId, pageSize: all.length - 1 });
    const rest = await schedules().listSchedules({
      ledgerId,
      pageSize: all.length - 1,
      pageToken: first.nextPageToken,
    });
    expect([...first.schedules, ...rest.schedules]).toEqual(all);
    expect(rest.nextPageToken).toBe('');
    const state = ScheduleState.PAUSED;
    const paused = await schedules().listSchedules({ ledgerId, accountId: 'bank', state });
    expect(paused.schedules).toMatchObject([{ scheduleId: 'list-b', pauseReason: 'holidays' }]);
    expect(await refusalOf(schedules().listSchedules({ ledgerId, pageToken: 'x' }))).toMatchObject({
      reason: 'INVALID_PAGE_TOKEN',
    });
    expect(await refusalOf(schedules().listSchedules({ ledgerId: 'nowhere' }))).toMatchObject({
      reason: 'LEDGER_NOT_FOUND',
    });
    expect((await schedules().listSchedules({ ledgerId, accountId: 'tokyo' })).schedules).toEqual([]);
  });

  test('a schedule is paused, resumed and cancelled, and not found if there is none', async () => {
    const key = { ledgerId, scheduleId: 'steered' };
    await schedules().createSchedule(request({ scheduleId: 'steered' }));
    const paused = await schedules().pauseSchedule(key);
    expect(paused.schedule).toMatchObject({ state: ScheduleState.PAUSED, pauseReason: 'paused by a call' });
    const resumed = await schedules().resumeSchedule(key);
    expect(resumed.schedule).toMatchObject({ state: ScheduleState.ACTIVE, skippedCount: 0, pauseReason: '' });
    expect((await schedules().resumeSchedule(key)).schedule).toEqual(resumed.schedule);
    const cancelled = await schedules().cancelSchedule(key);
    expect(cancelled.schedule).toMatchObject({ state: ScheduleState.CANCELLED, nextTimes: [] });
    expect((await schedules().cancelSchedule(key)).schedule).toEqual(cancelled.schedule);
    expect(await refusalOf(schedules().resumeSchedule(key))).toMatchObject({ reason: 'SCHEDULE_ENDED' });
    const { runs, nextPageToken } = await schedules().listScheduleRuns(key);
    expect({ runs, nextPageToken }).toEqual({ runs: [], nextPageToken: '' });
    const nothing = { ledgerId, scheduleId: 'nothing' };
    for (const call of [
      () => schedules().getSchedule(nothing),
      () => schedules().pauseSchedule(nothing),
      () => schedules().resumeSchedule(nothing),
      () => schedules().cancelSchedule(nothing),
      () => schedules().listScheduleRuns(nothing),
    ]) {
      expect(await refusalOf(call())).toMatchObject({ reason: 'SCHEDULE_NOT_FOUND' });
    }
  });

  test('the books are proved', () => proveBooks(platform.grpcAddress, ledgerId));
});
