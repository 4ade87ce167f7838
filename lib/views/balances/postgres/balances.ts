/** The balances view in PostgreSQL: one row per account, written with the checkpoint in one statement. */
import { type AccountColumns, accountStateOf } from '../../../log/account-state.js';
import type { Pool } from '../../../log/postgres-client.js';
import { PostgresApplier } from '../../stores/postgres/apply.js';
import { postgresGenerations, readCheckpoint, readDeadLetters } from '../../stores/postgres/generations.js';
import type { RowPage, ViewGenerations, ViewRow } from '../../view.js';
import { accountKey, contentOf, partsOfAccountKey } from '../fold.js';
import { PostgresBalanceReads } from './reads.js';
import { ledgerRowsSql, rowsSql } from './sql/rows.sql.js';
import { schemaSql } from './sql/schema.sql.js';
import { BalanceWriter } from './writer.js';
import type { BalancesView } from '../view.js';

/** The generations of the balances view. The pool is one of createPool. */
export function postgresBalances(pool: Pool): ViewGenerations<BalancesView> {
  return postgresGenerations<BalancesView>({
    pool,
    view: 'balances',
    createSchema: async (client, schema) => {
      await client.query(schemaSql(schema));
    },
    open: (schema, generation) => openView(pool, schema, generation),
  });
}

function openView(pool: Pool, schema: string, generation: number): BalancesView {
  const gathered = new Map<number, PostgresBalanceReads>();
  const writer = new BalanceWriter(schema);
  const applier = new PostgresApplier(
    pool,
    schema,
    (events, client) => writer.writesOf(events, client),
    () => {
      writer.reset();
    },
  );
  return {
    id: 'balances',
    store: 'postgres',
    generation,
    apply: (batch) => applier.apply(batch),
    deadLetters: (partition) => readDeadLetters(pool, schema, partition),
    unpark: (unparking) => applier.unpark(unparking),
    checkpoint: (partition) => readCheckpoint(pool, schema, partition),
    rows: (page) => rows(pool, schema, page),
    balances: (partition, ledgerId, accountIds) => {
      let reads = gathered.get(partition);
      if (reads === undefined) {
        reads = new PostgresBalanceReads(pool, schema, partition);
        gathered.set(partition, reads);
      }
      return reads.read(ledgerId, accountIds);
    },
  };
}

/** As selected by rows.sql.ts; the pool gives int8 as bigint. */
interface Row extends AccountColumns {
  readonly ledger_id: string;
  readonly position: bigint;
}

async function rows(pool: Pool, schema: string, page: RowPage): Promise<readonly ViewRow[]> {
  const { ledgerId, afterKey, limit } = page;
  const [afterLedger, afterAccount] = afterKey === null ? ['', ''] : partsOfAccountKey(afterKey);
  const ofAll = { name: `${schema}.rows`, text: rowsSql(schema), values: [afterLedger, afterAccount, limit] };
  const { rows: found } = await pool.query<Row>(
    ledgerId === null
      ? ofAll
      : {
          name: `${schema}.ledger_rows`,
          text: ledgerRowsSql(schema),
          values: [ledgerId, afterAccount, limit],
        },
  );
  return found.map((row) => {
    const { position } = row;
    const state = accountStateOf(row);
    return {
      key: accountKey(row.ledger_id, row.account_id),
      position,
      content: contentOf({ state, position }),
    };
  });
}
