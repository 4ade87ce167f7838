/**
 * What the lists are built with. Every list is a keyset page in order of position, and its statement holds
 * the filters that the caller named and no others. PostgreSQL plans it for its values each time: which index
 * is best depends on them.
 *
 * Tried instead: one prepared statement for all filters (`$2 is null or t.kind = $2 and …`). Its generic plan
 * reads every transaction of a ledger, 7 to 17 ms per page over 20,000 transactions. A built statement takes
 * 0.1 to 0.3 ms to plan and
 * 0.04 to 0.13 ms to run.
 */
import { Buffer } from 'node:buffer';
import { checkpointColumns } from '../../../stores/postgres/sql/generations.sql.js';
import type { TimeRange } from '../../view.js';

/** A statement and its parameters. */
export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

export type Direction = 'asc' | 'desc';

/** Conditions joined by `and`, and the parameters that they and the rest of the statement name. */
export class Filter {
  readonly #values: unknown[] = [];
  readonly #conditions: string[] = [];

  /** Adds a parameter; answers its place, such as `$3`. */
  param(value: unknown): string {
    this.#values.push(value);
    return `$${String(this.#values.length)}`;
  }

  add(condition: string): void {
    this.#conditions.push(condition);
  }

  /** A column has a value; `any` is the value by which a caller asks for all. */
  equal<T>(column: string, value: T, any: T): void {
    if (value !== any) this.add(`${column} = ${this.param(value)}`);
  }

  /** The same for a column that holds a caller's free text as bytes. */
  equalText(column: string, text: string): void {
    if (text !== '') this.add(`${column} = ${this.param(Buffer.from(text))}`);
  }

  /** A column is at or before a value; null: no end. */
  through(column: string, last: bigint | null): void {
    if (last !== null) this.add(`${column} <= ${this.param(last)}`);
  }

  /** A column is after a value; null: from the first. */
  after(column: string, before: bigint | null): void {
    if (before !== null) this.add(`${column} > ${this.param(before)}`);
  }

  /** A time is in a range. */
  range(column: string, range: TimeRange): void {
    const condition = this.inRange(column, range);
    if (condition !== '') this.add(condition);
  }

  /** The condition that a time is in a range; empty if the range is open at both ends. */
  inRange(column: string, { from, to }: TimeRange): string {
    const bounds = [];
    if (from !== null) bounds.push(`${column} >= ${this.param(from)}`);
    if (to !== null) bounds.push(`${column} < ${this.param(to)}`);
    return bounds.join(' and ');
  }

  /** An id begins with a prefix, as a range of ids: an index has no other use for a prefix. */
  prefix(column: string, prefix: string): void {
    if (prefix === '') return;
    this.add(`${column} >= ${this.param(prefix)} and ${column} < ${this.param(prefix + AFTER_IDS)}`);
  }

  get where(): string {
    return `where ${this.#conditions.join(' and ')}`;
  }

  /**
   * The statement of a page: rows, and the checkpoint of the same snapshot, which comes with nulls if there
   * are no rows. Nothing in a snapshot is after its checkpoint, so the checkpoint is no bound of positions.
   * As a bound that is not known when the statement is planned, it would make any range of positions look
   * small, and PostgreSQL would sort a union of two orders.
   */
  page(schema: string, partition: string, rows: string, order: string): Statement {
    const text = `
select ${checkpointColumns}, d.* from ${schema}.checkpoint c
left join lateral (${rows}) d on true
where c.partition = ${partition}
order by ${order}`;
    return { text, values: this.#values };
  }
}

/** Ids are ASCII below this character, so the ids with a prefix are a range. */
const AFTER_IDS = '\x7f';
const ID_CHARACTERS = /^[A-Za-z0-9_.:@-]*$/;

/** Whether any id can begin so. Other texts never reach SQL: it could not even hold some of them. */
export function canBeginId(prefix: string): boolean {
  return ID_CHARACTERS.test(prefix);
}

/** The order of a list. */
export function directionOf({ descending }: { readonly descending: boolean }): Direction {
  return descending ? 'desc' : 'asc';
}
