/** `quittance schedule …` */
import {
  CreateScheduleResponseSchema,
  OnDecline,
  OnMissed,
  type Schedule,
  ScheduleService,
  ScheduleState,
} from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { readAmount } from '../amounts.js';
import { choice, duration_s, idOf, maybe, one, text, value, wordsOf } from '../flags.js';
import { given } from '../given.js';
import { say } from '../io.js';
import { printPages } from '../pages.js';
import { printOne } from '../printer.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, COMMAND_FLAGS, LEDGER_FLAGS, LIST_FLAGS } from '../shared-flags.js';
import { jsonOf } from '../sheet.js';
import { RUNS, SCHEDULES } from '../sheets/schedules.js';
import { type Noun, verb } from '../verb.js';
import { readWhen, type When } from '../when.js';
import { CONFIRM_FLAG, confirm } from './confirm.js';
import { FEE_FLAG, feesOf } from './fees.js';
import { METADATA_FLAG, metadataOf, UP_TO_FLAG } from './fields.js';

const methods = ScheduleService.method;
const ID = { schedule: idOf('schedule', one('the name of the schedule in its ledger')) };
const FLAGS = { ...LEDGER_FLAGS, ...CALL_FLAGS };

async function print(session: Session, schedule: Schedule | undefined): Promise<undefined> {
  if (schedule === undefined) throw new Error('an answer has the schedule');
  await printOne(session.io, session.format, SCHEDULES, { row: schedule });
  return undefined;
}

/** Once, or by a rule. @throws UsageError on both or neither */
function timingOf(
  session: Session,
  {
    at,
    rule,
    zone,
    start,
  }: {
    readonly at: When | undefined;
    readonly rule: string | undefined;
    readonly zone: string | undefined;
    readonly start: When | undefined;
  },
) {
  if ((at === undefined) === (rule === undefined)) throw new UsageError('name one of --at and --rule');
  const now = session.io.now();
  if (at !== undefined) return { case: 'at', value: at(now) } as const;
  if (start === undefined) throw new UsageError('a --rule needs its --start');
  const whole = { ...start(now), nanos: 0 };
  return {
    case: 'recurrence',
    value: { rule: rule ?? '', timeZone: zone ?? 'UTC', startTime: whole },
  } as const;
}

const create = verb({
  name: 'create',
  summary: 'pay at a time, or at the times of a rule',
  positionals: {
    payer: idOf('account', one('the account that pays')),
    payee: idOf('account', one('the account that gets it')),
    amount: one('how much, such as 25.00'),
    currency: maybe('its currency, such as EUR'),
  },
  flags: {
    id: text('name', 'its name in the ledger (default: the request id)'),
    at: value('time', 'pay once, at this time', readWhen),
    rule: text('rule', 'pay at the times of a rule of RFC 5545, such as FREQ=MONTHLY;COUNT=12'),
    start: value('time', 'where the rule begins', readWhen),
    zone: text('zone', 'the time zone of the rule (default UTC)'),
    onDecline: choice('word', 'what follows a decline (default record)', wordsOf<OnDecline>(OnDecline)),
    retryInterval: value('duration', 'how long to wait between attempts, such as 6h', duration_s),
    retryPeriod: value('duration', 'for how long to try again, such as 3d', duration_s),
    onMissed: choice('word', 'what follows an outage (default make-each)', wordsOf<OnMissed>(OnMissed)),
    lateAfter: value('duration', 'how late a payment may be before it was missed, such as 1h', duration_s),
    reference: text('text', 'your own number; every payment carries it'),
    description: text('text', 'a text for people'),
    ...METADATA_FLAG,
    ...UP_TO_FLAG,
    ...FEE_FLAG,
    ...COMMAND_FLAGS,
    ...FLAGS,
  },
  examples: [
    ['quittance schedule create alice landlord 800.00 EUR --at 2027-01-01T08:00Z', 'once'],
    [
      'quittance schedule create alice landlord 800.00 EUR --id rent --rule "FREQ=MONTHLY;COUNT=12" --start 2027-01-01T08:00Z --zone Europe/Berlin',
      'monthly, for a year',
    ],
    [
      'quittance schedule create alice shop 9.00 EUR --rule "FREQ=DAILY;COUNT=5" --start +1d --dry-run',
      'its times',
    ],
  ],
  run: async (session, { args: { payer, payee, ...money }, flags }) => {
    const amount = await readAmount(session, money.amount, money.currency);
    const message = await session.send(methods.createSchedule, {
      ...session.commandHead(),
      scheduleId: flags.id ?? '',
      payment: {
        payerAccountId: payer,
        payeeAccountId: payee,
        amount,
        upTo: flags.upTo ?? false,
        fees: await feesOf(session, flags.fee, amount),
        reference: flags.reference ?? '',
        description: flags.description ?? '',
        metadata: metadataOf(flags.metadata),
      },
      timing: timingOf(session, flags),
      onDecline: flags.onDecline ?? OnDecline.UNSPECIFIED,
      onMissed: flags.onMissed ?? OnMissed.UNSPECIFIED,
      ...given({
        retryIntervalSeconds: flags.retryInterval,
        retryPeriodSeconds: flags.retryPeriod,
        lateAfterSeconds: flags.lateAfter,
      }),
    });
    const { schedule, replayed } = message;
    if (schedule === undefined) throw new Error('an answer has the schedule');
    const whole = jsonOf(CreateScheduleResponseSchema, message);
    await printOne(session.io, session.format, SCHEDULES, { row: schedule, whole });
    if (session.isDryRun) say(session.io, 'dry run: nothing was stored');
    else if (replayed) say(session.io, 'replayed: it was created before');
    return undefined;
  },
});

