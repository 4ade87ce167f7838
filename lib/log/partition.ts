/**
 * In which partition of the bus, and of the views, a ledger lives. It never changes: the events of a ledger
 * are in total order there.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Ledgers whose partition is remembered: it is asked for with every event and every read. */
const REMEMBERED = 10_000;

/**
 * The partition of a ledger among `count`: the first 4 bytes of SHA-256(ledger_id), big-endian, modulo the
 * count.
 */
export function partitioner(count: number): (ledgerId: string) => number {
  if (!Number.isInteger(count) || count < 1) throw new RangeError('there is at least one partition');
  const known = new LRUCache<string, number>({ max: REMEMBERED });
  return (ledgerId) => {
    const found = known.get(ledgerId);
    if (found !== undefined) return found;
    const partition = createHash('sha256').update(ledgerId).digest().readUInt32BE(0) % count;
    known.set(ledgerId, partition);
    return partition;
  };
}
