/** What the server will pay at its time: when next, how it went so far, and what can be done about it. */
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { useState } from 'react';
import {
  type Schedule,
  ScheduleRunOutcome,
  ScheduleService,
  ScheduleState,
} from '../../../../gen/quittance/command/v1/schedule_service_pb.js';
import { countText } from '../numbers.js';
import { type Column, Rows } from '../parts/rows.js';
import { ListStatus } from '../parts/list-status.js';
import {
  AccountLink,
  Amount,
  Empty,
  ExactTime,
  FailureNote,
  Id,
  Pairs,
  StateWord,
  Time,
  type Tone,
  TransactionLink,
} from '../parts/text.js';
import { declineWord, wordOf } from '../parts/words.js';
import { useAct } from '../state/act.js';
import { PAGE_ROWS, useKeyset, wholePage } from '../state/keyset.js';
import { usePageCall } from '../state/page-call.js';
import { OFTEN_MS, useRead } from '../state/reads.js';
import { linkTo, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';

const { method } = ScheduleService;
const RUNS_SHOWN = 100;

const TONES: Readonly<Record<number, Tone>> = {
  [ScheduleState.ACTIVE]: 'good',
  [ScheduleState.PAUSED]: 'warn',
};

function ScheduleWord({ schedule: { state, pauseReason } }: { readonly schedule: Schedule }) {
  return (
    <StateWord tone={TONES[state] ?? 'calm'}>
      {wordOf(ScheduleState, state)}
      {pauseReason === '' ? '' : `: ${pauseReason}`}
    </StateWord>
  );
}

function ScheduledAmount({ schedule: { payment } }: { readonly schedule: Schedule }) {
  const amount = payment?.amount;
  return amount === undefined ? null : (
    <Amount minorUnits={amount.minorUnits} exponent={amount.exponent ?? 0} currency={amount.currency} />
  );
}

const COLUMNS: readonly Column<Schedule>[] = [
  {
    name: 'Schedule',
    width: 'minmax(144px, 1fr)',
    cell: ({ scheduleId }) => (
      <a href={linkTo('schedule', scheduleId)} data-row="">
        {scheduleId}
      </a>
    ),
  },
  { name: 'State', width: 'minmax(144px, 1fr)', cell: (schedule) => <ScheduleWord schedule={schedule} /> },
  {
    name: 'Payer',
    width: 'minmax(136px, 1fr)',
    cell: ({ payment }) => <AccountLink id={payment?.payerAccountId ?? ''} />,
  },
  {
    name: 'Payee',
    width: 'minmax(136px, 1fr)',
    cell: ({ payment }) => <AccountLink id={payment?.payeeAccountId ?? ''} />,
  },
  {
    name: 'Amount',
    width: '136px',
    isRight: true,
    cell: (schedule) => <ScheduledAmount schedule={schedule} />,
  },
  { name: 'Next', width: '136px', cell: ({ nextTimes }) => <Time at={nextTimes[0]} /> },
  { name: 'Posted', width: '72px', isRight: true, cell: ({ postedCount }) => countText(postedCount) },
  { name: 'Declined', width: '80px', isRight: true, cell: ({ declinedCount }) => countText(declinedCount) },
];

export function SchedulesPage() {
  const { ledger } = useRoute();
  const transport = useTransport();
  const [isHeld, setHeld] = useState(false);
  usePageCall(method.listSchedules, { ledgerId: ledger, pageSize: PAGE_ROWS });
  const load = (token: string, signal: AbortSignal) =>
    wholePage(token, async (page) => {
      const request = { ledgerId: ledger, ...page };
      const answer = await callUnaryMethod(transport, method.listSchedules, request, { signal });
      return { rows: answer.schedules, next: answer.nextPageToken };
    });
  const list = useKeyset(`schedules|${ledger}`, load, isHeld);
  return (
    <>
      <h1>Schedules</h1>
      <FailureNote error={list.error} />
      {list.isComplete && list.count === 0 ? (
        <Empty>
          Here would be each payment that is to be made at a time, or at the times of a rule.{' '}
          <code>
            quittance schedule create alice landlord 800.00 EUR --rule &quot;FREQ=MONTHLY;COUNT=12&quot;
            --start 2027-01-01T08:00Z
          </code>{' '}
          makes the first one.
        </Empty>
      ) : (
        <Rows
          label="Schedules"
          columns={COLUMNS}
          count={list.count + (list.isComplete ? 0 : 1)}
          rowAt={list.rowAt}
          keyOf={(index) => list.rowAt(index)?.scheduleId ?? `row ${String(index)}`}
          onSee={list.see}
          onHold={setHeld}
        >
          <ListStatus isHeld={isHeld} />
        </Rows>
      )}
    </>
  );
}

export function SchedulePage() {
  const { ledger, id } = useRoute();
  const of = { ledgerId: ledger, scheduleId: id };
  const { data, error } = useRead(method.getSchedule, of, OFTEN_MS);
  usePageCall(method.getSchedule, of);
  const schedule = data?.schedule;
  return (
    <>
      <FailureNote error={error} />
      {schedule === undefined ? null : (
        <>
          <div className="title">
            <h1>
              <Id value={schedule.scheduleId} />
            </h1>
            <ScheduleWord schedule={schedule} />
            <ScheduledAmount schedule={schedule} />
            <Controls key={schedule.state} schedule={schedule} />
          </div>
          <div className="columns">
            <Pairs of={pairsOf(schedule)} />
            <Runs />
          </div>
        </>
      )}
    </>
  );
}

function pairsOf(schedule: Schedule) {
  const { payment, timing, nextTimes, actor, createTime } = schedule;
  const { postedCount, declinedCount, failedCount, skippedCount } = schedule;
  const rule = timing.case === 'recurrence' ? `${timing.value.rule}, ${timing.value.timeZone}` : 'once';
  return [
    ['Payer', <AccountLink key="payer" id={payment?.payerAccountId ?? ''} />],
    ['Payee', <AccountLink key="payee" id={payment?.payeeAccountId ?? ''} />],
    ['Reference', payment?.reference ?? ''],
    ['Rule', rule],
    [
      'Next',
      nextTimes.length === 0
        ? 'never again'
        : nextTimes.map((at) => (
            <div key={String(at.seconds)}>
              <ExactTime at={at} />
            </div>
          )),
    ],
    ['Posted', countText(postedCount)],
    ['Declined', countText(declinedCount)],
    ['Failed', countText(failedCount)],
    ['Skipped', countText(skippedCount)],
    ['Made by', actor],
    ['Made', <ExactTime key="made" at={createTime} />],
  ] as const;
}

/** A schedule that was cancelled pays never again: so it is asked for once more. */
function Controls({ schedule: { scheduleId, state, nextTimes } }: { readonly schedule: Schedule }) {
  const { ledger } = useRoute();
  const may = useMay();
  const [isAsking, setAsking] = useState(false);
  const { act, error } = useAct();
  const isPaused = state === ScheduleState.PAUSED;
  if (!may(method.pauseSchedule, ledger) || (state !== ScheduleState.ACTIVE && !isPaused)) return null;
  const of = { ledgerId: ledger, scheduleId };
  return (
    <span className="end">
      <FailureNote error={error} />
      {isAsking ? (
        <>
          <span>
            {nextTimes.length === 0 ? 'Nothing' : <Time at={nextTimes[0]} />} and all that would follow is not
            paid. This cannot be taken back.
          </span>
          <button type="button" className="danger" onClick={() => act(method.cancelSchedule, of)}>
            Cancel {scheduleId}
          </button>
          <button type="button" onClick={() => setAsking(false)}>
            Leave it
          </button>
        </>
      ) : (
        <>
          <button
            type="button"
            onClick={() =>
              isPaused
                ? act(method.resumeSchedule, of)
                : act(method.pauseSchedule, { ...of, reason: 'paused in the console' })
            }
          >
            {isPaused ? 'Resume' : 'Pause'}
          </button>
          <button type="button" onClick={() => setAsking(true)}>
            Cancel…
          </button>
        </>
      )}
    </span>
  );
}

/** What became of each time, as far as it has come. */
function Runs() {
  const { ledger, id } = useRoute();
  const request = { ledgerId: ledger, scheduleId: id, pageSize: RUNS_SHOWN };
  const { data, error } = useRead(method.listScheduleRuns, request, OFTEN_MS);
  const runs = data?.runs ?? [];
  return (
    <section className="part" aria-label="Runs">
      <h2>Runs</h2>
      <FailureNote error={error} />
      {data !== undefined && runs.length === 0 ? <p className="muted">Its first time is to come.</p> : null}
      {runs.length === 0 ? null : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Table of runs">
          <table>
            <thead>
              <tr>
                <th>Time</th>
                <th>Outcome</th>
                <th>Why</th>
                <th>Transaction</th>
              </tr>
            </thead>
            <tbody>
              {runs.map(({ occurrenceTime, attempt, outcome, declineReason, transactionId }) => (
                <tr key={`${String(occurrenceTime?.seconds)} ${String(attempt)}`}>
                  <td>
                    <Time at={occurrenceTime} />
                  </td>
                  <td>{wordOf(ScheduleRunOutcome, outcome)}</td>
                  <td>{declineWord(declineReason)}</td>
                  <td>
                    <TransactionLink id={transactionId} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
