/** What the operator reads at the end, and the exit code. */
import { moneyText } from './fields.js';
import type { ImportSummary } from './import.js';
import type { AccountPlan, Plan } from './plan.js';
import { daysOf, type Survey } from './survey.js';
import type { Mismatch } from './tally.js';
import type { Booked } from './book.js';
import type { AlreadyBooked } from './inspect.js';

/** More accounts than this are counted, not listed. */
const MAX_LISTED = 20;

/** 0: all is booked and agrees. 1: not all is booked, or not all agrees, or there was nothing to book. */
export function exitCodeOf({ survey, outcome }: ImportSummary): number {
  if (survey.rows > 0 && survey.rows === survey.empty) return 1;
  if (outcome.kind === 'dry-run') return outcome.already.other === 0 ? 0 : 1;
  return outcome.mismatchCount === 0 && outcome.stopped.length === 0 ? 0 : 1;
}

/** The lines of the end: what does not agree, then the counts. */
export function reportLines(summary: ImportSummary, elapsed_ms: number): string[] {
  const { survey, outcome } = summary;
  const nothing =
    survey.rows > 0 && survey.rows === survey.empty
      ? ['every row has an amount of zero: nothing was booked']
      : [];
  if (outcome.kind === 'dry-run') return [...dryRunLines(summary, outcome.already), ...nothing];
  return [...bookedLines(survey, outcome, elapsed_ms), ...nothing];
}

function bookedLines(survey: Survey, outcome: Booked, elapsed_ms: number): string[] {
  const { rows, empty, accounts, balances } = survey;
  const { mismatches, mismatchCount, replayed, stopped, refused, compared, matches } = outcome;
  const rate = Math.round(rows / Math.max(elapsed_ms / 1000, 0.001));
  const notSent = stopped.reduce((sum, account) => sum + account.notSent, 0);
  const differ = compared - matches;
  return [
    ...mismatches.map(mismatchLine),
    ...more(mismatchCount - mismatches.length, 'more of these'),
    ...stopped
      .slice(0, MAX_LISTED)
      .map(
        ({ accountId, line, remedy, notSent: left }) =>
          `account ${accountId} stopped at line ${line}, ${count(left)} later movements of it were not sent: ${remedy}. ` +
          'Then run the same command again: it goes on there',
      ),
    ...more(stopped.length - MAX_LISTED, 'more accounts stopped'),
    [
      `${count(rows)} movements of ${count(accounts.size)} accounts in ${(elapsed_ms / 1000).toFixed(1)} s (${count(rate)}/s)`,
      ...(replayed > 0 ? [`${count(replayed)} of them booked by an earlier run`] : []),
      ...(empty > 0 ? [`${count(empty)} with an amount of zero not sent`] : []),
      ...(refused > 0 ? [`${count(refused)} NOT BOOKED`] : []),
      ...(notSent > 0 ? [`${count(notSent)} NOT SENT`] : []),
    ].join(', '),
    balances === 0
      ? 'balances: the file prints none, so nothing was compared'
      : [
          `balances: ${count(matches)} of ${count(compared)} match`,
          ...(differ > 0 ? [`${count(differ)} DO NOT`] : []),
        ].join(', '),
  ];
}

function mismatchLine({ movement, problem }: Mismatch): string {
  return `line ${movement.line}: movement ${movement.movementId}, account ${movement.accountId}: ${problem}`;
}

function dryRunLines({ format, encoding, survey, plan }: ImportSummary, already: AlreadyBooked): string[] {
  const { rows, empty, balances } = survey;
  const opened = plan.accounts.filter(({ isNew }) => isNew);
  return [
    `dry run: the file (${format}, ${encoding}) is sound, nothing was booked`,
    `${count(rows)} movements of ${count(plan.accounts.length)} accounts, ${daysOf(survey)}`,
    [
      `${count(rows - empty - already.same - already.other)} would be booked`,
      `${count(already.same)} are booked already`,
      ...(already.other > 0
        ? [`${count(already.other)} ARE BOOKED IN ANOTHER FORM and would be refused`]
        : []),
      ...(empty > 0 ? [`${count(empty)} with an amount of zero would not be sent`] : []),
    ].join(', '),
    [
      ...(plan.ledgerExists ? [] : ['the ledger would be created']),
      `${count(opened.length)} accounts would be opened`,
    ].join(', '),
    ...changeLines(plan),
    balances === 0
      ? 'balances: the file prints none, so nothing can be compared'
      : `balances: ${count(balances)} are printed, and all follow from the amounts`,
  ];
}

function changeLines({ accounts }: Plan): string[] {
  const lines = accounts.flatMap((account) => [...limitLine(account), ...openingLine(account)]);
  return [...lines.slice(0, MAX_LISTED), ...more(lines.length - MAX_LISTED, 'more such accounts')];
}

function limitLine({ accountId, currency, isNew, limit, limitBefore }: AccountPlan): string[] {
  if (limit === undefined || limit === 0n) return [];
  const now = moneyText(limit, currency);
  if (isNew) return [`account ${accountId} would be opened with an overdraft limit of ${now}`];
  return [
    `the overdraft limit of account ${accountId} would be raised from ${moneyText(limitBefore, currency)} to ${now}`,
  ];
}

function openingLine({ accountId, currency, opening }: AccountPlan): string[] {
  if (opening === 0n) return [];
  return [`an opening balance of ${moneyText(opening, currency)} would be booked on account ${accountId}`];
}

function more(left: number, what: string): string[] {
  return left > 0 ? [`and ${count(left)} ${what}`] : [];
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
