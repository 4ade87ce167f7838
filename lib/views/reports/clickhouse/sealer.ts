/** Sums up the chunks of positions that checkpoints have passed, beside the writer: no event waits for it. */
import type { ClickHouseCheckpoints } from '../../stores/clickhouse/checkpoints.js';
import type { ClickHouse } from '../../stores/clickhouse/client.js';
import { isMissing } from '../../stores/clickhouse/errors.js';
import { partitionWholeUpTo } from '../../parked/parked.js';
import type { Checkpoint } from '../../view.js';
import { CHUNK, sealSql } from './sql/schema.sql.js';

/** Chunks that one statement sums up where the view is far ahead of its sums. */
const MOST_CHUNKS = 10n;

export interface SealerTables {
  readonly store: ClickHouse;
  readonly checkpoints: ClickHouseCheckpoints;
  readonly entries: string;
  readonly rollup: string;
}

/**
 * Follows the partitions that this process applies, of one generation. A chunk is sealed in a partition when
 * the partition is past its end, no event before that is parked, and all chunks before it are sealed. Readers take what is not sealed from the
 * entries, so being behind makes reports slower and never wrong.
 */
export class ClickHouseReportSealer {
  readonly #tables: SealerTables;
  readonly #onError: (error: unknown) => void;
  /** By partition, the position at which a chunk more can be sealed. */
  readonly #due = new Map<number, bigint>();
  readonly #wanted = new Set<number>();
  #isSealing = false;

  constructor(tables: SealerTables, onError: (error: unknown) => void) {
    this.#tables = tables;
    this.#onError = onError;
  }

  /**
   * Begins to seal what can be sealed. A failure is reported, and what is due is tried again with the next
   * call.
   */
  follow(checkpoints: readonly Checkpoint[]): void {
    for (const checkpoint of checkpoints) {
      const { partition } = checkpoint;
      const { position } = partitionWholeUpTo(checkpoint);
      if (position >= (this.#due.get(partition) ?? CHUNK - 1n)) this.#wanted.add(partition);
    }
    if (!this.#isSealing && this.#wanted.size > 0) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isSealing = true;
    try {
      while (this.#wanted.size > 0) {
        const partitions = [...this.#wanted];
        this.#wanted.clear();
        await this.#seal(partitions);
      }
    } catch (error) {
      // A generation that was dropped needs no sums.
      if (!isMissing(error)) this.#onError(error);
    } finally {
      this.#isSealing = false;
    }
  }

  async #seal(partitions: readonly number[]): Promise<void> {
    const { store, checkpoints, entries, rollup } = this.#tables;
    for (;;) {
      const standings = await checkpoints.read();
      const next = nextChunks(
        partitions.map((partition) => {
          const { checkpoint, sealed } = standings.of(partition);
          this.#due.set(partition, (sealed + 2n) * CHUNK - 1n);
          return { partition, sealed, passed: (partitionWholeUpTo(checkpoint).position + 1n) / CHUNK - 1n };
        }),
      );
      if (next === undefined) return;
      await store.command(sealSql(rollup, entries), next);
      await checkpoints.seal(next.partitions, next.last);
    }
  }
}

/** The chunks to seal next, and in which partitions: those that are furthest behind. */
function nextChunks(
  standings: readonly { readonly partition: number; readonly sealed: bigint; readonly passed: bigint }[],
) {
  const open = standings.filter(({ sealed, passed }) => passed > sealed);
  const [some] = open;
  if (some === undefined) return undefined;
  const sealed = open.reduce((least, one) => (one.sealed < least ? one.sealed : least), some.sealed);
  const behind = open.filter((one) => one.sealed === sealed);
  const passed = behind.reduce(
    (least, one) => (one.passed < least ? one.passed : least),
    behind[0]?.passed ?? sealed,
  );
  const last = passed > sealed + MOST_CHUNKS ? sealed + MOST_CHUNKS : passed;
  return { first: sealed + 1n, last, partitions: behind.map(({ partition }) => partition) };
}
