/**
 * What a batch writes to the tables of a view. An adapter says which rows, and what happens to them; the
 * statement around that is made here, so that every write is guarded: no adapter can write past a checkpoint
 * that did not move.
 */

/** How one table is written: the same for every batch. Made once per schema. */
export interface WriteStatement {
  /** No other write of the view has it. */
  readonly name: string;
  /** A `select` of the rows to write. Its parameters are `$first` and those after it. */
  readonly rows: (first: number) => string;
  readonly change: Insert | Update | Delete;
}

/** The rows become rows of a table. */
export interface Insert {
  readonly into: string;
  /** In the order in which `rows` selects them. */
  readonly columns: string;
  /** `on conflict …`, where a row may be there already. */
  readonly onConflict?: string;
}

/** Rows of a table change by what `rows`, under the alias `r`, say. */
export interface Update {
  /** The table and its alias. */
  readonly update: string;
  readonly set: string;
  /** Which row of the table belongs to a row of `r`. */
  readonly where: string;
}

/** Rows of a table that `rows`, under the alias `r`, name are removed. */
export interface Delete {
  /** The table and its alias. */
  readonly deleteFrom: string;
  /** Which row of the table belongs to a row of `r`. */
  readonly where: string;
}

/** One table's part of a batch. */
export interface TableWrite {
  readonly statement: WriteStatement;
  /** How many rows; of none the batch has no write. */
  readonly count: number;
  /** The parameters of `statement.rows`. */
  readonly values: readonly unknown[];
}

/** Array parameters from `$first` on. `types`: those of their elements, with spaces between. */
export function arrays(first: number, types: string): string {
  return types
    .split(' ')
    .map((type, index) => `$${String(first + index)}::${type}[]`)
    .join(', ');
}

/**
 * Rows of arrays of equal length: one column per array. `names`: what the columns are called, with spaces
 * between; needed where the statement names them.
 *
 * Each array is unnested in the list of columns, not in `from`: there PostgreSQL keeps the rows of each array
 * in a store of its own first, which costs twice as much.
 */
export function rowsOfArrays(first: number, types: string, names = ''): string {
  const columns = types.split(' ').map((type, index) => {
    const name = names.split(' ')[index] ?? '';
    return `unnest($${String(first + index)}::${type}[])${name === '' ? '' : ` as ${name}`}`;
  });
  return `select ${columns.join(', ')}`;
}