const list = verb({
  name: 'list',
  summary: 'list the schedules of a ledger',
  positionals: {},
  flags: {
    state: choice('word', 'only those in this state', wordsOf<ScheduleState>(ScheduleState)),
    account: idOf('account', text('account', 'only those that this account pays or gets')),
    ...LIST_FLAGS,
    ...FLAGS,
  },
  examples: [['quittance schedule list --state paused', 'those that someone has to look at']],
  run: async (session, { flags: { state = ScheduleState.UNSPECIFIED, account: accountId = '' } }) => {
    const { ledger: ledgerId } = session;
    await printPages(session, SCHEDULES, async (page) => {
      const request = { ledgerId, state, accountId, ...page };
      const answer = await session.call('command', methods.listSchedules, request);
      return { rows: answer.schedules, nextPageToken: answer.nextPageToken, asOf: undefined };
    });
    return undefined;
  },
});

const get = verb({
  name: 'get',
  summary: 'show a schedule: its next times, and what came of the others',
  positionals: ID,
  flags: FLAGS,
  examples: [['quittance schedule get rent', 'now']],
  run: async (session, { args: { schedule: scheduleId } }) => {
    const request = { ledgerId: session.ledger, scheduleId };
    return print(session, (await session.call('command', methods.getSchedule, request)).schedule);
  },
});

const runs = verb({
  name: 'runs',
  summary: 'list what became of the times of a schedule, the latest first',
  positionals: ID,
  flags: { ...LIST_FLAGS, ...FLAGS },
  examples: [['quittance schedule runs rent', 'with the transactions, and the reasons']],
  run: async (session, { args: { schedule: scheduleId } }) => {
    const { ledger: ledgerId } = session;
    await printPages(session, RUNS, async (page) => {
      const request = { ledgerId, scheduleId, ...page };
      const answer = await session.call('command', methods.listScheduleRuns, request);
      return { rows: answer.runs, nextPageToken: answer.nextPageToken, asOf: undefined };
    });
    return undefined;
  },
});

const stop = verb({
  name: 'pause',
  summary: 'make no payment until it is resumed',
  positionals: ID,
  flags: { reason: text('text', 'why, for those who find it paused'), ...FLAGS },
  examples: [['quittance schedule pause rent --reason "moving out"', 'what falls due meanwhile is skipped']],
  run: async (session, { args: { schedule: scheduleId }, flags: { reason = '' } }) => {
    const request = { ledgerId: session.ledger, scheduleId, reason };
    return print(session, (await session.call('command', methods.pauseSchedule, request)).schedule);
  },
});

const resume = verb({
  name: 'resume',
  summary: 'go on with the first time that is still to come',
  positionals: ID,
  flags: FLAGS,
  examples: [['quittance schedule resume rent', 'what fell due meanwhile is skipped']],
  run: async (session, { args: { schedule: scheduleId } }) => {
    const request = { ledgerId: session.ledger, scheduleId };
    return print(session, (await session.call('command', methods.resumeSchedule, request)).schedule);
  },
});

const cancel = verb({
  name: 'cancel',
  summary: 'end a schedule for good',
  positionals: ID,
  flags: { ...CONFIRM_FLAG, ...FLAGS },
  examples: [['quittance schedule cancel rent --yes', 'without asking']],
  run: async (session, { args: { schedule: scheduleId }, flags: { yes } }) => {
    await confirm(session.io, `Cancel the schedule ${scheduleId} for good?`, yes);
    const request = { ledgerId: session.ledger, scheduleId };
    return print(session, (await session.call('command', methods.cancelSchedule, request)).schedule);
  },
});

export const SCHEDULE: Noun = {
  name: 'schedule',
  plural: 'schedules',
  summary: 'payments at a time or by a rule',
  verbs: [create, list, get, runs, stop, resume, cancel],
};
