/** The first pass over a file: everything that is wrong with it, and what its accounts need. Nothing is sent. */
import { codeOf } from '../../lib/base/currency.js';
import { isoDay, MAX_AMOUNT, moneyText } from './fields.js';
import type { Movement, StatementBalance } from './movement.js';
import { BadFileError, Problems } from './problems.js';
import type { ReadableFile } from './read-file.js';

/** What a file says of one account. */
export interface SurveyedAccount {
  readonly accountId: string;
  readonly currency: string;
  /** The line that names it first. */
  readonly line: number;
  /** The day of its first balance or movement. */
  readonly firstDay: bigint;
  /** The balance before its first movement, as the file prints it or as follows from what it prints. */
  startBalance: bigint | undefined;
  /** The lowest sum of its first amounts, at most zero: how far below the start the account goes. */
  lowestSum: bigint;
  /** The sum of its amounts. */
  sum: bigint;
  /** Its movements that move something. */
  movements: number;
  first: Movement | undefined;
  last: Movement | undefined;
}

/** What a first pass finds in a file without problems. */
export interface Survey {
  readonly rows: number;
  /** Rows with an amount of zero, which move nothing. */
  readonly empty: number;
  /** Printed balances. */
  readonly balances: number;
  readonly accounts: ReadonlyMap<string, SurveyedAccount>;
  readonly firstDay: bigint;
  readonly lastDay: bigint;
  /** Worth telling, and no reason to stop. */
  readonly notes: readonly string[];
}

const MAX_INT64 = 2n ** 63n - 1n;

/** Reads the file. @throws BadFileError with all problems, or the first of very many. */
export async function surveyFile(file: ReadableFile): Promise<Survey> {
  const problems = new Problems();
  await file.check(problems);
  const surveyor = new Surveyor(problems);
  try {
    await surveyRecords(file, problems, surveyor);
  } catch (error) {
    // What is wrong as a whole may come from single bytes: both are reported.
    if (error instanceof BadFileError) throw new BadFileError([...problems.lines(), ...error.lines]);
    throw error;
  }
  const survey = surveyor.end();
  problems.throwIfAny();
  if (survey.rows === 0 && survey.accounts.size === 0)
    throw new BadFileError(['the file has no movements; there is nothing to import']);
  return survey;
}

async function surveyRecords(file: ReadableFile, problems: Problems, surveyor: Surveyor): Promise<void> {
  for await (const record of file.records(problems)) {
    if (record.kind === 'movement') surveyor.movement(record.movement);
    else if (record.kind === 'opening') surveyor.opening(record.opening);
    else if (record.kind === 'closing') surveyor.closing(record.closing);
    else surveyor.gap();
  }
}

/** What is known of an account's balances at a place in the file. */
interface Running {
  readonly account: SurveyedAccount;
  /** The balance here; undefined where none has been printed yet, or something before could not be read. */
  balance: bigint | undefined;
  /** The movement before, if a balance is printed after it: to see whether the file is written backwards. */
  above: { readonly balanceAfter: bigint; readonly amount: bigint } | undefined;
  credits: bigint;
  debits: bigint;
}

class Surveyor {
  readonly #running = new Map<string, Running>();
  /** Lines of the ids that the file gives. */
  readonly #lines = new Map<string, number>();
  readonly #statements = new Map<string, number>();
  readonly #totals = new Map<string, bigint>();
  /** Printed balances that do not follow from what stands before, until it is known which way round the file is. */
  readonly #breaks = new Problems();
  #backwardBreaks = 0;
  #backwardSteps = 0;
  #rows = 0;
  #empty = 0;
  #balances = 0;
  #firstDay: bigint | undefined;
  #lastDay: bigint | undefined;
  #dayBefore: bigint | undefined;
  #daysForward = 0;
  #daysBackward = 0;

  constructor(readonly problems: Problems) {}

  movement(movement: Movement): void {
    const { amount, balanceAfter, bookedOn, line, movementId } = movement;
    this.#rows += 1;
    if (amount === 0n) this.#empty += 1;
    const before = this.#lines.get(movementId);
    if (before === undefined) this.#lines.set(movementId, line);
    else
      this.problems.add(
        line,
        `the movement id ${JSON.stringify(movementId)} stands in line ${before} already`,
      );
    this.#day(bookedOn);
    const running = this.#at(movement, bookedOn);
    if (running === undefined) return;
    if (balanceAfter !== undefined) this.#printed(running, movement, balanceAfter);
    else {
      if (running.balance !== undefined) running.balance += amount;
      running.above = undefined;
    }
    this.#sum(running, movement);
  }

  opening({ line, balance, statement, day, ...rest }: StatementBalance): void {
    this.#balances += 1;
    const running = this.#at({ line, ...rest }, day);
    if (running === undefined) return;
    const { account } = running;
    const name = JSON.stringify([account.accountId, statement, String(day), String(balance)]);
    const before = this.#statements.get(name);
    if (statement !== '' && before !== undefined)
      this.problems.add(
        line,
        `the statement ${statement} of account ${account.accountId} stands in line ${before} already`,
      );
    this.#statements.set(name, line);
    if (running.balance !== undefined && running.balance !== balance)
      this.problems.add(
        line,
        `account ${account.accountId} opens with ${this.#money(account, balance)} where it was at ` +
          `${this.#money(account, running.balance)}; a statement is missing, or stands out of order`,
      );
    account.startBalance ??= balance - account.sum;
    running.balance = balance;
  }

