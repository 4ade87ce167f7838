/** The checkpoints of one generation in ClickHouse: a few rows, written together and read together. */
import { Buffer } from 'node:buffer';
import type { ClickHouse } from './client.js';
import { readCheckpointsSql } from './sql/generations.sql.js';
import { type Checkpoint, emptyCheckpoint } from '../../view.js';

/** How far a partition is. */
export interface Standing {
  readonly checkpoint: Checkpoint;
  /** A number that the view moves forward after the checkpoint; -1n at first. */
  readonly sealed: bigint;
}

interface Row {
  readonly partition: number;
  readonly last_offset: string;
  readonly last_point: {
    readonly position: string;
    readonly epoch: number;
    readonly recorded_time: string;
    readonly hash: string;
  };
  readonly last_sealed: string;
}

const COLUMNS = ['partition', 'event_offset', 'point', 'sealed'] as const;

export class ClickHouseCheckpoints {
  readonly #store: ClickHouse;
  readonly #table: string;
  #next: Promise<Standings> | undefined;
  #running: Promise<unknown> | undefined;

  constructor(store: ClickHouse, table: string) {
    this.#store = store;
    this.#table = table;
  }

  /** Where all partitions are, by a read that begins after this call; calls that come meanwhile share it. */
  read(): Promise<Standings> {
    this.#next ??= this.#readNext();
    return this.#next;
  }

  /** Moves partitions forward, all in one insert; what is further already stays. */
  async move(checkpoints: readonly Checkpoint[]): Promise<void> {
    await this.#insert(checkpoints.map((checkpoint) => ({ checkpoint, sealed: -1n })));
  }

  /** Enters that partitions are sealed up to a number. */
  async seal(partitions: readonly number[], sealed: bigint): Promise<void> {
    await this.#insert(partitions.map((partition) => ({ checkpoint: emptyCheckpoint(partition), sealed })));
  }

  async #readNext(): Promise<Standings> {
    // The one that runs may have begun before this was asked for.
    await this.#running?.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    this.#next = undefined;
    const running = this.#store.select<Row>(readCheckpointsSql(this.#table));
    this.#running = running;
    return new Standings(await running);
  }

  async #insert(standings: readonly Standing[]): Promise<void> {
    if (standings.length === 0) return;
    await this.#store.insert(
      this.#table,
      [...COLUMNS],
      standings.map(({ checkpoint, sealed }) => [
        checkpoint.partition,
        String(checkpoint.offset),
        {
          position: String(checkpoint.position),
          epoch: checkpoint.epoch,
          recorded_time: String(checkpoint.recordedTime),
          hash: Buffer.from(checkpoint.hash).toString('hex'),
        },
        String(sealed),
      ]),
    );
  }
}

/** Where the partitions were at one moment. */
export class Standings {
  readonly #standings: ReadonlyMap<number, Standing>;

  constructor(rows: readonly Row[]) {
    this.#standings = new Map(rows.map((row) => [row.partition, standingOf(row)]));
  }

  of(partition: number): Standing {
    return this.#standings.get(partition) ?? { checkpoint: emptyCheckpoint(partition), sealed: -1n };
  }
}

function standingOf({ partition, last_offset, last_point, last_sealed }: Row): Standing {
  return {
    checkpoint: {
      partition,
      offset: BigInt(last_offset),
      epoch: last_point.epoch,
      position: BigInt(last_point.position),
      // Not a Buffer: checkpoints of several stores are compared as plain bytes.
      hash: new Uint8Array(Buffer.from(last_point.hash, 'hex')),
      recordedTime: BigInt(last_point.recorded_time),
    },
    sealed: BigInt(last_sealed),
  };
}
