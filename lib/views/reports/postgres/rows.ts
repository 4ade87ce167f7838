/** The canonical rows of the reports view in PostgreSQL. Their keys and contents are those of `rows.ts`. */
import type { Pool } from '../../../log/postgres-client.js';
import type { RowPage, ViewRow } from '../../view.js';
import { declineRow, entryRow, keyParts, type Section, SECTIONS, sumRow, volumeRow } from '../rows.js';
import {
  declineRowsSql,
  declineSumsSql,
  entryRowsSql,
  entrySumsSql,
  horizonSql,
  nextLedgerSql,
  volumeRowsSql,
  volumeSumsSql,
} from './sql/rows.sql.js';

interface LedgerNumber {
  readonly ledger: number;
  readonly ledger_id: string;
  readonly partition: number;
}

interface Store {
  readonly pool: Pool;
  readonly schema: string;
}

const INT32_MAX = 2_147_483_647;

/** @see View.rows */
export async function readRows(store: Store, page: RowPage): Promise<readonly ViewRow[]> {
  const after = page.afterKey === null ? undefined : keyParts(page.afterKey);
  const rows: ViewRow[] = [];
  let ledger = await nextLedger(store, page.ledgerId ?? after?.ledgerId ?? '', page.ledgerId !== null);
  while (ledger !== undefined) {
    const isAfters = ledger.ledger_id === after?.ledgerId;
    for (const section of SECTIONS) {
      if (isAfters && section < after.section) continue;
      const rest = isAfters && section === after.section ? after.rest : '';
      rows.push(...(await sectionRows(store, ledger, section, rest, page.limit - rows.length)));
      if (rows.length >= page.limit) return rows;
    }
    if (page.ledgerId !== null) break;
    // A space sorts before every character of an id: this is the least id beyond it.
    ledger = await nextLedger(store, `${ledger.ledger_id} `, false);
  }
  return rows;
}

async function nextLedger(store: Store, ledgerId: string, only: boolean): Promise<LedgerNumber | undefined> {
  const { rows } = await store.pool.query<LedgerNumber>(nextLedgerSql(store.schema), [ledgerId, only]);
  return rows[0];
}

function sectionRows(
  store: Store,
  ledger: LedgerNumber,
  section: Section,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  switch (section) {
    case 'decline':
      return declines(store, ledger, after, limit);
    case 'entry':
      return entries(store, ledger, after, limit);
    case 'volume':
      return volumes(store, ledger, after, limit);
    default:
      return sums(store, ledger, section, after, limit);
  }
}

async function declines(
  { pool, schema }: Store,
  { ledger, ledger_id }: LedgerNumber,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const position = after === '' ? -1n : BigInt(after);
  const { rows } = await pool.query<{
    position: bigint;
    recorded_time: bigint;
    principal: bigint;
    reason: number;
    currency: string;
  }>(declineRowsSql(schema), [ledger, position, limit]);
  return rows.map((row) => declineRow({ ...row, ledgerId: ledger_id, recordedTime: row.recorded_time }));
}

async function entries(
  { pool, schema }: Store,
  { ledger, ledger_id }: LedgerNumber,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const [position = '-1', index = '-1'] = after === '' ? [] : after.split(' ');
  const { rows } = await pool.query<{
    position: bigint;
    index: number;
    account_id: string;
    type: number;
    currency: string;
    kind: number;
    amount: bigint;
    effective_time: bigint;
    recorded_time: bigint;
  }>(entryRowsSql(schema), [ledger, BigInt(position), BigInt(index), limit]);
  return rows.map((row) =>
    entryRow({
      ...row,
      ledgerId: ledger_id,
      accountId: row.account_id,
      effectiveTime: row.effective_time,
      recordedTime: row.recorded_time,
    }),
  );
}

async function volumes(
  { pool, schema }: Store,
  { ledger, ledger_id }: LedgerNumber,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const [position = '-1', currency = ''] = after === '' ? [] : after.split(' ');
  const { rows } = await pool.query<{
    position: bigint;
    currency: string;
    kind: number;
    principal: string;
    effective_time: bigint;
    recorded_time: bigint;
  }>(volumeRowsSql(schema), [ledger, BigInt(position), currency, limit]);
  return rows.map((row) =>
    volumeRow({
      ...row,
      ledgerId: ledger_id,
      effectiveTime: row.effective_time,
      recordedTime: row.recorded_time,
      principal: BigInt(row.principal),
    }),
  );
}

type SumSection = Exclude<Section, 'decline' | 'entry' | 'volume'>;

const SUMS: Readonly<Record<SumSection, { rollup: string; sql: (schema: string) => string }>> = {
  'sum-decline': { rollup: 'decline_rollup', sql: declineSumsSql },
  'sum-entry': { rollup: 'entry_rollup', sql: entrySumsSql },
  'sum-volume': { rollup: 'volume_rollup', sql: volumeSumsSql },
};

/** Goes from 15-minute bucket to bucket, as many at a time as have rows enough for the page. */
async function sums(
  { pool, schema }: Store,
  { ledger, ledger_id, partition }: LedgerNumber,
  section: SumSection,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const { rollup, sql } = SUMS[section];
  const found: ViewRow[] = [];
  let first = after === '' ? 0 : Number(after.slice(0, 10));
  while (found.length < limit && first <= INT32_MAX) {
    const horizon = await pool.query<{ last: number | null }>(horizonSql(schema, rollup), [
      ledger,
      first,
      limit - found.length + 1,
    ]);
    const last = horizon.rows[0]?.last ?? INT32_MAX;
    const { rows } = await pool.query<{
      key: string;
      position: bigint;
      count: string;
      type?: number;
      currency?: string;
      principal?: string;
      debits?: string;
      credits?: string;
    }>(sql(schema), [ledger, partition, first, last, limit - found.length, after]);
    for (const { key, position, count, type, currency, principal, debits, credits } of rows) {
      const content = principal === undefined ? [count, type, currency, debits, credits] : [count, principal];
      found.push(sumRow(ledger_id, section, key, position, content));
    }
    first = last + 1;
  }
  return found;
}
