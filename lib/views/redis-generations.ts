/**
 * The generations of a view in Redis: a hash of its own says which there are and which one serves, in one slot of a cluster.
 * Every partition of a generation is one hash in one slot; its field '' is the checkpoint, so that data and checkpoint are
 * read by one command and change in one script. A partition without a checkpoint has lost its data: the store was emptied or
 * replaced. Then the whole view counts as lost, and the projection builds it again.
 */
import type { BusBatch, RecordedEvent } from '../platform/bus.js';
import { firstGeneration } from './generation-number.js';
import type { RedisClient } from './redis-client.js';
import * as lua from './lua/generations.lua.js';
import { movedCheckpoint, unseenEvents } from './unseen-events.js';
import {
  type Checkpoint,
  emptyCheckpoint,
  type View,
  type ViewGenerations,
  type ViewId,
  ViewMissingError,
} from './view.js';
import { GenerationGoneError } from './view-errors.js';

/** Where a view's keys are. */
export interface RedisPlace {
  readonly client: RedisClient;
  readonly view: ViewId;
  readonly partitions: number;
  /** Of all keys; several platforms may share a Redis. */
  readonly prefix: string;
}

/** The field of the checkpoint in the hash of a partition. No entity has an empty key. */
export const CHECKPOINT = '';

export interface RedisGenerationsOptions<V extends View> extends RedisPlace {
  /** The adapter over one generation; asks nothing of the store yet. */
  readonly open: (generation: number) => V;
}

export function redisGenerations<V extends View>(options: RedisGenerationsOptions<V>): ViewGenerations<V> {
  const { client, view, open } = options;
  const registry = registryKey(options);
  const allot = async (serves: boolean) => {
    const first = firstGeneration(Date.now());
    // Two who make the first at once get the same one: the second finds it serving.
    const generation = Number(await client.eval(lua.allot, 1, registry, first, serves ? 1 : 0));
    await makeCheckpoints(options, generation);
    return generation;
  };
  return {
    migrate: async () => {
      const generation = await allot(true);
      await client.eval(lua.serveFirst, 1, registry, generation);
    },
    current: async () => {
      const generation = await client.hget(registry, 'serving');
      if (generation === null) throw new ViewMissingError(view);
      return open(Number(generation));
    },
    create: async () => open(await allot(false)),
    switchTo: async (generation) => {
      if (Number(await client.eval(lua.switchTo, 1, registry, generation)) === 0) {
        throw new Error(`the ${view} view has no generation ${String(generation)}`);
      }
    },
    drop: async (generation) => {
      if (Number(await client.eval(lua.drop, 1, registry, generation)) === 0) {
        throw new Error(`generation ${String(generation)} of the ${view} view serves or is not there`);
      }
      await Promise.all(
        everyPartition(options).map(async (partition) => {
          // Freed by a thread of the server's, however large.
          await client.unlink(
            dataKey(options, generation, partition),
            indexKey(options, generation, partition),
          );
        }),
      );
    },
    list: async () => {
      const fields = await client.hkeys(registry);
      const numbers = fields.filter((field) => /^\d+$/.test(field)).map(Number);
      return numbers.sort((one, other) => one - other);
    },
  };
}

/** The hash of a partition: `<entity key>` → value, '' → checkpoint. */
export function dataKey({ prefix, view }: RedisPlace, generation: number, partition: number): string {
  return `${prefix}:{${view}:${String(generation)}:${String(partition)}}:data`;
}

/** The sorted set of a partition's entity keys. */
export function indexKey({ prefix, view }: RedisPlace, generation: number, partition: number): string {
  return `${prefix}:{${view}:${String(generation)}:${String(partition)}}:index`;
}

function registryKey({ prefix, view }: RedisPlace): string {
  return `${prefix}:{${view}}:generations`;
}

export function everyPartition({ partitions }: RedisPlace): number[] {
  return Array.from({ length: partitions }, (_, partition) => partition);
}

