/**
 * Hashes of events, as tokens and watches have them: whole, cut to their first bytes, or not known at all.
 */
import { isSameBytes } from '../../lib/base/bytes.js';

/** Of an event that was not seen: a watch that starts at a position knows nothing of the event before it. */
export const UNKNOWN_HASH = new Uint8Array(0);

/** Whether the hash is not known. */
export function isUnknownHash(hash: Uint8Array): boolean {
  return hash.length === 0;
}

/**
 * Whether a hash, or the first bytes of one as a token carries them, is the hash of an event. An unknown hash
 * is of none.
 */
export function isSameHash(known: Uint8Array, whole: Uint8Array): boolean {
  return !isUnknownHash(known) && isSameBytes(known, whole.subarray(0, known.length));
}
