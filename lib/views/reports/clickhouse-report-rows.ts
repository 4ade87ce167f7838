/** The canonical rows of the reports view in ClickHouse. Their keys and contents are those of `rows.ts`. */
import { select } from '../clickhouse-client.js';
import type { RowPage, ViewRow } from '../view.js';
import type { ReadPlace } from './clickhouse-report-queries.js';
import { FACT } from './clickhouse-report-schema.js';
import { type Place, sourceParams, sourceSql, type Span, spanOf } from './clickhouse-report-source.js';
import { ROLLUP_WIDTH } from './fold.js';
import { declineRow, entryRow, keyParts, type Section, SECTIONS, sumRow, volumeRow } from './rows.js';

/** What is read of a ledger, after a key. */
interface Reading {
  readonly place: Place;
  readonly ledgerId: string;
  /** As of one checkpoint for all sections of a page. */
  readonly span: Span;
}

/** @see View.rows */
export async function readRows(
  place: ReadPlace,
  partitionOf: (ledgerId: string) => number,
  page: RowPage,
): Promise<readonly ViewRow[]> {
  const after = page.afterKey === null ? undefined : keyParts(page.afterKey);
  const rows: ViewRow[] = [];
  let ledgerId = page.ledgerId ?? (await nextLedger(place, after?.ledgerId ?? ''));
  while (ledgerId !== undefined && rows.length < page.limit) {
    const partition = partitionOf(ledgerId);
    const { checkpoint, sealed } = await place.checkpoints.standing(partition);
    const reading = { place, ledgerId, span: spanOf(checkpoint.position, sealed) };
    const isAfters = ledgerId === after?.ledgerId;
    for (const section of SECTIONS) {
      if ((isAfters && section < after.section) || rows.length >= page.limit) continue;
      const rest = isAfters && section === after.section ? after.rest : '';
      rows.push(...(await sectionRows(reading, section, rest, page.limit - rows.length)));
    }
    // A space sorts before every character of an id: this is the least id beyond it.
    ledgerId = page.ledgerId === null ? await nextLedger(place, `${ledgerId} `) : undefined;
  }
  return rows;
}

/** The first ledger at or after an id. */
async function nextLedger({ client, prefix }: Place, from: string): Promise<string | undefined> {
  const [row] = await select<{ ledger_id: string }>(
    client,
    `SELECT ledger_id FROM ${prefix}_facts WHERE ledger_id >= {from:String} ORDER BY ledger_id LIMIT 1`,
    { from },
  );
  return row?.ledger_id;
}

function sectionRows(reading: Reading, section: Section, after: string, limit: number): Promise<ViewRow[]> {
  switch (section) {
    case 'entry':
      return entries(reading, after, limit);
    case 'volume':
    case 'decline':
      return single(reading, section, after, limit);
    case 'sum-entry':
      return sums(reading, FACT.entry, section, after, limit);
    case 'sum-volume':
      return sums(reading, FACT.volume, section, after, limit);
    case 'sum-decline':
      return sums(reading, FACT.decline, section, after, limit);
  }
}

interface FactRow {
  readonly position: string;
  readonly entry: number;
  readonly account_id: string;
  readonly type: number;
  readonly currency: string;
  readonly kind: number;
  readonly amount: string;
  readonly effective_time: string;
  readonly recorded_time: string;
}

async function facts(
  { place: { client, prefix }, ledgerId: ledger, span: { through } }: Reading,
  fact: number,
  beyond: string,
  params: Record<string, string | number | bigint>,
): Promise<(ReturnType<typeof plain> & { index: number })[]> {
  const rows = await select<FactRow>(
    client,
    `SELECT position, entry, account_id, type, currency, kind, toString(amount) AS amount, effective_time, recorded_time
    FROM ${prefix}_facts FINAL
    WHERE ledger_id = {ledger:String} AND fact = {fact:UInt8} AND position <= {through:Int64} AND ${beyond}`,
    { ledger, fact, through, ...params },
  );
  return rows.map((row) => ({ ...plain(ledger, row), index: row.entry }));
}

function plain(ledgerId: string, row: FactRow) {
  const { currency, kind, type } = row;
  return {
    ...{ ledgerId, currency, kind, type, accountId: row.account_id },
    position: BigInt(row.position),
    amount: BigInt(row.amount),
    effectiveTime: BigInt(row.effective_time),
    recordedTime: BigInt(row.recorded_time),
  };
}

async function entries(reading: Reading, after: string, limit: number): Promise<ViewRow[]> {
  const [position = '-1', index = '-1'] = after === '' ? [] : after.split(' ');
  const found = await facts(
    reading,
    FACT.entry,
    `position >= {position:Int64} AND (position, toInt32(entry)) > ({position:Int64}, {index:Int32})
    ORDER BY position, entry LIMIT {limit:UInt32}`,
    { position: BigInt(position), index: Number(index), limit },
  );
  return found.map(entryRow);
}

