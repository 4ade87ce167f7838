/** The statements that a sealed segment is written with. */
import type { Buffer } from 'node:buffer';
import { byteaArray, int4Array, int8Array } from '../../../log/postgres-arrays.js';
import { entryRows, entryValues, volumeRows, volumeValues } from './rollup-values.js';
import type { LedgerSums, SegmentSums } from './segment-sums.js';
import {
  insertDeclineSumsSql,
  insertEntrySumsSql,
  insertOffTimePacksSql,
  insertPacksSql,
  insertVolumeSumsSql,
} from './sql/seal.sql.js';

/** Rows that one statement writes. */
const STATEMENT_ROWS = 10_000;

/** A statement and its parameters. */
export interface SealedWrite {
  readonly text: string;
  readonly values: unknown[];
}

interface PackRow {
  readonly ledger: number;
  /** The 15 minutes that its records are dated in. */
  readonly bucket: number;
  readonly through: bigint;
  readonly bytes: Buffer;
}

/** All that is written of a segment beside its row in `segments`, some rows at a time. */
export function* sealedWrites(schema: string, segment: SegmentSums): Generator<SealedWrite> {
  const ledgers = [...segment.ledgers.values()];
  for (const rows of chunks(ledgers, packRows)) {
    const values = [ledgersOf(rows), throughsOf(rows), bytesOf(rows)];
    yield { text: insertPacksSql(schema), values };
  }
  for (const rows of chunks(ledgers, offTimeRows)) {
    const buckets = int4Array(rows.map(({ bucket }) => bucket));
    const values = [ledgersOf(rows), buckets, throughsOf(rows), bytesOf(rows)];
    yield { text: insertOffTimePacksSql(schema), values };
  }
  for (const rows of chunks(ledgers, ({ ledger, sums }) => entryRows(ledger, sums.entries.values()))) {
    yield { text: insertEntrySumsSql(schema), values: entryValues(rows) };
  }
  for (const rows of chunks(ledgers, ({ ledger, sums }) => volumeRows(ledger, sums.volumes.values()))) {
    yield { text: insertVolumeSumsSql(schema), values: volumeValues(rows) };
  }
  for (const rows of chunks(ledgers, ({ ledger, sums }) => volumeRows(ledger, sums.declines.values()))) {
    yield { text: insertDeclineSumsSql(schema), values: volumeValues(rows) };
  }
}

function* packRows({ ledger, packs }: LedgerSums): Generator<PackRow> {
  for (const { pack, through } of packs) {
    yield { ledger, bucket: pack.segment.bucket, through, bytes: pack.bytes() };
  }
}

function* offTimeRows({ ledger, offTime }: LedgerSums): Generator<PackRow> {
  for (const [bucket, packs] of offTime) {
    for (const { pack, through } of packs) yield { ledger, bucket, through, bytes: pack.bytes() };
  }
}

function ledgersOf(rows: readonly PackRow[]): Buffer {
  return int4Array(rows.map(({ ledger }) => ledger));
}

function throughsOf(rows: readonly PackRow[]): Buffer {
  return int8Array(rows.map(({ through }) => through));
}

function bytesOf(rows: readonly PackRow[]): Buffer {
  return byteaArray(rows.map(({ bytes }) => bytes));
}

/** The rows of all ledgers, STATEMENT_ROWS at a time. */
function* chunks<T>(
  ledgers: readonly LedgerSums[],
  rowsOf: (ledger: LedgerSums) => Iterable<T>,
): Generator<T[]> {
  let chunk: T[] = [];
  for (const ledger of ledgers) {
    for (const row of rowsOf(ledger)) {
      chunk.push(row);
      if (chunk.length < STATEMENT_ROWS) continue;
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
