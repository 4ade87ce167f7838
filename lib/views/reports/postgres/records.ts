/** The single records of a ledger, in order of position, whether sealed or not. */
import type { Buffer } from 'node:buffer';
import { PackCursor } from './pack.js';
import { packsFromSql } from './sql/rows.sql.js';
import type { ReportStore } from './standing.js';

/** A ledger as the view numbers it. */
export interface LedgerNumber {
  readonly ledger: number;
  readonly ledger_id: string;
  readonly partition: number;
}

/** Packs read at a time. A page of rows mostly needs one; who needs all of them asks for more at a time. */
const PAGE_PACKS = 4;

/** Stands at each record from a position on: always the same cursor for a pack. */
export async function* recordsFrom(
  { pool, schema }: ReportStore,
  { ledger, partition }: LedgerNumber,
  position: bigint,
  packs = PAGE_PACKS,
): AsyncGenerator<PackCursor> {
  let from = position;
  for (;;) {
    const { rows } = await pool.query<{ through: bigint; pack: Buffer }>({
      name: `${schema}.packs_from`,
      text: packsFromSql(schema),
      values: [ledger, partition, from, packs],
    });
    if (rows.length === 0) return;
    for (const { through, pack } of rows) {
      const cursor = new PackCursor(pack);
      while (cursor.next()) {
        // Of the tail, a pack that began before may have been sealed together with others since.
        if (cursor.ledger === ledger && cursor.position >= from) yield cursor;
      }
      from = through + 1n;
    }
  }
}
