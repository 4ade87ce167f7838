/**
 * Where the partitions stand, read for all who ask at once: a query of ClickHouse costs milliseconds however small it is, and
 * readers that wait ask again and again.
 */
import { select } from '../clickhouse-client.js';
import { type Checkpoint, emptyCheckpoint } from '../view.js';
import type { Place } from './clickhouse-report-source.js';

/** A partition, and how much of it is in rollups. */
export interface Standing {
  readonly checkpoint: Checkpoint;
  /** How many chunks are sealed: they are sealed in order, from 0. */
  readonly sealed: bigint;
}

interface Row {
  readonly partition: number;
  readonly epoch: number;
  readonly position: string;
  readonly offset: string;
  readonly hash: string;
  readonly recorded_time: string;
  readonly sealed: string;
}

/** Queries do not follow each other closer than this. */
const PAUSE_ms = 8;

const standingSql = (prefix: string): string => `
SELECT c.partition AS partition, epoch, position, offset, hash, recorded_time, s.sealed AS sealed
FROM ${prefix}_checkpoints AS c FINAL
LEFT JOIN (SELECT partition, max(chunk) + 1 AS sealed FROM ${prefix}_seals GROUP BY partition) AS s ON s.partition = c.partition`;

interface Asker {
  readonly partition: number;
  readonly resolve: (standing: Standing) => void;
  readonly reject: (error: unknown) => void;
}

export class ReportCheckpoints {
  readonly #place: Place;
  #askers: Asker[] = [];
  #isReading = false;
  #readAt_ms = -Infinity;

  constructor(place: Place) {
    this.#place = place;
  }

  /** By a query that begins after this call. */
  standing(partition: number): Promise<Standing> {
    return new Promise((resolve, reject) => {
      this.#askers.push({ partition, resolve, reject });
      if (!this.#isReading) void this.#read();
    });
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    while (this.#askers.length > 0) {
      const early_ms = this.#readAt_ms + PAUSE_ms - performance.now();
      if (early_ms > 0) await new Promise((resolve) => setTimeout(resolve, early_ms));
      const asking = this.#askers;
      this.#askers = [];
      this.#readAt_ms = performance.now();
      try {
        const rows = await select<Row>(this.#place.client, standingSql(this.#place.prefix));
        const found = new Map(rows.map((row) => [row.partition, standingOf(row)]));
        for (const { partition, resolve } of asking) {
          resolve(found.get(partition) ?? { checkpoint: emptyCheckpoint(partition), sealed: 0n });
        }
      } catch (error) {
        for (const { reject } of asking) reject(error);
      }
    }
    this.#isReading = false;
  }
}

function standingOf(row: Row): Standing {
  return {
    checkpoint: {
      partition: row.partition,
      offset: BigInt(row.offset),
      epoch: row.epoch,
      position: BigInt(row.position),
      hash: new Uint8Array(Buffer.from(row.hash, 'hex')),
      recordedTime: BigInt(row.recorded_time),
    },
    sealed: BigInt(row.sealed),
  };
}
