/** Reads a CSV of account movements, row by row; what cannot be booked becomes a problem with its line. */
import { pipeline, Readable } from 'node:stream';
import { CsvError, parse, type Options } from 'csv-parse';
import { type CsvColumns, columnsOf } from './csv-columns.js';
import { commandAmount, effectiveDay, exponentOf, majorUnits, minorUnits, textWithin } from './fields.js';
import { isUtf8Name, textOf } from './encoding.js';
import type { FileRecord, Movement } from './movement.js';
import { BadFileError, FieldFault, quoted, readOrNote } from './problems.js';
import {
  keptCounterparty,
  keptDescription,
  ledgerAccount,
  MAX_REFERENCE,
  MAX_TEXT,
  type ReadContext,
  rowCurrency,
} from './read-context.js';
import type { CsvField } from './settings.js';

/** A row as the parser gives it, with the line that it ends on. */
interface ParsedRow {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/** The rows of a file, oldest first. Rows that cannot be read are problems. @throws BadFileError for a useless header. */
export async function* readCsv(context: ReadContext): AsyncGenerator<FileRecord> {
  const rows = rowsOf(context);
  if (!context.settings.csv.newestFirst) {
    yield* rows;
    return;
  }
  // The whole file is held here: its end has to be read before its beginning is booked.
  const turned: FileRecord[] = [];
  for await (const row of rows) turned.push(row);
  yield* turned.reverse();
}

async function* rowsOf(context: ReadContext): AsyncGenerator<FileRecord> {
  const { settings, problems } = context;
  let columns = settings.csv.header ? undefined : columnsOf(settings, undefined);
  let bad = 0;
  const parser = parse(
    parserOptions(context, (error) => {
      problems.add(error.line, error.message);
      bad += 1;
    }),
  );
  // The error of either end reaches the loop below through the parser; the callback has nothing to add.
  pipeline(bytesOf(context), parser, () => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<ParsedRow>) {
      if (columns === undefined) {
        columns = columnsOf(settings, { names: record, line: info.lines });
        continue;
      }
      for (; bad > 0; bad -= 1) yield { kind: 'gap' };
      const movement = rowOf(context, columns, record, info.lines);
      yield movement === undefined ? { kind: 'gap' } : { kind: 'movement', movement };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    problems.add(lineOf(error), error.message);
  }
  if (columns === undefined) throw new BadFileError(['the file has no header and no rows']);
}

function bytesOf({ source, encoding }: ReadContext): Readable {
  return isUtf8Name(encoding) ? source.read() : Readable.from(textOf(source, encoding));
}

function parserOptions(
  { settings: { csv } }: ReadContext,
  onSkip: (error: { readonly line: number; readonly message: string }) => void,
): Options {
  return {
    bom: true,
    delimiter: csv.delimiter,
    from_line: csv.skipLines + 1,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error !== undefined) onSkip({ line: lineOf(error), message: error.message });
      return undefined;
    },
    trim: true,
  };
}

function lineOf(error: CsvError): number {
  return Number(error['lines'] ?? 0);
}

