/** Seals the segments that a checkpoint has left, beside the writer: no event waits for it. */
import type { Buffer } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool, PoolClient } from '../../../log/postgres-client.js';
import type { LogPoint } from '../../../log/recorded-event.js';
import { inTransaction } from '../../stores/postgres/generations.js';
import { PackCursor, RUN_BITS, type Segment, segmentOf } from './pack.js';
import { SegmentSums } from './segment-sums.js';
import { sealedWrites } from './sealed-writes.js';
import { beginSeal, cutTailSql, enterSegmentSql, oldestSql, tailPageSql } from './sql/seal.sql.js';

/** Packs read at a time: of small batches; a segment as a whole is at most some 4 MB of payments. */
const PAGE_PACKS = 64;
/** Records that are summed up before other work has its turn: a millisecond or two. */
const TURN_RECORDS = 2_000;

interface Sealing {
  readonly segment: Segment;
  readonly done: Promise<void>;
}

interface OldestSegment {
  readonly segment: Segment;
  /** The last position that is sealed before it. */
  readonly after: bigint;
}

/**
 * Follows the checkpoints of one generation. Readers take what is in no segment from the tail, so being behind
 * makes reports slower and never wrong. Needs a second connection of the pool.
 */
export class ReportSealer {
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #latest = new Map<number, Sealing>();

  constructor(pool: Pool, schema: string) {
    this.#pool = pool;
    this.#schema = schema;
  }

  /**
   * When a checkpoint has entered another segment, begins to seal those before it; waits only while the ones
   * before that are not sealed yet, so that at most one sealing runs and none is far behind.
   * @throws what the sealing before this one failed with; the next call tries again.
   */
  async follow(partition: number, { position, recordedTime }: LogPoint): Promise<void> {
    if (position < 0n) return;
    const segment = segmentOf(position, recordedTime);
    const latest = this.#latest.get(partition);
    if (latest?.segment.bucket === segment.bucket && latest.segment.run === segment.run) return;
    this.#latest.delete(partition);
    await latest?.done;
    const done = this.#sealBefore(partition, segment);
    // Awaited when the next segment is entered; until then its failure must not count as unhandled.
    done.catch(() => undefined);
    this.#latest.set(partition, { segment, done });
  }

  /** One segment at a time, oldest first, until the tail begins with the segment of the checkpoint. */
  async #sealBefore(partition: number, current: Segment): Promise<void> {
    const sealOne = async () => {
      try {
        return await inTransaction(this.#pool, beginSeal, (client) =>
          this.#sealOldest(client, partition, current),
        );
      } catch (error) {
        if (!isTaken(error)) throw error;
        return true;
      }
    };
    while (await sealOne());
  }

  /** Whether there was a segment to seal. */
  async #sealOldest(client: PoolClient, partition: number, current: Segment): Promise<boolean> {
    const oldest = await this.#oldest(client, partition, current);
    if (oldest === undefined) return false;
    const sums = await this.#sumsOf(client, partition, oldest);
    const { after, segment } = oldest;
    const { through, fromTime, toTime } = sums;
    const schema = this.#schema;
    // Comes first: of two processes the second waits here, and then fails on the key.
    await client.query(enterSegmentSql(schema), [
      partition,
      through,
      after,
      BigInt(fromTime),
      BigInt(toTime),
      segment.bucket,
    ]);
    for (const { text, values } of sealedWrites(schema, sums)) await client.query(text, values);
    await client.query(cutTailSql(schema), [partition, through]);
    return true;
  }

  async #oldest(
    client: PoolClient,
    partition: number,
    { bucket, run }: Segment,
  ): Promise<OldestSegment | undefined> {
    const { rows } = await client.query<{ recorded_bucket: number; through: bigint; sealed: bigint }>(
      oldestSql(this.#schema),
      [partition, bucket, BigInt(run) << RUN_BITS],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const segment = { bucket: row.recorded_bucket, run: Number(row.through >> RUN_BITS) };
    return { segment, after: row.sealed };
  }

  async #sumsOf(client: PoolClient, partition: number, { segment, after }: OldestSegment) {
    const sums = new SegmentSums(segment);
    const last = (BigInt(segment.run + 1) << RUN_BITS) - 1n;
    let from = after;
    for (;;) {
      const { rows } = await client.query<{ through: bigint; rows: Buffer }>(tailPageSql(this.#schema), [
        partition,
        segment.bucket,
        last,
        from,
        PAGE_PACKS,
      ]);
      for (const row of rows) {
        await addPack(sums, row.rows);
        from = row.through;
      }
      if (rows.length < PAGE_PACKS) return sums;
    }
  }
}

async function addPack(sums: SegmentSums, bytes: Buffer): Promise<void> {
  const cursor = new PackCursor(bytes);
  for (let count = 1; cursor.next(); count += 1) {
    sums.add(cursor);
    if (count % TURN_RECORDS === 0) await nextTurn();
  }
}

/**
 * Another process has sealed the same segment meanwhile: both begin with the oldest, and the second one to
 * enter it changes nothing. The next one is another.
 */
function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}
