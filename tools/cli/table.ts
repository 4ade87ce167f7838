/** Rows as a table of text. Widths come from the first rows, so that a list of any length needs bounded memory. */
import { styleText } from 'node:util';

export interface TableColumn {
  readonly name: string;
  readonly isRight: boolean;
}

const GAP = '  ';
/** No column gets narrower than this, even on a narrow terminal. */
const LEAST_CHARS = 8;

/** The widths that show all rows; where a terminal is narrower, the widest columns give way. */
export function widthsOf(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  terminal: number | undefined,
): number[] {
  const widths = columns.map(({ name }, index) =>
    Math.max(name.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  if (terminal === undefined) return widths;
  const sum = () => widths.reduce((total, width) => total + width + GAP.length, -GAP.length);
  while (sum() > terminal) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= LEAST_CHARS) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** One row; what is longer than its column is cut only where the terminal made the column narrower. */
export function lineOf(
  columns: readonly TableColumn[],
  cells: readonly string[],
  { widths, isCut }: { readonly widths: readonly number[]; readonly isCut: boolean },
): string {
  const padded = columns.map(({ isRight }, index) => {
    const width = widths[index] ?? 0;
    const cell = cells[index] ?? '';
    const text = isCut && cell.length > width ? `${cell.slice(0, width - 1)}…` : cell;
    return isRight ? text.padStart(width) : text.padEnd(width);
  });
  return padded.join(GAP).trimEnd();
}

/** The names of the columns. */
export function headingOf(columns: readonly TableColumn[], widths: readonly number[]): string {
  const names = columns.map(({ name }) => name.toUpperCase());
  return lineOf(columns, names, { widths, isCut: true });
}

/** Emphasis where a terminal shows it. */
export function emphasis(text: string, isTerminal: boolean): string {
  return isTerminal ? styleText('bold', text, { validateStream: false }) : text;
}
