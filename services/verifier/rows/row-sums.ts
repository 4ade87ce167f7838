/**
 * Compares two sets of rows, of any size and in any order, in one pass over each and bounded memory. Rows
 * fall into buckets by their key; of each bucket only the sum of the rows' salted hashes is kept. Sets whose
 * sums are equal are equal: rows that differ and yet sum up equally cannot be made without the salt, which is
 * random and never leaves the process. Only the rows of buckets whose sums differ are then read again and
 * named.
 */
import { hash, randomBytes } from 'node:crypto';
import { hashOf } from '../fold/hash-range.js';

/** How many buckets there are: 1 MiB of sums. */
export const BUCKETS = 65_536;

/** Which bucket a row falls in. */
export function bucketOf(key: string): number {
  return hashOf(key) >>> 16;
}

const LANES = 4;

/** The difference of two sets of rows, bucket by bucket. */
export class RowSums {
  readonly #salt = randomBytes(16).toString('hex');
  readonly #sums = new Uint32Array(BUCKETS * LANES);

  /**
   * A row of the one set, or with `sign` -1 of the other. What is added and taken away again leaves no trace.
   */
  add(key: string, position: bigint, content: string, sign: 1 | -1): void {
    // In one call, and as a string of a byte per character: 0.6 microseconds, where a buffer takes 1.7 (measured).
    const digest = hash('sha256', `${this.#salt}${key}\0${position}\0${content}`, 'binary');
    const at = bucketOf(key) * LANES;
    for (let lane = 0; lane < LANES; lane++) {
      // Uint32Array wraps round: 128 bits in four independent sums.
      this.#sums[at + lane] = (this.#sums[at + lane] ?? 0) + sign * wordAt(digest, lane * 4);
    }
  }

  /** The buckets in which the sets differ. */
  differing(): number[] {
    const buckets: number[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const sums = this.#sums.subarray(bucket * LANES, (bucket + 1) * LANES);
      if (sums.some((sum) => sum !== 0)) buckets.push(bucket);
    }
    return buckets;
  }
}

/** Four characters of a byte each, as an unsigned number. */
function wordAt(bytes: string, at: number): number {
  const low = bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8) | (bytes.charCodeAt(at + 2) << 16);
  return (low | (bytes.charCodeAt(at + 3) << 24)) >>> 0;
}
