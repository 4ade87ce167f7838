/**
 * The generations of a view in MongoDB: collections `<view>_<generation>_<name>`, and one document that says
 * which there are and which one serves, so that every change of that is one atomic update. MongoDB answers a
 * read of a collection that is not there with nothing; so each generation has a checkpoint for every
 * partition from its beginning: without one the generation is gone.
 */
import { type Collection, type Db, type Filter, MongoServerError, type UpdateFilter } from 'mongodb';
import { firstGeneration } from '../../generation-number.js';
import { movedCheckpoint } from '../../unseen-events.js';
import {
  type Checkpoint,
  type DeadLetters,
  emptyCheckpoint,
  type Unparking,
  type View,
  type ViewBatch,
  type ViewGenerations,
  type ViewId,
  ViewMissingError,
} from '../../view.js';
import { type DeadLetter, letterOfText, letterText } from '../../parked/dead-letter.js';
import { type Parked, parkedAt, parkedOfText, parkedText } from '../../parked/parked.js';
import { readLetters } from '../../parked/read-letters.js';
import { translateErrors } from '../../translate-errors.js';
import { GenerationGoneError, ParkedChangedError } from '../../view-errors.js';
import { mongodbError } from './errors.js';

export interface MongodbGenerationsOptions<V extends View> {
  readonly database: Db;
  readonly view: ViewId;
  readonly partitions: number;
  /** The names of a generation's own collections, with their indexes. */
  readonly indexes: Readonly<Record<string, readonly Readonly<Record<string, 1 | -1>>[]>>;
  readonly open: (prefix: string, generation: number) => V;
}

interface Registry {
  readonly _id: ViewId;
  readonly last: number;
  readonly present: readonly number[];
  readonly serving: number | null;
}

/** A checkpoint as it is stored; `_id` is the partition. */
interface StoredCheckpoint {
  readonly _id: number;
  readonly offset: bigint;
  readonly epoch: number;
  readonly position: bigint;
  readonly hash: Uint8Array;
  readonly recorded: bigint;
  /** What before the position is not applied: see views/parked/parked.ts; empty if nothing ever was. */
  readonly parked: string;
}

/** A dead letter as it is stored; `_id` is the position. */
interface StoredLetter {
  readonly _id: bigint;
  readonly partition: number;
  readonly letter: string;
}

const registryOf = (database: Db): Collection<Registry> => database.collection<Registry>('view_generations');
const checkpointsOf = (database: Db, prefix: string): Collection<StoredCheckpoint> =>
  database.collection<StoredCheckpoint>(`${prefix}_checkpoints`);

const lettersOf = (database: Db, prefix: string): Collection<StoredLetter> =>
  database.collection<StoredLetter>(`${prefix}_letters`);

export function mongodbGenerations<V extends View>(
  options: MongodbGenerationsOptions<V>,
): ViewGenerations<V> {
  const { database, view } = options;
  const registry = registryOf(database);
  const prefixOf = (generation: number) => `${view}_${String(generation)}`;
  const open = (generation: number) =>
    translateErrors(options.open(prefixOf(generation), generation), mongodbError);
  const read = () => registry.findOne({ _id: view });
  const make = async (): Promise<number> => {
    const generation = await nextGeneration(registry, view);
    await makeCollections(options, prefixOf(generation));
    await registry.updateOne({ _id: view }, { $addToSet: { present: generation } });
    return generation;
  };
  const drop = async (generation: number) => {
    await registry.updateOne({ _id: view }, { $pull: { present: generation } });
    await dropCollections(options, prefixOf(generation));
  };
  const generations: ViewGenerations<V> = {
    migrate: async () => {
      if (((await read())?.serving ?? null) !== null) return;
      const generation = await make();
      const { modifiedCount } = await registry.updateOne(
        { _id: view, serving: null },
        { $set: { serving: generation } },
      );
      // Another process was faster.
      if (modifiedCount === 0) await drop(generation);
    },
    current: async () => {
      const serving = (await read())?.serving ?? null;
      if (serving === null) throw new ViewMissingError(view);
      return open(serving);
    },
    create: async () => open(await make()),
    switchTo: async (generation) => {
      const { matchedCount } = await registry.updateOne(
        { _id: view, present: generation },
        { $set: { serving: generation } },
      );
      if (matchedCount === 0) throw new Error(`the ${view} view has no generation ${String(generation)}`);
    },
    drop: async (generation) => {
      const found = await read();
      if (found?.serving === generation || !(found?.present ?? []).includes(generation)) {
        throw new Error(`generation ${String(generation)} of the ${view} view serves or is not there`);
      }
      await drop(generation);
    },
    list: async () => [...((await read())?.present ?? [])].sort((one, other) => one - other),
  };
  return translateErrors(generations, mongodbError);
}

