/** `quittance ledger close-period`, `quittance ledger reopen-period`. */
import { InvalidArgumentError } from 'commander';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import {
  ClosePeriodResponseSchema,
  LedgerCommandService,
} from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import type { ClosedPeriod } from '../../../gen/quittance/common/v1/period_pb.js';
import { DAY, microsOf, timestampOf } from '../../../lib/base/time.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { idOf, one, text, value } from '../flags.js';
import { given } from '../given.js';
import { put, say } from '../io.js';
import { printList } from '../printer.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, COMMAND_FLAGS, LEDGER_FLAGS } from '../shared-flags.js';
import { PERIOD_TOTALS, PERIODS } from '../sheets/periods.js';
import { verb } from '../verb.js';
import { isoOf, readWhen } from '../when.js';
import { from, printAnswer, sayDecided } from './answer.js';
import { timeOf } from './fields.js';

const SHARED = { ...COMMAND_FLAGS, ...LEDGER_FLAGS, ...CALL_FLAGS };

export const CLOSE_PERIOD = verb({
  name: 'close-period',
  summary: 'refuse from now on what is dated at or before a time, and keep the trial balance through it',
  positionals: { through: idOf('month-end', one('a day, which is closed to its end (UTC), or a time')) },
  flags: { description: text('text', 'a text for people, such as "October 2026"'), ...SHARED },
  examples: [
    ['quittance ledger close-period 2026-10-31 --dry-run', 'the trial balance through October'],
    ['quittance ledger close-period 2026-10-31 --description "October 2026"', 'closes October'],
  ],
  run: async (session, { args: { through }, flags: { description = '' } }) => {
    const request = { ...session.commandHead(), closedThrough: endOf(session, through), description };
    const message = await session.send(LedgerCommandService.method.closePeriod, request);
    const schema = ClosePeriodResponseSchema;
    await printAnswer(session, PERIODS, message.period, { schema, message, decided: message });
    await printTotals(session, message.period);
    return undefined;
  },
});

export const REOPEN_PERIOD = verb({
  name: 'reopen-period',
  summary: 'take again what is dated in a closed period, or in the end of it',
  positionals: { reason: one('why; it is kept in the log') },
  flags: {
    keep: value('time', 'what is dated at or before it stays closed (default: nothing does)', readWhen),
    ...SHARED,
  },
  examples: [
    ['quittance ledger reopen-period "an invoice of October came late"', 'opens all that is closed'],
    [
      'quittance ledger reopen-period "late invoice" --keep 2026-09-30T23:59:59.999999Z',
      'opens October alone',
    ],
  ],
  run: async (session, { args: { reason }, flags: { keep } }) => {
    const keepClosedThrough = timeOf(session, keep);
    const request = { ...session.commandHead(), reason, ...given({ keepClosedThrough }) };
    const answer = await session.send(LedgerCommandService.method.reopenPeriod, request);
    const { closedThrough } = answer;
    await put(
      session.io,
      closedThrough === undefined ? 'nothing is closed\n' : `closed through ${isoOf(closedThrough)}\n`,
    );
    sayDecided(session, answer);
    return undefined;
  },
});

/** In a table the trial balance follows below; the other forms keep to one kind of row. */
export async function printTotals(
  { io, format }: Pick<Session, 'io' | 'format'>,
  period: ClosedPeriod | undefined,
): Promise<void> {
  const isTable = format.form === 'table' && format.columns === undefined;
  if (!isTable || period === undefined || period.totals.length === 0) return;
  await put(io, '\n');
  await printList(io, format, PERIOD_TOTALS, from(period.totals));
  const left = period.totalCount - period.totals.length;
  if (left > 0) say(io, `${String(left)} more rows are not shown`);
}

const A_DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The last microsecond of a day, or the time itself. @throws UsageError */
function endOf(session: Session, typed: string): Timestamp {
  try {
    const begin = readWhen(typed)(session.io.now());
    return A_DAY.test(typed) ? timestampOf(microsOf(begin) + DAY - 1n) : begin;
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new UsageError(error.message);
    throw error;
  }
}
