/** Sums as parameters: one array for each column of a rollup, in the order that sql/rollups.sql.ts names. */
import type { Buffer } from 'node:buffer';
import { int2Array, int4Array, int8Array, textArray } from '../../../log/postgres-arrays.js';
import { type EntrySums, type Group, int64Rows, type VolumeSums } from './record-sums.js';

/** A row of a rollup. */
export interface RollupRow<S extends Group> {
  readonly ledger: number;
  readonly group: S;
  /** What stands in its int64 columns. */
  readonly sums: readonly bigint[];
}

export function* entryRows(ledger: number, groups: Iterable<EntrySums>): Generator<RollupRow<EntrySums>> {
  for (const group of groups) {
    const { debits, credits, entries } = group.sides;
    for (const sums of int64Rows([debits, credits, BigInt(entries)])) yield { ledger, group, sums };
  }
}

/** Of volumes, and likewise of declines. */
export function* volumeRows(ledger: number, groups: Iterable<VolumeSums>): Generator<RollupRow<VolumeSums>> {
  for (const group of groups) {
    for (const sums of int64Rows([group.principal, BigInt(group.count)])) yield { ledger, group, sums };
  }
}

export function entryValues(rows: readonly RollupRow<EntrySums>[]): unknown[] {
  return [
    ...groupValues(rows),
    figures(rows, 0),
    figures(rows, 1),
    figures(rows, 2),
    int4Array(rows.map(({ group }) => group.account)),
    int2Array(rows.map(({ group }) => group.kind)),
  ];
}

/** Of volumes, and likewise of declines. */
export function volumeValues(rows: readonly RollupRow<VolumeSums>[]): unknown[] {
  return [
    ...groupValues(rows),
    figures(rows, 0),
    figures(rows, 1),
    int2Array(rows.map(({ group }) => group.what)),
    textArray(rows.map(({ group }) => group.currency)),
  ];
}

function groupValues(rows: readonly RollupRow<Group>[]): unknown[] {
  return [
    int8Array(rows.map(({ group }) => BigInt(group.position))),
    int4Array(rows.map(({ ledger }) => ledger)),
    int4Array(rows.map(({ group }) => group.recordedBucket)),
    int4Array(rows.map(({ group }) => group.effectiveBucket)),
    `{${rows.map(({ group }) => (group.onTime ? 't' : 'f')).join(',')}}`,
  ];
}

function figures(rows: readonly RollupRow<Group>[], column: number): Buffer {
  return int8Array(rows.map(({ sums }) => sums[column] ?? 0n));
}
