/** Pages of all rows of the balances view in Redis, in the order of their keys. */
import type { RedisClient } from '../../stores/redis/client.js';
import { CHECKPOINT_FIELD, type PartitionKeys } from '../../stores/redis/generations.js';
import type { RowPage, ViewRow } from '../../view.js';
import { GenerationGoneError } from '../../view-errors.js';
import { accountKey, contentOf, partsOfAccountKey } from '../fold.js';
import { rowOfText } from './row.js';

/** One generation and where its rows may be. */
export interface RowsSource {
  readonly client: RedisClient;
  readonly generation: number;
  readonly keysOf: (partition: number) => PartitionKeys;
}

/** The most that one command asks for. */
const COMMAND_ROWS = 1_000;

/**
 * The first rows after a key over some partitions, which hold different ledgers. Asks each partition for as
 * many keys as the page may have, since a page may lie in one of them, then for the rows of those that are in
 * it. No row ever disappears, so nothing is missing though these are two moments. Keys are ASCII: by bytes
 * they order as by code units.
 * @throws GenerationGoneError
 */
export async function readRows(
  source: RowsSource,
  partitions: readonly number[],
  page: RowPage,
): Promise<readonly ViewRow[]> {
  const [from, to] = rangeOf(page);
  const keys = await Promise.all(
    partitions.map((partition) => keysBetween(source, partition, from, to, page.limit)),
  );
  const partitionOfKey = new Map<string, number>();
  keys.forEach((found, index) => {
    const partition = partitions[index] ?? 0;
    for (const key of found) partitionOfKey.set(key, partition);
  });
  const chosen = keys
    .flat()
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, page.limit);
  const rows = await Promise.all(
    partitions.map((partition) =>
      rowsAt(
        source,
        partition,
        chosen.filter((key) => partitionOfKey.get(key) === partition),
      ),
    ),
  );
  return rows.flat().sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The bounds of a page as ZRANGEBYLEX takes them: `[` is with, `(` without the key itself. */
function rangeOf({ ledgerId, afterKey }: RowPage): readonly [from: string, to: string] {
  if (ledgerId === null) return [afterKey === null ? '-' : `(${afterKey}`, '+'];
  const [, afterAccount] = afterKey === null ? ['', ''] : partsOfAccountKey(afterKey);
  // After the space that ends the ledger's id in a key comes the exclamation mark.
  return [`(${accountKey(ledgerId, afterAccount)}`, `(${ledgerId}!`];
}

async function keysBetween(
  { client, keysOf }: RowsSource,
  partition: number,
  from: string,
  to: string,
  limit: number,
): Promise<string[]> {
  const { order } = keysOf(partition);
  const keys: string[] = [];
  for (let after = from; keys.length < limit;) {
    const count = Math.min(COMMAND_ROWS, limit - keys.length);
    const found = await client.zrangebylex(order, after, to, 'LIMIT', 0, count);
    keys.push(...found);
    const last = found.at(-1);
    if (found.length < count || last === undefined) break;
    after = `(${last}`;
  }
  return keys;
}

/** Also of no keys it asks, whether the partition is there at all. */
async function rowsAt(
  { client, generation, keysOf }: RowsSource,
  partition: number,
  keys: readonly string[],
): Promise<ViewRow[]> {
  const rows: ViewRow[] = [];
  for (let first = 0; first === 0 || first < keys.length; first += COMMAND_ROWS) {
    const asked = keys.slice(first, first + COMMAND_ROWS);
    const [at, ...texts] = await client.hmget(keysOf(partition).rows, CHECKPOINT_FIELD, ...asked);
    if (typeof at !== 'string') throw new GenerationGoneError('balances', generation, undefined);
    asked.forEach((key, index) => {
      const text = texts[index];
      if (typeof text !== 'string') throw new Error(`Redis holds the key of ${key} and not its row`);
      const row = rowOfText(partsOfAccountKey(key)[1], text);
      rows.push({ key, position: row.position, content: contentOf(row) });
    });
  }
  return rows;
}