async function makeCheckpoints(place: RedisPlace, generation: number): Promise<void> {
  await Promise.all(
    everyPartition(place).map((partition) =>
      place.client.hsetnx(
        dataKey(place, generation, partition),
        CHECKPOINT,
        checkpointText(emptyCheckpoint(partition)),
      ),
    ),
  );
}

/**
 * What a missing checkpoint means. Either the generation was dropped, or the store has lost what it held: then the view is
 * taken out of service, here for everyone, until it is built again.
 */
export async function whyMissing(place: RedisPlace, generation: number): Promise<Error> {
  const { client, view } = place;
  const left = Number(await client.eval(lua.lose, 1, registryKey(place), generation));
  return left === 1 ? new GenerationGoneError(view, generation, undefined) : new ViewMissingError(view);
}

export function checkpointText({ offset, epoch, position, recordedTime, hash }: Checkpoint): string {
  return [offset, epoch, position, recordedTime, Buffer.from(hash).toString('hex')].map(String).join(' ');
}

export function checkpointOf(partition: number, text: string): Checkpoint {
  const [offset = '', epoch = '', position = '', recordedTime = '', hash = ''] = text.split(' ');
  return {
    partition,
    offset: BigInt(offset),
    epoch: Number(epoch),
    position: BigInt(position),
    recordedTime: BigInt(recordedTime),
    hash: new Uint8Array(Buffer.from(hash, 'hex')),
  };
}

/** Fields and values to write, keys of entities that the index must know included. */
export interface Write {
  /** In turn: the entity's key, its value, which begins with its version in 19 digits. */
  readonly fields: readonly string[];
}

/**
 * Applies batches to the partitions of a generation: one script writes what is newer and moves the checkpoint, if the
 * checkpoint is still the one that was judged by; else it is judged again by what it is now.
 */
export class RedisWriter {
  /** The checkpoint of each partition as this process left it. */
  readonly #known = new Map<number, string>();

  constructor(
    private readonly place: RedisPlace,
    private readonly generation: number,
  ) {}

  async apply(batch: BusBatch, fold: (events: readonly RecordedEvent[]) => Write): Promise<void> {
    const { partition } = batch;
    for (;;) {
      const known = this.#known.get(partition) ?? (await this.#read(partition));
      const before = checkpointOf(partition, known);
      const judged = await this.#judge(batch, before);
      if (judged === undefined) continue;
      const moved = checkpointText(movedCheckpoint(before, batch));
      if (judged.length === 0 && moved === known) return;
      if (await this.#write(partition, known, moved, fold(judged))) return;
    }
  }

  /** The events to write; undefined if what was known of the checkpoint is not true any more. */
  async #judge(batch: BusBatch, before: Checkpoint): Promise<readonly RecordedEvent[] | undefined> {
    try {
      return unseenEvents(batch, before);
    } catch (error) {
      // By what is stored, not by what we remember: another process may have gone on.
      const stored = await this.#read(batch.partition);
      if (stored !== checkpointText(before)) return undefined;
      throw error;
    }
  }

  async #write(partition: number, known: string, moved: string, { fields }: Write): Promise<boolean> {
    const { client } = this.place;
    const keys = [
      dataKey(this.place, this.generation, partition),
      indexKey(this.place, this.generation, partition),
    ];
    const answer: unknown = await client.eval(lua.apply, 2, ...keys, known, moved, ...fields);
    if (answer === null) {
      this.#known.delete(partition);
      throw await whyMissing(this.place, this.generation);
    }
    this.#known.set(partition, String(answer));
    return answer === moved;
  }

  async #read(partition: number): Promise<string> {
    const key = dataKey(this.place, this.generation, partition);
    const text = await this.place.client.hget(key, CHECKPOINT);
    if (text === null) {
      this.#known.delete(partition);
      throw await whyMissing(this.place, this.generation);
    }
    this.#known.set(partition, text);
    return text;
  }
}
