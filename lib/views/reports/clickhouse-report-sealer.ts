/** Adds up chunks of the log once a partition is past them. What is not sealed yet is read as it is: nothing waits for it. */
import { insert } from '../clickhouse-client.js';
import type { Checkpoint } from '../view.js';
import { CHUNK_POSITIONS } from './clickhouse-report-schema.js';
import type { ReadPlace } from './clickhouse-report-queries.js';
import { CREDITS, DEBITS } from './clickhouse-report-source.js';
import { ROLLUP_WIDTH } from './fold.js';

const WIDTH = String(ROLLUP_WIDTH);

/** The rollups of one chunk of one partition. Made twice they are the same rows under the same keys. */
const sealSql = (prefix: string): string => `
INSERT INTO ${prefix}_rollups
SELECT ledger_id, fact, {chunk:Int64} AS chunk, account_id, any(type), currency, kind,
  intDiv(effective_time, toInt64(${WIDTH})) AS effective_bucket, intDiv(recorded_time, toInt64(${WIDTH})) AS recorded_bucket,
  sum(${DEBITS}), sum(${CREDITS}), count(), max(position)
FROM ${prefix}_facts FINAL
WHERE partition = {partition:UInt16} AND position >= {first:Int64} AND position <= {last:Int64}
GROUP BY ledger_id, fact, account_id, currency, kind, effective_bucket, recorded_bucket`;

export class ReportSealer {
  readonly #place: ReadPlace;
  /** The chunk of each partition to be sealed next. */
  readonly #next = new Map<number, bigint>();
  #sealing: Promise<void> = Promise.resolve();

  constructor(place: ReadPlace) {
    this.#place = place;
  }

  /** Seals what the partition has passed, one chunk after the other; not waited for by who applies. */
  follow(checkpoint: Checkpoint): void {
    const { partition, position } = checkpoint;
    const next = this.#next.get(partition);
    if (next !== undefined && position + 1n < (next + 1n) * CHUNK_POSITIONS) return;
    if (next === undefined && position + 1n < CHUNK_POSITIONS) return;
    this.#sealing = this.#sealing
      .then(() => this.#seal(checkpoint))
      // Tried again when the partition moves on.
      .catch(() => undefined);
  }

  /** Resolves when what was passed so far is sealed, or was tried to be. */
  settled(): Promise<void> {
    return this.#sealing;
  }

  async #seal({ partition, position }: Checkpoint): Promise<void> {
    const { client, prefix } = this.#place;
    let chunk = this.#next.get(partition) ?? (await this.#place.checkpoints.standing(partition)).sealed;
    for (; position + 1n >= (chunk + 1n) * CHUNK_POSITIONS; chunk += 1n) {
      const first = chunk * CHUNK_POSITIONS;
      await client.command({
        query: sealSql(prefix),
        query_params: { partition, chunk, first, last: first + CHUNK_POSITIONS - 1n },
      });
      // Only now: whoever sees the seal must find the rollups.
      await insert(client, `${prefix}_seals`, ['partition', 'chunk'], [{ partition, chunk: String(chunk) }]);
      this.#next.set(partition, chunk + 1n);
    }
    this.#next.set(partition, chunk);
  }
}
