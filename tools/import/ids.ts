/** Ids for movements that have none: from what they say, and from how many like them stood before in the file. */
import { createHash } from 'node:crypto';
import type { FileRecord, Movement } from './movement.js';

/** Changing this, or what is hashed below, would book every file without ids again. */
const FORM = 'quittance-import-1';
const DIGEST_BYTES = 16;

/**
 * Gives an id to each movement that has none. The same movements have the same ids in every file that holds whole days: the
 * n-th of several equal ones is the n-th in each. Balances are no part of it, so that a file may begin earlier or later.
 */
export async function* withIds(records: AsyncIterable<FileRecord>): AsyncGenerator<FileRecord> {
  const seen = new Map<string, number>();
  for await (const record of records) {
    if (record.kind !== 'movement' || record.movement.movementId !== '') {
      yield record;
      continue;
    }
    const content = contentOf(record.movement);
    const occurrence = (seen.get(content) ?? 0) + 1;
    seen.set(content, occurrence);
    yield { kind: 'movement', movement: { ...record.movement, movementId: `${content}-${occurrence}` } };
  }
}

function contentOf({ accountId, currency, bookedOn, amount, identity }: Movement): string {
  const content = JSON.stringify([FORM, accountId, currency, String(bookedOn), String(amount), ...identity]);
  const digest = createHash('sha256').update(content).digest().subarray(0, DIGEST_BYTES);
  return digest.toString('base64url');
}
