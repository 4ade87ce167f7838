/** Sums of single records, as the parameters of the statement that adds the sealed sums to them. */
import type { Buffer } from 'node:buffer';
import { int2Array, int4Array, int8Array, textArray } from '../../../log/postgres-arrays.js';
import type { PackCursor } from './pack.js';
import { int64Rows } from './record-sums.js';
import { Sides } from './sides.js';

interface Movement {
  readonly bucket: number;
  readonly account: number;
  readonly kind: number;
  readonly sides: Sides;
}

/** What moved on accounts, by report bucket and kind. */
export class MovementSums {
  readonly #only: number | undefined;
  /** By report bucket, then by account and kind. */
  readonly #buckets: Map<number, Movement>[] = [];

  /** `only`: the account of which entries count; undefined: of all. */
  constructor(only: number | undefined) {
    this.#only = only;
  }

  add(cursor: PackCursor, bucket: number): void {
    if (cursor.isDecline) return;
    const kind = cursor.what;
    const sums = (this.#buckets[bucket] ??= new Map());
    for (let index = 0; index < cursor.entries; index += 1) {
      const account = cursor.account(index);
      if (this.#only !== undefined && account !== this.#only) continue;
      // A kind takes one byte in a pack.
      const key = account * 256 + kind;
      let found = sums.get(key);
      if (found === undefined) {
        found = { bucket, account, kind, sides: new Sides() };
        sums.set(key, found);
      }
      found.sides.add(cursor, index);
    }
  }

  /** Arrays: buckets, accounts, kinds, debits, credits, numbers of entries. */
  values(): Buffer[] {
    const rows = this.#buckets.flatMap((sums) =>
      [...sums.values()].flatMap((sum) => {
        const { debits, credits, entries } = sum.sides;
        return int64Rows([debits, credits, BigInt(entries)]).map((figures) => ({ sum, figures }));
      }),
    );
    const figures = (column: number) => int8Array(rows.map((row) => row.figures[column] ?? 0n));
    return [
      int4Array(rows.map(({ sum }) => sum.bucket)),
      int4Array(rows.map(({ sum }) => sum.account)),
      int2Array(rows.map(({ sum }) => sum.kind)),
      figures(0),
      figures(1),
      figures(2),
    ];
  }
}

interface Volume {
  readonly bucket: number;
  readonly currency: string;
  readonly what: number;
  principal: bigint;
  count: number;
}

/** What was posted, or declined, by report bucket, currency, and kind or reason. */
export class VolumeSums {
  readonly #of: 'postings' | 'declines';
  readonly #currencies = new Map<string, Map<number, Volume>>();

  constructor(of: 'postings' | 'declines') {
    this.#of = of;
  }

  add(cursor: PackCursor, bucket: number): void {
    if (cursor.isDecline !== (this.#of === 'declines')) return;
    if (cursor.hasFurther) {
      for (const { currency, principal } of cursor.volumes()) {
        this.#add(bucket, currency, cursor.what, principal);
      }
    } else {
      this.#add(bucket, cursor.currency, cursor.what, cursor.principal);
    }
  }

  #add(bucket: number, currency: string, what: number, principal: bigint): void {
    let sums = this.#currencies.get(currency);
    if (sums === undefined) this.#currencies.set(currency, (sums = new Map<number, Volume>()));
    // A kind, and a reason, takes one byte in a pack.
    const key = bucket * 256 + what;
    let found = sums.get(key);
    if (found === undefined) {
      found = { bucket, currency, what, principal: 0n, count: 0 };
      sums.set(key, found);
    }
    found.principal += principal;
    found.count += 1;
  }

  /** Arrays: buckets, currencies, kinds or reasons, numbers of transactions, principals. */
  values(): Buffer[] {
    const rows = [...this.#currencies.values()]
      .flatMap((sums) => [...sums.values()])
      .flatMap((sum) => int64Rows([BigInt(sum.count), sum.principal]).map((figures) => ({ sum, figures })));
    return [
      int4Array(rows.map(({ sum }) => sum.bucket)),
      textArray(rows.map(({ sum }) => sum.currency)),
      int2Array(rows.map(({ sum }) => sum.what)),
      int8Array(rows.map(({ figures }) => figures[0] ?? 0n)),
      int8Array(rows.map(({ figures }) => figures[1] ?? 0n)),
    ];
  }
}