/** A number that was never given: one after the last, or of a registry that knows none by the time. */
async function nextGeneration(registry: Collection<Registry>, view: ViewId): Promise<number> {
  const first = firstGeneration(Date.now());
  await registry
    .updateOne(
      { _id: view },
      { $setOnInsert: { last: first - 1, present: [], serving: null } },
      { upsert: true },
    )
    .catch((error: unknown) => {
      // Two that make the document at once: one of them has.
      if (!(error instanceof MongoServerError) || error.code !== 11_000) throw error;
    });
  const after = await registry.findOneAndUpdate(
    { _id: view },
    { $inc: { last: 1 } },
    { returnDocument: 'after' },
  );
  if (after === null) throw new Error('the registry of generations is gone');
  return after.last;
}

async function makeCollections<V extends View>(
  { database, indexes, partitions }: MongodbGenerationsOptions<V>,
  prefix: string,
): Promise<void> {
  for (const [name, keys] of Object.entries(indexes)) {
    const collection = database.collection(`${prefix}_${name}`);
    if (keys.length > 0) await collection.createIndexes(keys.map((key) => ({ key: { ...key } })));
  }
  const empty = Array.from({ length: partitions }, (_, partition) => storedOf(emptyCheckpoint(partition)));
  await checkpointsOf(database, prefix).insertMany(empty);
}

async function dropCollections<V extends View>(
  { database, indexes }: MongodbGenerationsOptions<V>,
  prefix: string,
): Promise<void> {
  // Checkpoints first: a later read fails, and does not find half of the data.
  for (const name of ['checkpoints', 'letters', ...Object.keys(indexes)]) {
    await database.collection(`${prefix}_${name}`).drop().catch(unlessMissing);
  }
}

function unlessMissing(error: unknown): void {
  const NAMESPACE_NOT_FOUND = 26;
  if (error instanceof MongoServerError && error.code === NAMESPACE_NOT_FOUND) return;
  throw error;
}

const GATHER_MS = 40;

/** Where a checkpoint is to be, and what is parked before it moves. */
interface Move {
  readonly to: Checkpoint;
  readonly from: Parked;
}

