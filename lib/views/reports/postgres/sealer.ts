/** Sums up the segments that a checkpoint has left, beside the writer: no event waits for it. */
import type { Pool, PoolClient } from '../../../log/postgres-client.js';
import type { LogPoint } from '../../../log/recorded-event.js';
import { inTransaction } from '../../stores/postgres/generations.js';
import { ROLLUP_WIDTH } from '../fold.js';
import {
  beginSeal,
  RUN_BITS,
  sealDeclinesSql,
  sealEntriesSql,
  sealSegmentsSql,
  sealVolumesSql,
} from './sql/seal.sql.js';

interface Sealing {
  readonly segment: string;
  readonly done: Promise<void>;
}

/**
 * Follows the checkpoints of one generation. Readers take what is in no segment from the single rows, so
 * being behind makes reports slower and never wrong. Needs a second connection of the pool.
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
    const startTime = (recordedTime / ROLLUP_WIDTH) * ROLLUP_WIDTH;
    const startPosition = (position >> RUN_BITS) << RUN_BITS;
    const segment = `${String(startTime)} ${String(startPosition)}`;
    const latest = this.#latest.get(partition);
    if (latest?.segment === segment) return;
    this.#latest.delete(partition);
    await latest?.done;
    const done = this.#seal(partition, startTime, startPosition);
    // Awaited when the next segment is entered; until then its failure must not count as unhandled.
    done.catch(() => undefined);
    this.#latest.set(partition, { segment, done });
  }

  async #seal(partition: number, startTime: bigint, startPosition: bigint): Promise<void> {
    const values = [partition, startTime, startPosition];
    const run = (client: PoolClient, sql: string) => client.query(sql, values);
    try {
      // Unnamed statements: these are rare, and a plan for what is to be summed up now is worth its planning.
      await inTransaction(this.#pool, beginSeal, async (client) => {
        await run(client, sealEntriesSql(this.#schema));
        await run(client, sealVolumesSql(this.#schema, 'postings'));
        await run(client, sealVolumesSql(this.#schema, 'further_volumes'));
        await run(client, sealDeclinesSql(this.#schema));
        await run(client, sealSegmentsSql(this.#schema));
      });
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
}

/**
 * Another process seals the same partition: both begin with the same segment, and the second one to enter it
 * gives up.
 */
function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}
