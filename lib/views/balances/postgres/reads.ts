/** Look-ups of balances in PostgreSQL: one statement gives the rows and the checkpoint of one snapshot. */
import { Buffer } from 'node:buffer';
import type pg from 'pg';
import type { Pool } from '../../../log/postgres-client.js';
import { textArray } from '../../../log/postgres-arrays.js';
import { type Checkpoint, emptyCheckpoint } from '../../view.js';
import { accountState } from '../account-state.js';
import { type Ask, type BalancesRead, GatheredReads } from '../gathered-reads.js';
import { readSql } from './sql/read.sql.js';
import type { BalanceRow } from '../view.js';

/** Values stay texts until it is known which of them are needed: the checkpoint stands in every row. */
const AS_TEXT: pg.CustomTypesConfig = {
  getTypeParser: (() => (value: string) => value) as typeof pg.types.getTypeParser,
};

/** Gathers the look-ups in one partition of one generation. */
export class PostgresBalanceReads {
  readonly #pool: Pool;
  readonly #partition: number;
  readonly #statement: { readonly name: string; readonly text: string };
  readonly #gathered = new GatheredReads((asks) => this.#run(asks));
  #last: { readonly row: Columns; readonly checkpoint: Checkpoint } | undefined;

  constructor(pool: Pool, schema: string, partition: number) {
    this.#pool = pool;
    this.#partition = partition;
    this.#statement = { name: `${schema}.read`, text: readSql(schema) };
  }

  /** Reads from a snapshot taken after this call. */
  read(ledgerId: string, accountIds: readonly string[]): Promise<BalancesRead> {
    return this.#gathered.read(ledgerId, accountIds);
  }

  /** The same object as long as the view stands still, so that callers can keep what they make of it. */
  #checkpointIn(row: Columns | undefined): Checkpoint {
    const last = this.#last;
    if (row === undefined) return emptyCheckpoint(this.#partition);
    if (last !== undefined && row[1] === last.row[1] && row[4] === last.row[4] && row[0] === last.row[0]) {
      return last.checkpoint;
    }
    const [epoch, position, hash, recordedTime, offset] = row;
    const checkpoint = {
      partition: this.#partition,
      epoch: Number(epoch),
      position: BigInt(position),
      // As PostgreSQL writes bytea: \x and hexadecimal digits.
      hash: Buffer.from(hash.slice(2), 'hex'),
      recordedTime: BigInt(recordedTime),
      offset: BigInt(offset),
    };
    this.#last = { row, checkpoint };
    return checkpoint;
  }

  async #run(asks: readonly Ask[]): Promise<void> {
    const ledgerIds: string[] = [];
    const accountIds: string[] = [];
    for (const ask of asks) {
      for (const accountId of ask.accountIds) {
        ledgerIds.push(ask.ledgerId);
        accountIds.push(accountId);
      }
    }
    const { rows } = await this.#pool.query<Columns>({
      ...this.#statement,
      values: [this.#partition, textArray(ledgerIds), textArray(accountIds)],
      rowMode: 'array',
      types: AS_TEXT,
    });
    const asOf = this.#checkpointIn(rows[0]);
    const found = new Array<BalanceRow | undefined>(accountIds.length);
    for (const row of rows) {
      const place = row[PLACE];
      if (place === null) continue;
      const index = Number(place) - 1;
      found[index] = balanceRow(accountIds[index] ?? '', row);
    }
    let next = 0;
    for (const { accountIds: asked, resolve } of asks) {
      resolve({ value: found.slice(next, (next += asked.length)), asOf });
    }
  }
}

/** As `readSql` selects them; from `place` on null where no account was found. */
type Columns = [
  epoch: string,
  position: string,
  hash: string,
  recordedTime: string,
  offset: string,
  place: string | null,
  type: string,
  currency: string,
  status: string,
  freezeScope: string,
  overdraftLimit: string,
  credits: string,
  debits: string,
  held: string,
  version: string,
  changed: string,
];

const PLACE = 5;

function balanceRow(accountId: string, row: Columns): BalanceRow {
  const [, , , , , , type, currency, status, freezeScope, overdraftLimit, credits, debits, held, version] =
    row;
  const figures = { type, currency, status, freezeScope, overdraftLimit, credits, debits, held, version };
  return { state: accountState(accountId, figures), position: BigInt(row[15]) };
}