interface Waiting extends Move {
  readonly resolve: (isMoved: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** The checkpoints of one generation. */
export class MongodbCheckpoints {
  readonly #database: Db;
  readonly #view: ViewId;
  readonly #generation: number;
  readonly #stored: Collection<StoredCheckpoint>;
  readonly #letters: Collection<StoredLetter>;
  #waiting: Waiting[] = [];

  constructor(database: Db, view: ViewId, prefix: string, generation: number) {
    this.#database = database;
    this.#view = view;
    this.#generation = generation;
    this.#stored = checkpointsOf(database, prefix);
    this.#letters = lettersOf(database, prefix);
  }

  /** @throws GenerationGoneError if the generation was dropped; ViewMissingError if the store has lost it. */
  async read(partition: number): Promise<Checkpoint> {
    const found = await this.#stored.findOne({ _id: partition });
    if (found === null) throw await this.#whyMissing();
    const { offset, epoch, position, hash, recorded } = found;
    const at = { partition, offset, epoch, position, recordedTime: recorded, hash: new Uint8Array(hash) };
    const parked = parkedOfText(found.parked);
    return parked === undefined ? at : { ...at, parked };
  }

  /**
   * Forward only; where it is further already it stays.
   * @throws as read; ParkedChangedError if it did not move and something else is parked than `before` says
   */
  async move(before: Checkpoint, batch: ViewBatch): Promise<Checkpoint> {
    const to = movedCheckpoint(before, batch);
    const from = parkedAt(before);
    const isNow = batch.events.length > 0 || to.parked?.version !== before.parked?.version;
    if (isNow ? await this.#moveNow(to, from) : await this.#moveTogether({ to, from })) return to;
    const at = await this.read(to.partition);
    const { version } = parkedAt(at);
    if (version !== from.version && version !== parkedAt(to).version)
      throw new ParkedChangedError(to.partition, version);
    return at;
  }

  /** @see View.deadLetters */
  deadLetters(partition: number): Promise<DeadLetters> {
    return readLetters(
      () => this.read(partition),
      async () =>
        (await this.#letters.find({ partition }).toArray()).map(({ letter }) => letterOfText(letter)),
    );
  }

  /** Adds letters, or changes those that are there. */
  async write(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return;
    await this.#letters.bulkWrite(
      letters.map((each) => {
        const { position: _id, partition } = each;
        const replacement = { partition, letter: letterText(each) };
        return { replaceOne: { filter: { _id }, replacement, upsert: true } };
      }),
      { ordered: false },
    );
  }

  /** Changes what is parked, and removes the letters of what is not parked any more. @throws ParkedChangedError */
  async unpark({ partition, from, to, events }: Unparking): Promise<void> {
    const { matchedCount } = await this.#stored.updateOne(
      { _id: partition, parked: parkedText(from) },
      { $set: { parked: parkedText(to) } },
    );
    if (matchedCount === 0)
      throw new ParkedChangedError(partition, parkedAt(await this.read(partition)).version);
    await this.#letters.deleteMany({ _id: { $in: events.map(({ position }) => position) } });
  }

  async #moveNow(to: Checkpoint, from: Parked): Promise<boolean> {
    const { filter, update } = moveOf({ to, from });
    const { matchedCount } = await this.#stored.updateOne(filter, update);
    return matchedCount === 1;
  }

  /** Watermarks of partitions without events wait for each other for an instant: one bulk moves them all. */
  #moveTogether(move: Move): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...move, resolve, reject });
      if (this.#waiting.length > 1) return;
      setTimeout(() => {
        const taken = this.#waiting;
        this.#waiting = [];
        void this.#moveAll(taken);
      }, GATHER_MS);
    });
  }

  async #moveAll(taken: readonly Waiting[]): Promise<void> {
    try {
      const { matchedCount } = await this.#stored.bulkWrite(
        taken.map((each) => ({ updateOne: moveOf(each) })),
        { ordered: false },
      );
      for (const { resolve } of taken) resolve(matchedCount === taken.length);
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  }

  /**
   * A generation that serves and has no checkpoints is lost for all readers: the view has to be built again.
   */
  async #whyMissing(): Promise<Error> {
    const registry = registryOf(this.#database);
    const { modifiedCount } = await registry.updateOne(
      { _id: this.#view, serving: this.#generation },
      { $set: { serving: null } },
    );
    const found = modifiedCount === 1 ? null : await registry.findOne({ _id: this.#view });
    return found === null
      ? new ViewMissingError(this.#view)
      : new GenerationGoneError(this.#view, this.#generation, undefined);
  }
}

/** Matches only what is behind, and where nothing else is parked. */
function moveOf({ to, from }: Move): {
  filter: Filter<StoredCheckpoint>;
  update: UpdateFilter<StoredCheckpoint>;
} {
  const { _id, ...fields } = storedOf(to);
  const { epoch, position, offset } = to;
  return {
    filter: {
      _id,
      parked: parkedText(from),
      $or: [
        { epoch: { $lt: epoch } },
        { epoch, position: { $lt: position } },
        { epoch, position, offset: { $lt: offset } },
      ],
    },
    update: { $set: fields },
  };
}

function storedOf(checkpoint: Checkpoint): StoredCheckpoint {
  const { partition, offset, epoch, position, hash, recordedTime } = checkpoint;
  const parked = parkedText(parkedAt(checkpoint));
  return { _id: partition, offset, epoch, position, hash: Buffer.from(hash), recorded: recordedTime, parked };
}
