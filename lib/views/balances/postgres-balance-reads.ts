/**
 * Look-ups of balances, gathered: while a statement runs, those who ask wait for the next one, which answers them all. A
 * look-up alone starts at once; under load a statement costs its round trip once for dozens of callers.
 */
import { Buffer } from 'node:buffer';
import { create } from '@bufbuild/protobuf';
import type pg from 'pg';
import type { AccountStatus, AccountType, FreezeScope } from '../../../gen/quittance/common/v1/account_pb.js';
import { AccountStateSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import type { Pool } from '../../log/postgres-client.js';
import { textArray } from '../../log/postgres-arrays.js';
import { orGone } from '../postgres-generations.js';
import { type Checkpoint, emptyCheckpoint, type Read } from '../view.js';
import { readSql } from './sql/read.sql.js';
import type { BalanceRow } from './view.js';

/** What a look-up answers: rows in the order asked for, and the checkpoint of the same snapshot. */
export type BalancesRead = Read<readonly (BalanceRow | undefined)[]>;

interface Ask {
  readonly ledgerId: string;
  readonly accountIds: readonly string[];
  readonly resolve: (read: BalancesRead) => void;
  readonly reject: (error: unknown) => void;
}

/** Statements under way at a time, for each partition: while one is decoded here, another runs in PostgreSQL. */
const STATEMENTS = 2;
/** No further look-up joins a statement that asks for so many accounts. */
const STATEMENT_ACCOUNTS = 1_000;

/** Values stay texts until it is known which of them are needed: the checkpoint stands in every row. */
const AS_TEXT: pg.CustomTypesConfig = {
  getTypeParser: (() => (value: string) => value) as typeof pg.types.getTypeParser,
};

/** Gathers the look-ups in one partition of one generation. */
export class PostgresBalanceReads {
  readonly #pool: Pool;
  readonly #generation: number;
  readonly #partition: number;
  readonly #statement: { readonly name: string; readonly text: string };
  #waiting: Ask[] = [];
  #running = 0;
  #starting = false;
  #last: { readonly row: Columns; readonly checkpoint: Checkpoint } | undefined;

  constructor(pool: Pool, schema: string, generation: number, partition: number) {
    this.#pool = pool;
    this.#generation = generation;
    this.#partition = partition;
    this.#statement = { name: `${schema}.read`, text: readSql(schema) };
  }

  /** Reads from a snapshot taken after this call. */
  read(ledgerId: string, accountIds: readonly string[]): Promise<BalancesRead> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ledgerId, accountIds, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    if (this.#starting || this.#running >= STATEMENTS || this.#waiting.length === 0) return;
    this.#starting = true;
    // All that arrived in this turn of the event loop come along.
    setImmediate(() => {
      this.#starting = false;
      const asks = this.#take();
      this.#running++;
      this.#run(asks)
        .catch((error: unknown) => {
          for (const ask of asks) ask.reject(error);
        })
        .finally(() => {
          this.#running--;
          this.#start();
        });
      this.#start();
    });
  }

  #take(): Ask[] {
    let accounts = 0;
    const count = this.#waiting.findIndex((ask) => (accounts += ask.accountIds.length) > STATEMENT_ACCOUNTS);
    if (count < 0) {
      const asks = this.#waiting;
      this.#waiting = [];
      return asks;
    }
    return this.#waiting.splice(0, Math.max(1, count));
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
    const { rows } = await orGone(
      'balances',
      this.#generation,
      this.#pool.query<Columns>({
        ...this.#statement,
        values: [this.#partition, textArray(ledgerIds), textArray(accountIds)],
        rowMode: 'array',
        types: AS_TEXT,
      }),
    );
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
  ...[epoch: string, position: string, hash: string, recordedTime: string, offset: string],
  ...[place: string | null, type: string, currency: string, status: string, freezeScope: string],
  ...[overdraftLimit: string, credits: string, debits: string, held: string],
  ...[version: string, changed: string],
];

const PLACE = 5;

function balanceRow(accountId: string, row: Columns): BalanceRow {
  const [, , , , , , type, currency, status, freezeScope, overdraftLimit, credits, debits, held, version] =
    row;
  const state = create(AccountStateSchema);
  state.accountId = accountId;
  state.type = numberOf(type) as AccountType;
  state.currency = currency;
  state.status = numberOf(status) as AccountStatus;
  state.freezeScope = numberOf(freezeScope) as FreezeScope;
  state.overdraftLimit = BigInt(overdraftLimit);
  state.credits = BigInt(credits);
  state.debits = BigInt(debits);
  state.held = BigInt(held);
  state.version = BigInt(version);
  return { state, position: BigInt(row[15]) };
}

/** Of an enum: what the writer wrote, who lets only known values pass. */
function numberOf(text: string): unknown {
  return Number(text);
}
