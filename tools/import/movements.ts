/** Reads a CSV of account movements, row by row, and refuses what cannot be booked by the number of its line. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';

/** A row of the file. */
export interface Movement {
  /** The line it ends on, from 1: the header is line 1. */
  readonly line: number;
  readonly movementId: string;
  readonly accountId: string;
  /** UTC microseconds of the booking date at 00:00. */
  readonly bookedOn: bigint;
  readonly kind: string;
  readonly purpose: string;
  /** Minor units; above zero into the account. */
  readonly amount: bigint;
  /** Minor units, after this row. */
  readonly balanceAfter: bigint;
  /** Empty where unknown. */
  readonly counterparty: string;
}

/** A row, or a whole file, that cannot be imported. */
export class BadRowError extends Error {
  override readonly name = 'BadRowError';
  constructor(
    readonly line: number,
    problem: string,
  ) {
    super(`line ${line}: ${problem}`);
  }
}

const REQUIRED = [
  'movement_id',
  'account_id',
  'booked_on',
  'kind',
  'purpose',
  'amount_minor',
  'balance_after_minor',
] as const;

/** The largest amount of a command. */
const MAX_AMOUNT = 10n ** 18n - 1n;

/** The rows of a file in order. @throws BadRowError at the first row that cannot be read. */
export async function* readMovements(file: string): AsyncGenerator<Movement> {
  const parser = parse({ bom: true, columns: headerOf, info: true, skip_empty_lines: true, trim: true });
  // The error of either end reaches the loop below through the parser; the callback has nothing to add.
  pipeline(createReadStream(file), parser, () => undefined);
  try {
    for await (const row of parser as AsyncIterable<{
      record: Readonly<Record<string, string>>;
      info: { lines: number };
    }>) {
      yield movementOf(row.record, row.info.lines);
    }
  } catch (error) {
    if (error instanceof CsvError) throw new BadRowError(Number(error['lines'] ?? 0), error.message);
    throw error;
  }
}

function headerOf(header: readonly string[]): string[] {
  const missing = REQUIRED.filter((name) => !header.includes(name));
  if (missing.length > 0) throw new BadRowError(1, `the header lacks ${missing.join(', ')}`);
  return [...header];
}

function movementOf(record: Readonly<Record<string, string>>, line: number): Movement {
  const text = (name: string): string => record[name] ?? '';
  const movementId = text('movement_id');
  if (movementId === '' || movementId.length > 128)
    throw new BadRowError(line, 'movement_id must have 1 to 128 characters');
  const accountId = text('account_id');
  if (!/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/.test(accountId))
    throw new BadRowError(line, `account_id ${quoted(accountId)} is no account id`);
  const amount = minorUnits(text('amount_minor'), 'amount_minor', line);
  if (amount > MAX_AMOUNT || amount < -MAX_AMOUNT)
    throw new BadRowError(line, `amount_minor is beyond ${String(MAX_AMOUNT)}`);
  return {
    line,
    movementId,
    accountId,
    bookedOn: dateOf(text('booked_on'), line),
    kind: text('kind'),
    purpose: text('purpose'),
    amount,
    balanceAfter: minorUnits(text('balance_after_minor'), 'balance_after_minor', line),
    counterparty: text('counterparty'),
  };
}

function minorUnits(text: string, name: string, line: number): bigint {
  if (!/^[+-]?\d{1,19}$/.test(text))
    throw new BadRowError(line, `${name} ${quoted(text)} is no whole number of minor units`);
  return BigInt(text);
}

function dateOf(text: string, line: number): bigint {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Date.parse takes 31 February for 3 March.
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text)
    throw new BadRowError(line, `booked_on ${quoted(text)} is no date such as 1993-01-31`);
  if (time < 0) throw new BadRowError(line, `booked_on ${text} is before 1970`);
  return BigInt(time) * 1000n;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
