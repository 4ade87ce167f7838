/** What a batch of events writes to the balances view in PostgreSQL. */
import { int2Array, int4Array, int8Array, textArray } from '../../../log/postgres-arrays.js';
import type { PoolClient } from '../../../log/postgres-client.js';
import { limitsArray } from '../../../log/postgres-limits.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { RecentNumbers } from '../../stores/postgres/recent-numbers.js';
import type { TableWrite, WriteStatement } from '../../stores/postgres/table-write.js';
import { accountKey, changedAccounts, type LedgerBalanceRow } from '../fold.js';
import { insertAccounts, numbersSql, updateAccounts } from './sql/write.sql.js';

/** Accounts whose numbers are kept in memory; some 15 MB. */
const KNOWN_ACCOUNTS = 100_000;

interface NumberedRow {
  readonly number: number;
  readonly row: LedgerBalanceRow;
}

/** Of one generation. */
export class BalanceWriter {
  readonly #numbers = new RecentNumbers(KNOWN_ACCOUNTS);
  readonly #lookUp: { readonly name: string; readonly text: string };
  readonly #update: WriteStatement;
  readonly #insert: WriteStatement;

  constructor(schema: string) {
    this.#lookUp = { name: `${schema}.numbers`, text: numbersSql(schema) };
    this.#update = updateAccounts(schema);
    this.#insert = insertAccounts(schema);
  }

  /** Forgets what is in memory: the database may have gone back behind it. */
  reset(): void {
    this.#numbers.clear();
  }

  /** What events beyond the checkpoint write. Numbers that memory does not have are looked up before. */
  async writesOf(events: readonly RecordedEvent[], client: PoolClient): Promise<readonly TableWrite[]> {
    const known: NumberedRow[] = [];
    const unknown: LedgerBalanceRow[] = [];
    for (const row of changedAccounts(events)) {
      const number = this.#numbers.get(accountKey(row.ledgerId, row.state.accountId));
      if (number === undefined) unknown.push(row);
      else known.push({ number, row });
    }
    const fresh = unknown.length === 0 ? unknown : await this.#learn(client, unknown, known);
    // In the order in which the rows lie in the table.
    known.sort((one, other) => one.number - other.number);
    return [
      { statement: this.#update, count: known.length, values: updateValues(known) },
      { statement: this.#insert, count: fresh.length, values: insertValues(fresh) },
    ];
  }

  /** Moves the rows that have a number to `known`; gives the others. */
  async #learn(
    client: PoolClient,
    unknown: readonly LedgerBalanceRow[],
    known: NumberedRow[],
  ): Promise<readonly LedgerBalanceRow[]> {
    const { rows } = await client.query<[account: number, place: number]>({
      ...this.#lookUp,
      rowMode: 'array',
      values: [
        textArray(unknown.map(({ ledgerId }) => ledgerId)),
        textArray(unknown.map(({ state }) => state.accountId)),
      ],
    });
    const numbers = new Map(rows.map(([account, place]) => [place - 1, account]));
    const fresh: LedgerBalanceRow[] = [];
    for (const [index, row] of unknown.entries()) {
      const number = numbers.get(index);
      if (number === undefined) {
        fresh.push(row);
      } else {
        known.push({ number, row });
        this.#numbers.set(accountKey(row.ledgerId, row.state.accountId), number);
      }
    }
    return fresh;
  }
}

function updateValues(rows: readonly NumberedRow[]): unknown[] {
  return [int4Array(rows.map(({ number }) => number)), ...changingValues(rows.map(({ row }) => row))];
}

function insertValues(rows: readonly LedgerBalanceRow[]): unknown[] {
  return [
    textArray(rows.map(({ ledgerId }) => ledgerId)),
    textArray(rows.map(({ state }) => state.accountId)),
    int2Array(rows.map(({ state }) => state.type)),
    textArray(rows.map(({ state }) => state.currency)),
    ...changingValues(rows),
  ];
}

/** The columns that change, in the order in which both statements take them. */
function changingValues(rows: readonly LedgerBalanceRow[]): unknown[] {
  return [
    int2Array(rows.map(({ state }) => state.status)),
    int2Array(rows.map(({ state }) => state.freezeScope)),
    int8Array(rows.map(({ state }) => state.overdraftLimit)),
    int8Array(rows.map(({ state }) => state.credits)),
    int8Array(rows.map(({ state }) => state.debits)),
    int8Array(rows.map(({ state }) => state.held)),
    int8Array(rows.map(({ state }) => state.version)),
    int8Array(rows.map(({ position }) => position)),
    limitsArray(rows.map(({ state }) => state)),
  ];
}
