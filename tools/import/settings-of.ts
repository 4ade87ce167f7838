/** How a file is to be read, from the flags and the mapping file; flags are stronger. */
import { UsageError } from '../../lib/process/command-line.js';
import { isEncoding } from './encoding.js';
import { dayReader, type NumberStyle, type Thousands } from './fields.js';
import type { Mapping } from './mapping-file.js';
import {
  CSV_FIELDS,
  type CsvField,
  type CsvSettings,
  type FormatName,
  type ReadSettings,
} from './settings.js';

/** The flags that say how a file is to be read, as they were typed. */
export interface ReadFlags {
  readonly format?: string | undefined;
  readonly encoding?: string | undefined;
  readonly currency?: string | undefined;
  readonly account?: string | undefined;
  readonly delimiter?: string | undefined;
  readonly decimal?: string | undefined;
  readonly thousands?: string | undefined;
  readonly dateFormat?: string | undefined;
  readonly skipLines?: number | undefined;
  readonly header: boolean;
  readonly newestFirst?: boolean | undefined;
  readonly deriveIds?: boolean | undefined;
  readonly idsPerAccount?: boolean | undefined;
  readonly balances: boolean;
  readonly withCounterparty?: boolean | undefined;
  readonly withDescription?: boolean | undefined;
  readonly map?: readonly string[] | undefined;
}

const FORMATS: readonly FormatName[] = ['csv', 'camt.053', 'mt940'];
const THOUSANDS: readonly Thousands[] = ['', '.', ',', "'", 'space'];
const ACCOUNT_ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/;
/** A code of ISO 4217, or of an asset, which the ledger has to know. */
const CURRENCY = /^[A-Z][A-Z0-9_.-]{1,15}$/;
const DEBIT_WORDS = ['D', 'DBIT', 'DEBIT', 'debit', '-'];
const CREDIT_WORDS = ['C', 'CRDT', 'CREDIT', 'credit', '+'];

/** @throws UsageError with the flag and what it may be. */
export function settingsOf(flags: ReadFlags, mapping: Mapping): ReadSettings {
  const currency = flags.currency ?? mapping.currency;
  if (currency !== undefined && !CURRENCY.test(currency))
    throw new UsageError(`--currency ${currency} is no currency; write it as CZK or EUR`);
  const encoding = flags.encoding ?? mapping.encoding;
  if (encoding !== undefined && !isEncoding(encoding))
    throw new UsageError(
      `--encoding ${encoding} is not known; for example utf-8, windows-1250, iso-8859-2, utf-16le`,
    );
  const account = flags.account ?? mapping.account;
  const accounts = new Map(Object.entries(mapping.accounts ?? {}));
  for (const id of [...(account === undefined ? [] : [account]), ...accounts.values()])
    if (!ACCOUNT_ID.test(id))
      throw new UsageError(
        `the account ${JSON.stringify(id)} is no account id: letters, digits and _.:- , at most 128`,
      );
  return {
    format: oneOf('--format', flags.format ?? mapping.format, FORMATS),
    encoding,
    currency,
    account,
    accounts,
    balances: flags.balances && (mapping.balances ?? true),
    withCounterparty: flags.withCounterparty ?? false,
    withDescription: flags.withDescription ?? false,
    csv: csvOf(flags, mapping),
  };
}

function csvOf(flags: ReadFlags, mapping: Mapping): CsvSettings {
  const dateFormat = flags.dateFormat ?? mapping.date_format ?? 'YYYY-MM-DD';
  const readDay = dayReader(dateFormat);
  if (readDay === undefined)
    throw new UsageError(
      `--date-format ${dateFormat} needs a year, a month and a day, once each, such as DD.MM.YYYY`,
    );
  const header = flags.header && (mapping.header ?? true);
  return {
    delimiter: delimiterOf(flags.delimiter ?? mapping.delimiter ?? ','),
    numbers: numbersOf(flags, mapping),
    readDay,
    skipLines: flags.skipLines ?? mapping.skip_lines ?? 0,
    header,
    columns: columnsOf(flags.map ?? [], mapping.columns ?? {}, header),
    debitWords: new Set(mapping.debit_words ?? DEBIT_WORDS),
    creditWords: new Set(mapping.credit_words ?? CREDIT_WORDS),
    deriveIds: flags.deriveIds ?? mapping.derive_ids ?? false,
    idsPerAccount: flags.idsPerAccount ?? mapping.ids_per_account ?? false,
    newestFirst: flags.newestFirst ?? mapping.newest_first ?? false,
  };
}

function delimiterOf(text: string): string {
  if (/^(tab|\\t)$/i.test(text)) return '\t';
  if (Array.from(text).length !== 1 || text === '"')
    throw new UsageError('--delimiter is one character, or tab');
  return text;
}

function numbersOf(flags: ReadFlags, mapping: Mapping): NumberStyle {
  const decimal = oneOf('--decimal', flags.decimal ?? mapping.decimal, ['.', ','] as const) ?? '.';
  const given = flags.thousands ?? mapping.thousands;
  const thousands = oneOf('--thousands', given === ' ' ? 'space' : given, THOUSANDS) ?? '';
  if (thousands === decimal)
    throw new UsageError(
      `"${decimal}" cannot stand before decimals and between thousands (--decimal, --thousands)`,
    );
  return { decimal, thousands, flags: ' (--decimal, --thousands)' };
}

function columnsOf(
  flags: readonly string[],
  table: Readonly<Record<string, string>>,
  header: boolean,
): Map<CsvField, string> {
  const typed = flags.map((flag): [string, string] => {
    const at = flag.indexOf('=');
    if (at < 0) throw new UsageError(`--map ${flag} has to be FIELD=COLUMN, for example --map date=Datum`);
    return [flag.slice(0, at), flag.slice(at + 1)];
  });
  const columns = new Map<CsvField, string>();
  for (const [name, column] of [...Object.entries(table), ...typed]) {
    const field = oneOf('a column’s field', name, CSV_FIELDS);
    if (!header && !/^[1-9]\d{0,3}$/.test(column))
      throw new UsageError(
        `without a header columns are numbers from 1, and ${name} is ${JSON.stringify(column)}`,
      );
    if (field !== undefined) columns.set(field, column);
  }
  return columns;
}

function oneOf<C extends string>(
  name: string,
  value: string | undefined,
  choices: readonly C[],
): C | undefined {
  if (value === undefined) return undefined;
  const choice = choices.find((each) => each === value);
  if (choice !== undefined) return choice;
  const known = choices.map((each) => (each === '' ? 'nothing' : each)).join(', ');
  throw new UsageError(`${name} is ${JSON.stringify(value)}; it can be ${known}`);
}
