/** Which column of a CSV holds what. */
import { BadFileError } from './problems.js';
import { CSV_FIELDS, type CsvField, DEFAULT_COLUMNS, type ReadSettings } from './settings.js';

/** The columns of a file, found. */
export interface CsvColumns {
  /** How many columns every row has at least. */
  readonly count: number;
  /** From 0. */
  readonly indexes: ReadonlyMap<CsvField, number>;
  /** Where the amount stands. */
  readonly amount: 'amount' | 'amount_minor' | 'debit-credit';
  /** Where the balance stands; undefined: nowhere, or it is not to be read. */
  readonly balance: 'balance' | 'balance_minor' | undefined;
  /** What the file calls the column of a field. */
  name(field: CsvField): string;
}

/** The first row of a file that names its columns. */
interface Header {
  readonly names: readonly string[];
  readonly line: number;
}

/**
 * Finds the columns by the operator's words, else by their default names.
 * @param header undefined: columns are numbered. @throws BadFileError that lists the columns found and says how to name them.
 */
export function columnsOf(settings: ReadSettings, header: Header | undefined): CsvColumns {
  const indexes = header === undefined ? numbered(settings) : named(settings, header);
  const complain = (problem: string): never => {
    throw new BadFileError([withColumns(problem, settings, header)]);
  };
  if (!settings.balances) {
    indexes.delete('balance');
    indexes.delete('balance_minor');
  }
  if (settings.csv.deriveIds) indexes.delete('id');
  const amount = amountColumn(indexes);
  const missing = [
    ...(settings.account === undefined && !indexes.has('account') ? ['account (or --account ID)'] : []),
    ...(indexes.has('date') ? [] : ['date']),
    ...(amount === undefined ? ['amount (or amount_minor, or debit and credit)'] : []),
    ...(settings.csv.deriveIds || indexes.has('id') ? [] : ['id (or --derive-ids)']),
  ];
  if (missing.length > 0 || amount === undefined)
    return complain(`no column is named for ${missing.join(', ')}`);
  const twice = indexes.has('balance') && indexes.has('balance_minor');
  if (twice) return complain('balance and balance_minor are both there; one of them is enough');
  return {
    count: header?.names.length ?? Math.max(...indexes.values()) + 1,
    indexes,
    amount,
    balance: indexes.has('balance') ? 'balance' : indexes.has('balance_minor') ? 'balance_minor' : undefined,
    name: (field) => settings.csv.columns.get(field) ?? DEFAULT_COLUMNS[field],
  };
}

function amountColumn(indexes: ReadonlyMap<CsvField, number>): CsvColumns['amount'] | undefined {
  if (indexes.has('amount')) return 'amount';
  if (indexes.has('amount_minor')) return 'amount_minor';
  return indexes.has('debit') && indexes.has('credit') ? 'debit-credit' : undefined;
}

function named({ csv }: ReadSettings, header: Header): Map<CsvField, number> {
  const indexes = new Map<CsvField, number>();
  for (const field of CSV_FIELDS) {
    const chosen = csv.columns.get(field);
    if (chosen === '' || (chosen === undefined && isReplaced(field, csv.columns))) continue;
    const name = chosen ?? DEFAULT_COLUMNS[field];
    const index = header.names.indexOf(name);
    if (index >= 0 && header.names.includes(name, index + 1))
      throw new BadFileError([`line ${header.line}: two columns are called ${JSON.stringify(name)}`]);
    if (index >= 0) indexes.set(field, index);
    else if (chosen !== undefined)
      throw new BadFileError([
        `line ${header.line}: there is no column ${JSON.stringify(name)} for ${field}; ${columnsFound(header)}`,
      ]);
  }
  return indexes;
}

/** Fields that say the same thing: where the operator names the column of one, the others are not looked for. */
const ALTERNATIVES: readonly (readonly CsvField[])[] = [
  ['amount', 'amount_minor', 'debit', 'credit'],
  ['balance', 'balance_minor'],
];

function isReplaced(field: CsvField, chosen: ReadonlyMap<CsvField, string>): boolean {
  return ALTERNATIVES.some((group) => group.includes(field) && group.some((other) => chosen.has(other)));
}

function numbered({ csv }: ReadSettings): Map<CsvField, number> {
  return new Map([...csv.columns].map(([field, number]) => [field, Number(number) - 1]));
}

function withColumns(problem: string, { csv }: ReadSettings, header: Header | undefined): string {
  if (header === undefined)
    return `${problem}; without a header, columns are named by number, for example --map date=1 --map amount=4`;
  const other = [';', '\t', '|', ','].find(
    (each) => each !== csv.delimiter && header.names.join().includes(each),
  );
  const hint =
    header.names.length === 1 && other !== undefined
      ? `; is the delimiter ${other === '\t' ? 'a tab (--delimiter tab)' : `another one (--delimiter "${other}")`}?`
      : '. Say which column is which, for example --map date=COLUMN --map amount=COLUMN, or with a mapping file (--help)';
  return `line ${header.line}: ${problem}; ${columnsFound(header)}${hint}`;
}

function columnsFound({ names }: Header): string {
  const found = names.slice(0, 40).map((name) => JSON.stringify(name));
  return `the columns found are ${found.join(', ')}${names.length > found.length ? ', …' : ''}`;
}