/** @returns undefined if any of its values cannot be read; each is a problem. */
function rowOf(
  context: ReadContext,
  columns: CsvColumns,
  record: readonly string[],
  line: number,
): Movement | undefined {
  const { settings, problems } = context;
  // Some banks end their rows, and not their header, with a delimiter.
  const extra = record.slice(columns.count).some((value) => value !== '');
  if (record.length < columns.count || extra) {
    problems.add(line, `the row has ${record.length} columns, and the header ${columns.count}`);
    return undefined;
  }
  const before = problems.count;
  const text = (field: CsvField): string => record[columns.indexes.get(field) ?? -1] ?? '';
  const read = <T>(value: () => T, otherwise: T): T => readOrNote(problems, line, value, otherwise);
  const short = (field: CsvField): string => textWithin(text(field), columns.name(field), MAX_TEXT);
  const accountId = read(() => ledgerAccount(settings, text('account'), columns.name('account')), '');
  const currency = read(() => rowCurrency(settings, text('currency')), '');
  const exponent = currency === '' ? 0 : read(() => exponentOf(currency), 0);
  const money = (field: CsvField): bigint => moneyOf(context, columns, field, text(field), exponent);
  const kind = read(() => short('kind'), '');
  const purpose = read(() => short('purpose'), '');
  const counterparty = read(() => keptCounterparty(settings, text('counterparty')), '');
  const description = read(() => keptDescription(settings, text('description')), '');
  const movement: Movement = {
    line,
    movementId: read(() => idOf(context, columns, text('id'), accountId), ''),
    identity: [kind, purpose, counterparty, description],
    reference: columns.indexes.has('id') ? text('id') : '',
    accountId,
    currency,
    bookedOn: read(() => dayOfRow(context, columns, text('date')), 0n),
    kind,
    purpose,
    amount: read(() => commandAmount(amountOf(context, columns, text, money), 'the amount'), 0n),
    balanceBefore: undefined,
    balanceAfter: read(() => balanceOf(columns, text, money), undefined),
    counterparty,
    description,
  };
  return problems.count > before ? undefined : movement;
}

function dayOfRow({ settings, now }: ReadContext, columns: CsvColumns, text: string): bigint {
  const name = columns.name('date');
  return effectiveDay(settings.csv.readDay(text, name), now, name);
}

function idOf({ settings }: ReadContext, columns: CsvColumns, text: string, accountId: string): string {
  if (!columns.indexes.has('id')) return '';
  const name = columns.name('id');
  if (text === '') throw new FieldFault(`${name} is empty; every row needs one`);
  textWithin(text, name, MAX_REFERENCE);
  return settings.csv.idsPerAccount ? `${accountId}/${text}` : text;
}

function moneyOf(
  { settings }: ReadContext,
  columns: CsvColumns,
  field: CsvField,
  text: string,
  exponent: number,
): bigint {
  if (field.endsWith('_minor')) return minorUnits(text, columns.name(field));
  return majorUnits(text, columns.name(field), exponent, settings.csv.numbers);
}

/** Signed: above zero into the account. */
function amountOf(
  { settings: { csv } }: ReadContext,
  columns: CsvColumns,
  text: (field: CsvField) => string,
  money: (field: CsvField) => bigint,
): bigint {
  if (columns.amount === 'debit-credit') return debitOrCredit(columns, text, money);
  const amount = money(columns.amount);
  if (!columns.indexes.has('direction')) return amount;
  const word = text('direction');
  if (amount < 0n) throw new FieldFault('the amount has a sign, and a column for its direction besides');
  if (csv.creditWords.has(word)) return amount;
  if (csv.debitWords.has(word)) return -amount;
  throw new FieldFault(
    `${columns.name('direction')} ${quoted(word)} is neither among the debit_words nor the credit_words`,
  );
}

/** Banks write debits with or without a minus. */
function debitOrCredit(
  columns: CsvColumns,
  text: (field: CsvField) => string,
  money: (field: CsvField) => bigint,
): bigint {
  const debit = text('debit') === '' ? 0n : money('debit');
  const credit = text('credit') === '' ? 0n : money('credit');
  const names = `${columns.name('debit')} and ${columns.name('credit')}`;
  if (text('debit') === '' && text('credit') === '') throw new FieldFault(`${names} are both empty`);
  if (debit !== 0n && credit !== 0n) throw new FieldFault(`${names} both hold an amount`);
  if (credit < 0n) throw new FieldFault(`${columns.name('credit')} is below zero`);
  return credit - (debit < 0n ? -debit : debit);
}

function balanceOf(
  columns: CsvColumns,
  text: (field: CsvField) => string,
  money: (field: CsvField) => bigint,
): bigint | undefined {
  if (columns.balance === undefined) return undefined;
  // A bank that prints the balance once a day leaves it empty in the day's other rows.
  return text(columns.balance) === '' ? undefined : money(columns.balance);
}
