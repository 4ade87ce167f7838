/** Cuts a set of ids into ranges of their hash, so that only one range need be in memory at a time. */

const { imul } = Math;

/** One more than the greatest hash. */
export const HASH_END = 2 ** 32;

/**
 * FNV-1a over the code units, with a last mix, since ids often differ in their last characters only. 32 bits.
 */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Hashes from `from` up to, but not including, `to`. */
export interface HashRange {
  readonly from: number;
  readonly to: number;
}

/** Whether an id is in a range. */
export function isIn({ from, to }: HashRange, id: string): boolean {
  if (from === 0 && to === HASH_END) return true;
  const hash = hashOf(id);
  return hash >= from && hash < to;
}
