/**
 * The generations of a view in Redis. A generation is three keys per partition, which share a hash tag and so,
 * in a cluster, a slot: data and checkpoint of a partition change at once. The registry is one more key.
 *
 * Redis can lose everything (a server replaced by an empty one), or one node of a cluster can. So `create`
 * makes the checkpoint of every partition, and nothing else does. A partition without one was lost or
 * dropped: an adapter that meets it throws GenerationGoneError, its caller asks for the serving generation,
 * and `current` answers ViewMissingError unless all of it is there. Then readers say that there is no view
 * and the projector builds one.
 */
import { translateErrors } from '../../translate-errors.js';
import { checkpointText } from './checkpoint.js';
import { mastersOf, type RedisClient, redisScript } from './client.js';
import { redisError } from './errors.js';
import { addGenerationLua, removeGenerationLua, serveGenerationLua } from './lua/generations.lua.js';
import {
  emptyCheckpoint,
  type View,
  type ViewGenerations,
  type ViewId,
  ViewMissingError,
} from '../../view.js';

/** The keys of one partition of a generation. */
export interface PartitionKeys {
  /** A hash: the rows by their keys, and the checkpoint under CHECKPOINT_FIELD. */
  readonly rows: string;
  /** A sorted set of the rows' keys, all of the same score: in the order of their bytes. */
  readonly order: string;
  /** A hash: the dead letters by their positions. */
  readonly letters: string;
}

/** Not the key of a row: these hold a space. */
export const CHECKPOINT_FIELD = '@';

export interface RedisGenerationsOptions<V extends View> {
  readonly client: RedisClient;
  readonly view: ViewId;
  /** How many partitions the bus has. */
  readonly partitions: number;
  /** What all keys begin with; of one platform in a shared Redis. */
  readonly prefix: string;
  /** The adapter over one generation; sends nothing yet. */
  readonly open: (generation: number, keysOf: (partition: number) => PartitionKeys) => V;
}

const MADE = 'made:';
const REMOVED = 'removed:';

/** The generations of a view in Redis. */
export function redisGenerations<V extends View>(options: RedisGenerationsOptions<V>): ViewGenerations<V> {
  const { client, view, prefix } = options;
  const registry = new Registry(client, `{${prefix}:${view}}:generations`);
  const keysOf = (generation: number) => (partition: number) => {
    const tag = `{${prefix}:${view}:${String(generation)}:${String(partition)}}`;
    return { rows: `${tag}:rows`, order: `${tag}:order`, letters: `${tag}:letters` };
  };
  const open = (generation: number) =>
    translateErrors(options.open(generation, keysOf(generation)), redisError);
  const store = { ...options, registry, keysOf };
  const generations: ViewGenerations<V> = {
    async migrate() {
      const { isIntact, serving } = await servingOf(store);
      if (isIntact) return;
      const generation = await makeGeneration(store);
      const serves = await registry.serveAfter(serving, generation);
      // What is left of a generation that lost a partition; or the new one, if another process was faster.
      const useless = serves ? serving : generation;
      if (useless !== undefined) await dropGeneration(store, useless);
    },
    async current() {
      const { isIntact, serving } = await servingOf(store);
      if (serving === undefined || !isIntact) throw new ViewMissingError(view);
      return open(serving);
    },
    create: async () => open(await makeGeneration(store)),
    async switchTo(generation) {
      if (await registry.serve(generation)) return;
      throw new Error(`the ${view} view has no generation ${String(generation)}`);
    },
    drop: (generation) => dropGeneration(store, generation),
    async list() {
      return [...(await registry.read()).made.keys()].sort((a, b) => a - b);
    },
  };
  return translateErrors(generations, redisError);
}

interface Store extends Pick<RedisGenerationsOptions<View>, 'client' | 'view' | 'partitions' | 'prefix'> {
  readonly registry: Registry;
  readonly keysOf: (generation: number) => (partition: number) => PartitionKeys;
}

/** The generation that the registry points to, and whether all of it is there. */
async function servingOf({ client, view, partitions, registry, keysOf }: Store) {
  const { serving, made } = await registry.read();
  const madeFor = serving === undefined ? undefined : made.get(serving);
  if (serving === undefined || madeFor === undefined) return { serving, isIntact: false };
  if (madeFor !== partitions) {
    throw new Error(
      `the ${view} view was made for ${String(madeFor)} partitions, and the bus has ${String(partitions)}`,
    );
  }
  const there = await Promise.all(
    partitionsUpTo(partitions).map((partition) =>
      client.hexists(keysOf(serving)(partition).rows, CHECKPOINT_FIELD),
    ),
  );
  return { serving, isIntact: there.every((one) => one === 1) };
}

async function makeGeneration(store: Store): Promise<number> {
  const { client, partitions, registry, keysOf } = store;
  const { isEmpty } = await finishRemovals(store);
  if (isEmpty) await removeOrphans(store);
  const generation = await registry.add(partitions);
  await Promise.all(
    partitionsUpTo(partitions).map((partition) =>
      client.hsetnx(
        keysOf(generation)(partition).rows,
        CHECKPOINT_FIELD,
        checkpointText(emptyCheckpoint(partition)),
      ),
    ),
  );
  return generation;
}

