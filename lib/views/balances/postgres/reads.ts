/** Look-ups of balances in PostgreSQL: one statement gives the rows and the checkpoint of one snapshot. */
import { Buffer } from 'node:buffer';
import type pg from 'pg';
import type { Pool } from '../../../log/postgres-client.js';
import { textArray } from '../../../log/postgres-arrays.js';
import { parkedOfText } from '../../parked/parked.js';
import { type Checkpoint, emptyCheckpoint } from '../../view.js';
import { accountState } from '../account-state.js';
import { type Ask, type BalancesRead, GatheredReads } from '../gathered-reads.js';
import { readSql } from './sql/read.sql.js';
import type { BalanceRow } from '../view.js';

/** Numbers stay texts until it is known of what they are. */
const AS_TEXT: pg.CustomTypesConfig = {
  getTypeParser: (() => (value: string) => value) as typeof pg.types.getTypeParser,
};

/** Gathers the look-ups in one partition of one generation. */
export class PostgresBalanceReads {
  readonly #pool: Pool;
  readonly #partition: number;
  readonly #statement: { readonly name: string; readonly text: string };
  readonly #gathered = new GatheredReads((asks) => this.#run(asks));
  #last: { readonly row: CheckpointColumns; readonly checkpoint: Checkpoint } | undefined;

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
  #checkpointIn(row: CheckpointColumns | undefined): Checkpoint {
    if (row === undefined) return emptyCheckpoint(this.#partition);
    const last = this.#last;
    const [, hash, epoch, position, recordedTime, offset] = row;
    const parkedBefore = last?.row[PARKED];
    const isSame = position === last?.row[3] && offset === last.row[5] && epoch === last.row[2];
    if (last !== undefined && isSame && row[PARKED] === parkedBefore) return last.checkpoint;
    const at = {
      partition: this.#partition,
      epoch: Number(epoch),
      position: BigInt(position),
      hash: Buffer.from(hash, 'hex'),
      recordedTime: BigInt(recordedTime),
      offset: BigInt(offset),
    };
    const parked = parkedOfText(row[PARKED]);
    const checkpoint = parked === undefined ? at : { ...at, parked };
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
    const { rows } = await this.#pool.query<AccountColumns | CheckpointColumns>({
      ...this.#statement,
      values: [this.#partition, textArray(ledgerIds), textArray(accountIds)],
      rowMode: 'array',
      types: AS_TEXT,
    });
    const found = new Array<BalanceRow | undefined>(accountIds.length);
    let checkpoint: CheckpointColumns | undefined;
    for (const row of rows) {
      if (isCheckpoint(row)) {
        checkpoint = row;
      } else {
        const index = Number(row[0]) - 1;
        found[index] = balanceRow(accountIds[index] ?? '', row);
      }
    }
    const asOf = this.#checkpointIn(checkpoint);
    let next = 0;
    for (const { accountIds: asked, resolve } of asks) {
      resolve({ value: found.slice(next, (next += asked.length)), asOf });
    }
  }
}

/** As `readSql` selects the checkpoint: nulls where an account has more columns. */
type CheckpointColumns = [
  place: null,
  hash: string,
  epoch: string,
  position: string,
  recordedTime: string,
  offset: string,
  overdraftLimit: null,
  credits: null,
  debits: null,
  held: null,
  version: null,
  parked: string,
];

/** The last of them. */
const PARKED = 11;

/** Of an account, where the checkpoint has what is parked. */
const LIMITS = 11;

/** As `readSql` selects an account. */
type AccountColumns = [
  place: string,
  currency: string,
  type: string,
  status: string,
  freezeScope: string,
  overdraftLimit: string,
  credits: string,
  debits: string,
  held: string,
  version: string,
  changed: string,
  /** In hexadecimal digits. */
  limits: string | null,
];

function isCheckpoint(row: AccountColumns | CheckpointColumns): row is CheckpointColumns {
  return row[0] === null;
}

function balanceRow(accountId: string, row: AccountColumns): BalanceRow {
  const [, currency, type, status, freezeScope, overdraftLimit, credits, debits, held, version, changed] =
    row;
  const state = accountState(accountId, {
    type,
    currency,
    status,
    freezeScope,
    overdraftLimit,
    credits,
    debits,
    held,
    version,
    limits: row[LIMITS] === null ? null : Buffer.from(row[LIMITS], 'hex'),
  });
  return { state, position: BigInt(changed) };
}
