/** The canonical rows of the reports view in ClickHouse. Their keys and contents are those of `rows.ts`. */
import type { Standing } from '../../stores/clickhouse/checkpoints.js';
import type { Parameters } from '../../stores/clickhouse/client.js';
import type { RowPage, ViewRow } from '../../view.js';
import type { ReportStore } from './queries.js';
import { declineRow, entryRow, keyParts, type Section, SECTIONS, sumRow, volumeRow } from '../rows.js';
import {
  declineRowsSql,
  entryRowsSql,
  horizonSql,
  nextLedgerSql,
  type SumSection,
  sumsSql,
  volumeRowsSql,
} from './sql/rows.sql.js';
import { CHUNK } from './sql/schema.sql.js';

interface LedgerRead extends ReportStore {
  readonly ledgerId: string;
  /** Of every statement. */
  readonly scope: Parameters;
}

const INT32_MAX = 2_147_483_647;

/** Each page is as of the checkpoints when it was asked for. @see View.rows */
export async function readRows(store: ReportStore, page: RowPage): Promise<readonly ViewRow[]> {
  const standings = await store.checkpoints.read();
  const after = page.afterKey === null ? undefined : keyParts(page.afterKey);
  const rows: ViewRow[] = [];
  let ledger = await nextLedger(store, page.ledgerId ?? after?.ledgerId ?? '', page.ledgerId !== null);
  while (ledger !== undefined) {
    const { ledger_id: ledgerId, partition } = ledger;
    const read = { ...store, ledgerId, scope: scopeOf(ledgerId, standings.of(partition)) };
    const isAfters = ledgerId === after?.ledgerId;
    for (const section of SECTIONS) {
      if (isAfters && section < after.section) continue;
      const rest = isAfters && section === after.section ? after.rest : '';
      rows.push(...(await sectionRows(read, section, rest, page.limit - rows.length)));
      if (rows.length >= page.limit) return rows;
    }
    if (page.ledgerId !== null) break;
    // A space sorts before every character of an id: this is the least id beyond it.
    ledger = await nextLedger(store, `${ledgerId} `, false);
  }
  return rows;
}

function scopeOf(ledger: string, { checkpoint, sealed }: Standing): Parameters {
  return { ledger, through: checkpoint.position, sealed, tail: (sealed + 1n) * CHUNK - 1n };
}

async function nextLedger({ store, tables }: ReportStore, ledger: string, only: boolean) {
  const [row] = await store.select<{ ledger_id: string; partition: number }>(nextLedgerSql(tables, only), {
    ledger,
  });
  return row;
}

function sectionRows(read: LedgerRead, section: Section, after: string, limit: number): Promise<ViewRow[]> {
  switch (section) {
    case 'decline':
      return declines(read, after, limit);
    case 'entry':
      return entries(read, after, limit);
    case 'volume':
      return volumes(read, after, limit);
    default:
      return sums(read, section, after, limit);
  }
}

async function declines(
  { store, tables, ledgerId, scope }: LedgerRead,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const rows = await store.select<{
    at: string;
    recorded: string;
    principal_text: string;
    reason: number;
    row_currency: string;
  }>(declineRowsSql(tables), { ...scope, after: after === '' ? -1n : BigInt(after), limit });
  return rows.map((row) =>
    declineRow({
      ledgerId,
      position: BigInt(row.at),
      recordedTime: BigInt(row.recorded),
      reason: row.reason,
      currency: row.row_currency,
      principal: BigInt(row.principal_text),
    }),
  );
}

async function entries(
  { store, tables, ledgerId, scope }: LedgerRead,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const [position = '-1', index = '-1'] = after === '' ? [] : after.split(' ');
  const rows = await store.select<{
    at: string;
    index: number;
    account_id: string;
    type: number;
    row_currency: string;
    kind: number;
    amount: string;
    effective: string;
    recorded: string;
  }>(entryRowsSql(tables), { ...scope, after: BigInt(position), index: Number(index), limit });
  return rows.map((row) =>
    entryRow({
      ledgerId,
      position: BigInt(row.at),
      index: row.index,
      accountId: row.account_id,
      type: row.type,
      currency: row.row_currency,
      kind: row.kind,
      amount: BigInt(row.amount),
      effectiveTime: BigInt(row.effective),
      recordedTime: BigInt(row.recorded),
    }),
  );
}

async function volumes(
  { store, tables, ledgerId, scope }: LedgerRead,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const [position = '-1', currency = ''] = after === '' ? [] : after.split(' ');
  const rows = await store.select<{
    at: string;
    row_currency: string;
    kind: number;
    principal_text: string;
    effective: string;
    recorded: string;
  }>(volumeRowsSql(tables), { ...scope, after: BigInt(position), after_currency: currency, limit });
  return rows.map((row) =>
    volumeRow({
      ledgerId,
      position: BigInt(row.at),
      currency: row.row_currency,
      kind: row.kind,
      principal: BigInt(row.principal_text),
      effectiveTime: BigInt(row.effective),
      recordedTime: BigInt(row.recorded),
    }),
  );
}

interface SumColumns {
  readonly key: string;
  readonly last_position: string;
  readonly type: number;
  readonly currency_text: string;
  readonly entries_text: string;
  readonly debits_text: string;
  readonly credits_text: string;
  readonly transactions_text: string;
  readonly principal_text: string;
}

/** Goes from 15-minute bucket to bucket, as many at a time as have rows enough for the page. */
async function sums(
  { store, tables, ledgerId, scope }: LedgerRead,
  section: SumSection,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const found: ViewRow[] = [];
  let first = after === '' ? 0 : Number(after.slice(0, 10));
  while (found.length < limit && first <= INT32_MAX) {
    const wanted = limit - found.length;
    const [horizon] = await store.select<{ bucket: number }>(horizonSql(tables), {
      ...scope,
      first,
      limit: wanted,
    });
    const last = horizon?.bucket ?? INT32_MAX;
    const rows = await store.select<SumColumns>(sumsSql(tables, section), {
      ...scope,
      first,
      last,
      limit: wanted,
      after,
    });
    for (const row of rows) {
      found.push(sumRow(ledgerId, section, row.key, BigInt(row.last_position), contentOf(section, row)));
    }
    // A page that is full may have left more in these buckets: the next begins after its last key.
    first = last + 1;
  }
  return found;
}

function contentOf(section: SumSection, row: SumColumns): (string | number)[] {
  return section === 'sum-entry'
    ? [row.entries_text, row.type, row.currency_text, row.debits_text, row.credits_text]
    : [row.transactions_text, row.principal_text];
}
