/** Writes rows in the form that was asked for: `table`, `wide`, `json`, `ndjson`, `csv` or `id`. */
import type { JsonValue } from '@bufbuild/protobuf';
import { UsageError } from '../../lib/process/command-line.js';
import { type Io, put } from './io.js';
import type { Column, Sheet } from './sheet.js';
import { emphasis, headingOf, lineOf, type TableColumn, widthsOf } from './table.js';

export type OutputForm = 'table' | 'wide' | 'json' | 'ndjson' | 'csv' | 'id';

export interface Format {
  readonly form: OutputForm;
  /** The columns that were asked for, in their order. */
  readonly columns: readonly string[] | undefined;
}

/** So many rows decide the widths of a table; the others come as they are read. */
const MEASURED_ROWS = 1_000;

/** Writes a list as it comes. @returns how many rows. @throws UsageError on a column that does not exist */
export async function printList<T>(
  io: Io,
  format: Format,
  sheet: Sheet<T>,
  rows: AsyncIterable<T>,
): Promise<number> {
  const columns = columnsOf(sheet, format, false);
  switch (format.form) {
    case 'id':
      return each(rows, (row) => put(io, `${sheet.id(row)}\n`));
    case 'ndjson':
      return each(rows, (row) => put(io, `${JSON.stringify(sheet.json(row))}\n`));
    case 'json':
      return printArray(io, sheet, rows);
    case 'csv':
      await put(io, csvLine(columns.map(({ name }) => name)));
      return each(rows, (row) => put(io, csvLine(columns.map(({ of }) => of(row)))));
    case 'table':
    case 'wide':
      return printTable(io, columns, rows);
  }
}

/** Writes rows of a watch one by one: nothing waits for a row that may never come. */
export async function printWatch<T>(
  io: Io,
  format: Format,
  sheet: Sheet<T>,
  rows: AsyncIterable<T>,
): Promise<number> {
  if (format.form === 'json')
    throw new UsageError('json is one document, and a watch has no end; use -o ndjson');
  if (format.form !== 'table' && format.form !== 'wide') return printList(io, format, sheet, rows);
  const columns = columnsOf(sheet, format, false);
  const heads = columns.map(tableColumn);
  let widths: number[] = [];
  return each(rows, async (row) => {
    const cells = columns.map((column) => briefly(column, row));
    const isFirst = widths.length === 0;
    const needed = widthsOf(heads, [cells], undefined);
    widths = needed.map((width, index) => Math.max(width, widths[index] ?? 0));
    if (isFirst) await put(io, `${emphasis(headingOf(heads, widths), io.stdout.isTTY === true)}\n`);
    await put(io, `${lineOf(heads, cells, { widths, isCut: false })}\n`);
  });
}

/** Writes one thing; `whole` is its JSON where that holds more than the row, as answers of commands do. */
export async function printOne<T>(
  io: Io,
  format: Format,
  sheet: Sheet<T>,
  { row, whole = sheet.json(row) }: { readonly row: T; readonly whole?: JsonValue },
): Promise<void> {
  const columns = columnsOf(sheet, format, true);
  switch (format.form) {
    case 'id':
      return put(io, `${sheet.id(row)}\n`);
    case 'ndjson':
      return put(io, `${JSON.stringify(whole)}\n`);
    case 'json':
      return put(io, `${JSON.stringify(whole, undefined, 2)}\n`);
    case 'csv': {
      await put(io, csvLine(columns.map(({ name }) => name)));
      return put(io, csvLine(columns.map(({ of }) => of(row))));
    }
    case 'table':
    case 'wide': {
      const cells = columns.map((column) => ({ name: column.name, cell: printable(column.of(row)) }));
      const shown =
        format.form === 'wide' || format.columns !== undefined
          ? cells
          : cells.filter(({ cell }) => cell !== '');
      const width = Math.max(...shown.map(({ name }) => name.length));
      const lines = shown.map(({ name, cell }) => `${name.padEnd(width)}  ${cell}`.trimEnd());
      return put(io, `${lines.join('\n')}\n`);
    }
  }
}

/** One document however many rows there are: it is closed even if there are none. */
async function printArray<T>(io: Io, sheet: Sheet<T>, rows: AsyncIterable<T>): Promise<number> {
  let separator = '[\n';
  const count = await each(rows, async (row) => {
    await put(io, `${separator}${JSON.stringify(sheet.json(row))}`);
    separator = ',\n';
  });
  await put(io, count === 0 ? '[]\n' : '\n]\n');
  return count;
}

async function printTable<T>(io: Io, columns: readonly Column<T>[], rows: AsyncIterable<T>): Promise<number> {
  const heads = columns.map(tableColumn);
  const terminal = io.stdout.isTTY === true ? io.stdout.columns : undefined;
  const measured: string[][] = [];
  let widths: number[] | undefined;
  const start = async () => {
    widths = widthsOf(heads, measured, terminal);
    if (measured.length === 0) return;
    await put(io, `${emphasis(headingOf(heads, widths), io.stdout.isTTY === true)}\n`);
    for (const cells of measured.splice(0)) await write(cells);
  };
  const write = (cells: readonly string[]) =>
    put(io, `${lineOf(heads, cells, { widths: widths ?? [], isCut: terminal !== undefined })}\n`);
  const count = await each(rows, async (row) => {
    const cells = columns.map((column) => briefly(column, row));
    if (widths !== undefined) return write(cells);
    measured.push(cells);
    if (measured.length >= MEASURED_ROWS) await start();
  });
  if (widths === undefined) await start();
  return count;
}

/** The columns that the form and `--columns` ask for. */
function columnsOf<T>(
  { columns }: Sheet<T>,
  { form, columns: asked }: Format,
  isSingle: boolean,
): readonly Column<T>[] {
  if (asked === undefined) {
    const isAll = isSingle || form === 'wide' || form === 'csv';
    return isAll ? columns : columns.filter(({ isWide }) => isWide !== true);
  }
  if (form === 'json' || form === 'ndjson' || form === 'id')
    throw new UsageError(`--columns is for table, wide and csv; ${form} has no columns`);
  return asked.map((name) => {
    const column = columns.find((known) => known.name === name);
    if (column === undefined)
      throw new UsageError(
        `${JSON.stringify(name)} is no column here; there are ${columns.map((known) => known.name).join(', ')}`,
      );
    return column;
  });
}

function tableColumn<T>({ name, isRight }: Column<T>): TableColumn {
  return { name, isRight: isRight === true };
}

function briefly<T>({ of, brief = of }: Column<T>, row: T): string {
  return printable(brief(row));
}

/** A text of a caller may hold line ends and escapes of a terminal; a table shows neither. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** RFC 4180. */
function csvLine(cells: readonly string[]): string {
  const quoted = cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell));
  return `${quoted.join(',')}\r\n`;
}

async function each<T>(rows: AsyncIterable<T>, use: (row: T) => Promise<void>): Promise<number> {
  let count = 0;
  for await (const row of rows) {
    await use(row);
    count += 1;
  }
  return count;
}
