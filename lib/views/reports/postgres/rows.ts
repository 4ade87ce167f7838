/** The canonical rows of the reports view in PostgreSQL. Their keys and contents are those of `rows.ts`. */
import type { Buffer } from 'node:buffer';
import { int4Array } from '../../../log/postgres-arrays.js';
import type { RowPage, ViewRow } from '../../view.js';
import { declineRow, entryRow, keyParts, type Section, SECTIONS, sumRow, volumeRow } from '../rows.js';
import { PackCursor } from './pack.js';
import { type LedgerNumber, recordsFrom } from './records.js';
import { RecordSums } from './record-sums.js';
import { entryRows, entryValues, volumeRows, volumeValues } from './rollup-values.js';
import type { ReportStore } from './standing.js';
import { ROLLUP_WIDTH } from '../fold.js';
import {
  accountsSql,
  declineSumsSql,
  entrySumsSql,
  horizonSql,
  nextLedgerSql,
  sumsStandingSql,
  volumeSumsSql,
} from './sql/rows.sql.js';

const INT32_MAX = 2_147_483_647;

/** @see View.rows */
export async function readRows(store: ReportStore, page: RowPage): Promise<readonly ViewRow[]> {
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

/** The first ledger at or after an id, or only that one. */
export async function nextLedger(
  store: ReportStore,
  ledgerId: string,
  only: boolean,
): Promise<LedgerNumber | undefined> {
  const { rows } = await store.pool.query<LedgerNumber>(nextLedgerSql(store.schema), [ledgerId, only]);
  return rows[0];
}

function sectionRows(
  store: ReportStore,
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

/** What every row of a record says. */
export function commonOf(cursor: PackCursor, { ledger_id }: LedgerNumber) {
  return {
    ledgerId: ledger_id,
    position: BigInt(cursor.position),
    effectiveTime: cursor.effectiveTime,
    recordedTime: BigInt(cursor.recordedTime),
  };
}

async function declines(
  store: ReportStore,
  ledger: LedgerNumber,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const rows: ViewRow[] = [];
  const from = after === '' ? 0n : BigInt(after) + 1n;
  for await (const cursor of recordsFrom(store, ledger, from)) {
    if (!cursor.isDecline) continue;
    const { what: reason, currency, principal } = cursor;
    rows.push(declineRow({ ...commonOf(cursor, ledger), reason, currency, principal }));
    if (rows.length >= limit) break;
  }
  return rows;
}

async function entries(
  store: ReportStore,
  ledger: LedgerNumber,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const [position = '0', index = '-1'] = after === '' ? [] : after.split(' ');
  const found: { account: number; row: Omit<Parameters<typeof entryRow>[0], AccountColumn> }[] = [];
  let first = Number(index) + 1;
  for await (const cursor of recordsFrom(store, ledger, BigInt(position))) {
    if (cursor.position !== Number(position)) first = 0;
    const common = { ...commonOf(cursor, ledger), kind: cursor.what };
    for (; first < cursor.entries && found.length < limit; first += 1) {
      const row = { ...common, index: first, amount: cursor.amount(first) };
      found.push({ account: cursor.account(first), row });
    }
    if (found.length >= limit) break;
  }
  const accounts = await accountsOf(
    store,
    found.map(({ account }) => account),
  );
  return found.map(({ account, row }) => {
    const known = accounts.get(account);
    if (known === undefined) throw new Error('an account of the reports has no row');
    return entryRow({ ...row, accountId: known.account_id, type: known.type, currency: known.currency });
  });
}

type AccountColumn = 'accountId' | 'type' | 'currency';

/** An account as the view numbers it. */
export interface AccountRow {
  readonly account: number;
  readonly account_id: string;
  readonly type: number;
  readonly currency: string;
}

/** The accounts of numbers, each once. */
export async function accountsOf({ pool, schema }: ReportStore, numbers: readonly number[]) {
  const { rows } = await pool.query<AccountRow>(accountsSql(schema), [int4Array([...new Set(numbers)])]);
  return new Map(rows.map((row) => [row.account, row]));
}

async function volumes(
  store: ReportStore,
  ledger: LedgerNumber,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const [position = '0', last = ''] = after === '' ? [] : after.split(' ');
  const rows: ViewRow[] = [];
  for await (const cursor of recordsFrom(store, ledger, BigInt(position))) {
    if (cursor.isDecline) continue;
    const common = { ...commonOf(cursor, ledger), kind: cursor.what };
    const sorted = cursor.volumes().sort((one, other) => (one.currency < other.currency ? -1 : 1));
    for (const { currency, principal } of sorted) {
      if (cursor.position === Number(position) && currency <= last) continue;
      rows.push(volumeRow({ ...common, currency, principal }));
      if (rows.length >= limit) return rows;
    }
  }
  return rows;
}

/** A kind of rows that are sums. */
export type SumSection = Exclude<Section, 'decline' | 'entry' | 'volume'>;

interface SumTable {
  readonly rollup: string;
  readonly sql: (schema: string) => string;
  /** The sums of the tail as parameters. */
  readonly values: (ledger: number, sums: readonly RecordSums[]) => unknown[];
}

const SUMS: Readonly<Record<SumSection, SumTable>> = {
  'sum-decline': {
    rollup: 'decline_rollup',
    sql: declineSumsSql,
    values: (ledger, sums) =>
      volumeValues(sums.flatMap(({ declines }) => [...volumeRows(ledger, declines.values())])),
  },
  'sum-entry': {
    rollup: 'entry_rollup',
    sql: entrySumsSql,
    values: (ledger, sums) =>
      entryValues(sums.flatMap(({ entries }) => [...entryRows(ledger, entries.values())])),
  },
  'sum-volume': {
    rollup: 'volume_rollup',
    sql: volumeSumsSql,
    values: (ledger, sums) =>
      volumeValues(sums.flatMap(({ volumes }) => [...volumeRows(ledger, volumes.values())])),
  },
};

/** Goes from 15-minute bucket to bucket, as many at a time as have rows enough for the page. */
export async function sums(
  store: ReportStore,
  number: LedgerNumber,
  section: SumSection,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const { pool, schema } = store;
  const { ledger, ledger_id, partition } = number;
  const { rollup, sql, values } = SUMS[section];
  const found: ViewRow[] = [];
  let first = after === '' ? 0 : Number(after.slice(0, 10));
  while (found.length < limit && first <= INT32_MAX) {
    const left = limit - found.length;
    const horizon = await pool.query<{ last: number | null }>(horizonSql(schema, rollup), [
      ledger,
      partition,
      first,
      left + 1,
    ]);
    const last = horizon.rows[0]?.last ?? INT32_MAX;
    const standing = await sumsStanding(store, number, first, last);
    const { rows } = await pool.query<{
      key: string;
      position: bigint;
      count: string;
      type?: number;
      currency?: string;
      principal?: string;
      debits?: string;
      credits?: string;
    }>(sql(schema), [
      ledger,
      standing.after,
      standing.through,
      left,
      after,
      ...values(ledger, standing.tail),
    ]);
    for (const { key, position, count, type, currency, principal, debits, credits } of rows) {
      const content = principal === undefined ? [count, type, currency, debits, credits] : [count, principal];
      found.push(sumRow(ledger_id, section, key, position, content));
    }
    first = last + 1;
  }
  return found;
}

/** The sealed positions of some buckets, and the sums of what the tail holds of a ledger in each. */
async function sumsStanding(
  { pool, schema }: ReportStore,
  { ledger, partition }: LedgerNumber,
  first: number,
  last: number,
) {
  const { rows } = await pool.query<{ after: bigint; through: bigint; pack: Buffer | null }>(
    sumsStandingSql(schema),
    [partition, first, last],
  );
  const tail = new Map<number, RecordSums>();
  for (const { pack } of rows) {
    if (pack === null) continue;
    const cursor = new PackCursor(pack);
    while (cursor.next()) {
      if (cursor.ledger !== ledger) continue;
      const bucket = Math.floor(cursor.recordedTime / Number(ROLLUP_WIDTH));
      let found = tail.get(bucket);
      if (found === undefined) tail.set(bucket, (found = new RecordSums()));
      found.add(cursor, bucket);
    }
  }
  return { after: rows[0]?.after ?? -1n, through: rows[0]?.through ?? -1n, tail: [...tail.values()] };
}