async function single(
  reading: Reading,
  section: 'volume' | 'decline',
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const [position = '-1', currency = ''] = after === '' ? [] : after.split(' ');
  // A decline has one row and its key no currency.
  const isVolume = section === 'volume';
  const found = await facts(
    reading,
    FACT[section],
    `position >= {position:Int64} AND ${
      isVolume
        ? `(position, toString(currency)) > ({position:Int64}, {currency:String})`
        : 'position > {position:Int64}'
    }
    ORDER BY position, currency LIMIT {limit:UInt32}`,
    { position: BigInt(position), currency, limit },
  );
  return found.map(({ amount: principal, ...row }) =>
    isVolume ? volumeRow({ ...row, principal }) : declineRow({ ...row, principal, reason: row.kind }),
  );
}

const PAD = "leftPad(toString(recorded_bucket), 10, '0')";
const PADS = `concat(${PAD}, ' ', leftPad(toString(effective_bucket), 10, '0'))`;

/** What comes after the buckets in the key of a sum; contents as in rows.ts. */
const KEYS: Readonly<Record<'sum-entry' | 'sum-volume' | 'sum-decline', string>> = {
  'sum-entry': `concat(${PADS}, ' ', account_id, ' ', toString(kind))`,
  'sum-volume': `concat(${PADS}, ' ', toString(currency), ' ', toString(kind))`,
  'sum-decline': `concat(${PAD}, ' ', toString(currency), ' ', toString(kind))`,
};

interface SumColumns {
  readonly key: string;
  readonly last: string;
  readonly entries: string;
  readonly account_type: number;
  readonly any_currency: string;
  readonly debit_sum: string;
  readonly credit_sum: string;
}

/** Goes from 15-minute bucket to bucket, as many at a time as have rows enough for the page. */
async function sums(
  { place, ledgerId: ledger, span }: Reading,
  fact: number,
  section: keyof typeof KEYS,
  after: string,
  limit: number,
): Promise<ViewRow[]> {
  const rows: ViewRow[] = [];
  const params = { ...sourceParams(span, []), ledger, fact, after };
  let from = after === '' ? 0n : BigInt(after.slice(0, 10));
  while (rows.length < limit) {
    const last = await horizon(place, { ledger, fact, from, wanted: limit - rows.length });
    if (last === undefined) break;
    const found = await select<SumColumns>(
      place.client,
      `SELECT ${KEYS[section]} AS key, max(position) AS last, toString(sum(n)) AS entries, any(type) AS account_type,
        any(toString(currency)) AS any_currency, toString(sum(debits)) AS debit_sum, toString(sum(credits)) AS credit_sum
      FROM (${sourceSql(place.prefix, 'recorded')}) WHERE recorded_bucket >= {from:Int64} AND recorded_bucket <= {to:Int64}
      GROUP BY key HAVING key > {after:String} ORDER BY key LIMIT {limit:UInt32}`,
      { ...params, from, to: last, limit: limit - rows.length },
    );
    rows.push(...found.map((row) => sumOf(ledger, section, row)));
    from = last + 1n;
  }
  return rows;
}

function sumOf(ledger: string, section: keyof typeof KEYS, row: SumColumns): ViewRow {
  const { key, last, entries, account_type, any_currency, debit_sum, credit_sum } = row;
  const content =
    section === 'sum-entry'
      ? [entries, account_type, any_currency, debit_sum, credit_sum]
      : [entries, credit_sum];
  return sumRow(ledger, section, key, BigInt(last), content);
}

/**
 * The recorded bucket up to which there are facts enough for so many sums, of which there are not more than facts; undefined
 * where none follow. Repeated facts and those beyond the checkpoint only make it nearer.
 */
async function horizon(
  { client, prefix }: Place,
  {
    ledger,
    fact,
    from,
    wanted,
  }: { readonly ledger: string; readonly fact: number; readonly from: bigint; readonly wanted: number },
): Promise<bigint | undefined> {
  const found = await select<{ bucket: string; facts: string }>(
    client,
    `SELECT intDiv(recorded_time, toInt64(${String(ROLLUP_WIDTH)})) AS bucket, count() AS facts FROM ${prefix}_facts
    WHERE ledger_id = {ledger:String} AND fact = {fact:UInt8} AND recorded_time >= {time:Int64}
    GROUP BY bucket ORDER BY bucket LIMIT {wanted:UInt32}`,
    { ledger, fact, time: from * ROLLUP_WIDTH, wanted },
  );
  let facts = 0n;
  for (const each of found) {
    facts += BigInt(each.facts);
    if (facts > BigInt(wanted)) return BigInt(each.bucket);
  }
  const last = found.at(-1);
  return last === undefined ? undefined : BigInt(last.bucket);
}