  closing({ line, balance, day, ...rest }: StatementBalance): void {
    this.#balances += 1;
    const running = this.#at({ line, ...rest }, day);
    if (running === undefined) return;
    const { account } = running;
    if (running.balance !== undefined && running.balance !== balance)
      this.problems.add(
        line,
        `account ${account.accountId} closes with ${this.#money(account, balance)} where its opening balance and ` +
          `movements make ${this.#money(account, running.balance)}`,
      );
    running.balance = balance;
  }

  /** What follows need not fit what was before. */
  gap(): void {
    for (const running of this.#running.values()) {
      running.balance = undefined;
      running.above = undefined;
    }
  }

  end(): Survey {
    const isBackwards = this.#breaks.count > 0 && this.#backwardSteps > 0 && this.#backwardBreaks === 0;
    if (isBackwards)
      this.problems.add(0, 'the printed balances fit from the last row to the first: add --newest-first');
    else this.problems.addAll(this.#breaks);
    const isTurned = this.#daysForward === 0 && this.#daysBackward > 0;
    const notes =
      isTurned && this.#balances === 0
        ? ['the rows are dated newest first; with --newest-first they are booked in order of their days']
        : [];
    return {
      rows: this.#rows,
      empty: this.#empty,
      balances: this.#balances,
      accounts: new Map([...this.#running].map(([id, { account }]) => [id, account])),
      firstDay: this.#firstDay ?? 0n,
      lastDay: this.#lastDay ?? 0n,
      notes,
    };
  }

  #day(day: bigint): void {
    if (this.#firstDay === undefined || day < this.#firstDay) this.#firstDay = day;
    if (this.#lastDay === undefined || day > this.#lastDay) this.#lastDay = day;
    if (this.#dayBefore !== undefined && day > this.#dayBefore) this.#daysForward += 1;
    if (this.#dayBefore !== undefined && day < this.#dayBefore) this.#daysBackward += 1;
    this.#dayBefore = day;
  }

  /** The account of a record; undefined, and a problem, if the file has it in two currencies. */
  #at(
    { accountId, currency, line }: Pick<Movement, 'accountId' | 'currency' | 'line'>,
    day: bigint,
  ): Running | undefined {
    const known = this.#running.get(accountId);
    if (known === undefined) {
      const account: SurveyedAccount = {
        accountId,
        currency,
        line,
        firstDay: day,
        startBalance: undefined,
        lowestSum: 0n,
        sum: 0n,
        movements: 0,
        first: undefined,
        last: undefined,
      };
      const running: Running = { account, balance: undefined, above: undefined, credits: 0n, debits: 0n };
      this.#running.set(accountId, running);
      return running;
    }
    if (known.account.currency === currency) return known;
    const other = `${codeOf(known.account.currency)} in line ${known.account.line}`;
    this.problems.add(
      line,
      `account ${accountId} is in ${codeOf(currency)} here and in ${other}; an account has one currency`,
    );
    return undefined;
  }

  /** Compares a printed balance with the one before it, and with the one that a file written backwards would have. */
  #printed(running: Running, { amount, line }: Movement, balanceAfter: bigint): void {
    this.#balances += 1;
    const { account, balance, above } = running;
    if (balance !== undefined && balance + amount !== balanceAfter)
      this.#breaks.add(
        line,
        `the balance ${this.#money(account, balanceAfter)} of account ${account.accountId} does not follow: ` +
          `${this.#money(account, balance)} before it and the amount ${this.#money(account, amount)} ` +
          `make ${this.#money(account, balance + amount)}`,
      );
    account.startBalance ??= balanceAfter - amount - account.sum;
    if (above !== undefined) {
      this.#backwardSteps += 1;
      // In a file that is written backwards the row above comes after this one.
      if (above.balanceAfter !== balanceAfter + above.amount) this.#backwardBreaks += 1;
    }
    running.above = { balanceAfter, amount };
    running.balance = balanceAfter;
  }

  #sum(running: Running, movement: Movement): void {
    const { account } = running;
    const { amount, line } = movement;
    if (amount === 0n) return;
    account.movements += 1;
    account.sum += amount;
    if (account.sum < account.lowestSum) account.lowestSum = account.sum;
    account.first ??= movement;
    account.last = movement;
    if (amount > 0n) running.credits += amount;
    else running.debits -= amount;
    const total = (this.#totals.get(account.currency) ?? 0n) + (amount < 0n ? -amount : amount);
    this.#totals.set(account.currency, total);
    if (running.credits > MAX_INT64 || running.debits > MAX_INT64 || total > MAX_INT64)
      this.problems.add(line, `the amounts up to here are more than ${String(MAX_INT64)} minor units in all`);
    if (-account.lowestSum > MAX_AMOUNT)
      this.problems.add(
        line,
        `account ${account.accountId} goes further below zero than an overdraft limit can`,
      );
  }

  #money({ currency }: SurveyedAccount, units: bigint): string {
    return moneyText(units, currency);
  }
}

/** Days of a file in words. */
export function daysOf({ firstDay, lastDay }: Survey): string {
  return firstDay === lastDay ? isoDay(firstDay) : `${isoDay(firstDay)} to ${isoDay(lastDay)}`;
}