async function dropGeneration(store: Store, generation: number): Promise<void> {
  const partitions = await store.registry.remove(generation);
  if (partitions === undefined) {
    throw new Error(`generation ${String(generation)} of the ${store.view} view serves or is not there`);
  }
  await removeKeys(store, generation, partitions);
}

/** What a crash interrupted between the registry and the keys. */
async function finishRemovals(store: Store): Promise<Registered> {
  const registered = await store.registry.read();
  for (const [generation, partitions] of registered.removed) await removeKeys(store, generation, partitions);
  return registered;
}

/** How many keys a step of a scan looks at. */
const SCAN_KEYS = 1_000;

/**
 * Where the node of a cluster that held the registry lost it, the others still hold partitions that no
 * registry names. Looks at every key of every node, therefore only when the registry is new. The registry is
 * read after a key was seen, and knows a generation before its keys are made: what another process makes at
 * the same time is not taken for an orphan.
 */
async function removeOrphans({ client, registry, prefix, view, keysOf }: Store): Promise<void> {
  for (const master of mastersOf(client)) {
    for (let cursor = '0', isFirst = true; isFirst || cursor !== '0'; isFirst = false) {
      const [next, found] = await master.scan(cursor, 'COUNT', SCAN_KEYS);
      cursor = next;
      const ours = found.flatMap((key) => placeOf(key, `{${prefix}:${view}:`) ?? []);
      if (ours.length === 0) continue;
      const { made } = await registry.read();
      for (const { generation, partition } of ours) {
        if (made.has(generation)) continue;
        const { rows, order, letters } = keysOf(generation)(partition);
        await client.unlink(rows, order, letters);
      }
    }
  }
}

/** The generation and partition that a key is of; undefined if it is not of this view. */
function placeOf(key: string, start: string): { generation: number; partition: number } | undefined {
  if (!key.startsWith(start)) return undefined;
  const [, generation, partition] = /^(\d+):(\d+)\}:/.exec(key.slice(start.length)) ?? [];
  return generation === undefined
    ? undefined
    : { generation: Number(generation), partition: Number(partition) };
}

async function removeKeys({ client, registry, keysOf }: Store, generation: number, partitions: number) {
  await Promise.all(
    partitionsUpTo(partitions).map((partition) => {
      const { rows, order, letters } = keysOf(generation)(partition);
      // Gone at once for readers; a thread of Redis frees the memory later.
      return client.unlink(rows, order, letters);
    }),
  );
  await registry.forget(generation);
}

/** What the registry says. */
interface Registered {
  /** Whether no generation was ever made, as far as it knows. */
  readonly isEmpty: boolean;
  readonly serving: number | undefined;
  /** All that exist, with their partitions. */
  readonly made: ReadonlyMap<number, number>;
  /** Those whose keys may not all be removed yet, with their partitions. */
  readonly removed: ReadonlyMap<number, number>;
}

class Registry {
  readonly #client: RedisClient;
  readonly #key: string;
  readonly #add;
  readonly #serve;
  readonly #remove;
  /** Numbers go on after it, also in a registry that was lost and is new. */
  #greatest = 0;

  constructor(client: RedisClient, key: string) {
    this.#client = client;
    this.#key = key;
    this.#add = redisScript(client, 'quittanceAddGeneration', addGenerationLua, 1);
    this.#serve = redisScript(client, 'quittanceServeGeneration', serveGenerationLua, 1);
    this.#remove = redisScript(client, 'quittanceRemoveGeneration', removeGenerationLua, 1);
  }

  async read(): Promise<Registered> {
    const fields = await this.#client.hgetall(this.#key);
    this.#greatest = Math.max(this.#greatest, Number(fields['last'] ?? 0));
    return {
      isEmpty: fields['last'] === undefined,
      serving: fields['serving'] === undefined ? undefined : Number(fields['serving']),
      made: numbersUnder(MADE, fields),
      removed: numbersUnder(REMOVED, fields),
    };
  }

  async add(partitions: number): Promise<number> {
    const number = Number(await this.#add([this.#key], [partitions, this.#greatest]));
    this.#greatest = Math.max(this.#greatest, number);
    return number;
  }

  /** Whether it serves now: not if it is not there. */
  async serve(generation: number): Promise<boolean> {
    return (await this.#serve([this.#key], [generation])) === 1;
  }

  /** Whether it serves now: only if until now the other one did (undefined: none). */
  async serveAfter(before: number | undefined, generation: number): Promise<boolean> {
    return (await this.#serve([this.#key], [generation, before ?? ''])) === 1;
  }

  /** Takes it from the list; how many partitions it has, undefined if it serves or is not there. */
  async remove(generation: number): Promise<number | undefined> {
    const partitions = await this.#remove([this.#key], [generation]);
    return partitions === null ? undefined : Number(partitions);
  }

  async forget(generation: number): Promise<void> {
    await this.#client.hdel(this.#key, `${REMOVED}${String(generation)}`);
  }
}

function numbersUnder(prefix: string, fields: Readonly<Record<string, string>>): Map<number, number> {
  const found = Object.entries(fields).filter(([field]) => field.startsWith(prefix));
  return new Map(found.map(([field, value]) => [Number(field.slice(prefix.length)), Number(value)]));
}

/** The numbers of all partitions of a bus that has `count`. */
export function partitionsUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, partition) => partition);
}
