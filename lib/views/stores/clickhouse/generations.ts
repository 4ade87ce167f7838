/**
 * The generations of a view in ClickHouse. A generation is a few tables of one database, named `reports_3_…`.
 *
 * Nothing here needs a lock: a number is taken by creating its checkpoint table, which succeeds for one of
 * the processes that try, and is given for good by its row in the registry; which one serves is decided by
 * the greatest turn of those inserted. The first that migrate makes is always number 1, so that processes
 * which start together make it together.
 */
import { ClickHouseCheckpoints } from './checkpoints.js';
import type { ClickHouse } from './client.js';
import { isMissing, isThere } from './errors.js';
import {
  createCheckpointsSql,
  createDatabaseSql,
  createLettersSql,
  createPointersSql,
  createRegistrySql,
  generationsSql,
  servingSql,
  tablesSql,
} from './sql/generations.sql.js';
import { translateErrors } from '../../translate-errors.js';
import { type View, type ViewGenerations, type ViewId, ViewMissingError } from '../../view.js';
import { GenerationGoneError } from '../../view-errors.js';

/** What a view adds to a generation. */
export interface ClickHouseGenerationsOptions<V extends View> {
  readonly store: ClickHouse;
  readonly view: ViewId;
  /** The view's own tables, by their names after `reports_3_`; each with its `create table if not exists`. */
  readonly tables: Readonly<Record<string, (table: string) => string>>;
  /** The adapter over one generation; sends nothing yet. */
  readonly open: (generation: GenerationTables) => V;
}

/** The tables of a generation. */
export interface GenerationTables {
  readonly store: ClickHouse;
  readonly generation: number;
  readonly checkpoints: ClickHouseCheckpoints;
  /** A table of the view, as statements name it. */
  readonly table: (name: string) => string;
}

const CHECKPOINTS = 'checkpoints';
const LETTERS = 'letters';
const MADE = 1;
const DROPPED = 2;
/** The number that migrate gives. */
const FIRST = 1;

/** The generations of a view. A number is never given twice. */
export function clickhouseGenerations<V extends View>(
  options: ClickHouseGenerationsOptions<V>,
): ViewGenerations<V> {
  const { store, view } = options;
  const registry = new Registry(store, view);
  const tablesOf = (generation: number) => generationTables(store, view, generation);
  const open = (tables: GenerationTables) =>
    translateErrors(options.open(tables), (error) =>
      isMissing(error) ? new GenerationGoneError(view, tables.generation, error) : error,
    );
  const tables = { ...options.tables, [LETTERS]: createLettersSql };
  const names = [CHECKPOINTS, ...Object.keys(tables)];
  return {
    async migrate() {
      await registry.create();
      if ((await registry.serving()) !== undefined) return;
      const first = tablesOf(FIRST);
      await createCheckpoints(first);
      await createTables(tables, first);
      await registry.add(FIRST, MADE);
      await registry.point(0n, FIRST);
    },
    async current() {
      const serving = await registry.serving();
      if (serving === undefined) throw new ViewMissingError(view);
      return open(tablesOf(serving.generation));
    },
    async create() {
      await registry.create();
      await finishDrops(registry, options);
      const made = await takeNumber(registry, tablesOf);
      await createTables(tables, made);
      await registry.add(made.generation, MADE);
      return open(made);
    },
    async switchTo(generation) {
      if (!(await registry.list()).includes(generation)) {
        throw new Error(`the ${view} view has no generation ${String(generation)}`);
      }
      const serving = await registry.serving();
      await registry.point((serving?.turn ?? 0n) + 1n, generation);
    },
    async drop(generation) {
      const serving = await registry.serving();
      if (serving?.generation === generation || !(await registry.list()).includes(generation)) {
        throw new Error(`generation ${String(generation)} of the ${view} view serves or is not there`);
      }
      await registry.add(generation, DROPPED);
      // The checkpoints first: without them no reader reads the rest.
      const { table } = tablesOf(generation);
      for (const name of names) await store.command(`drop table if exists ${table(name)}`);
    },
    list: () => registry.list(),
  };
}

function generationTables(store: ClickHouse, view: ViewId, generation: number): GenerationTables {
  const table = (name: string) => store.table(`${view}_${String(generation)}_${name}`);
  const checkpoints = new ClickHouseCheckpoints(store, table(CHECKPOINTS), table(LETTERS));
  return { store, generation, table, checkpoints };
}

/** Whether it is this call that created the table. */
async function createCheckpoints({ store, table }: GenerationTables): Promise<boolean> {
  try {
    await store.command(createCheckpointsSql(table(CHECKPOINTS)));
    return true;
  } catch (error) {
    if (isThere(error)) return false;
    throw error;
  }
}

async function createTables(
  create: Readonly<Record<string, (table: string) => string>>,
  { store, table }: GenerationTables,
): Promise<void> {
  for (const [name, sql] of Object.entries(create)) await store.command(sql(table(name)));
}

/** Takes the next number that no generation has or had. */
async function takeNumber(
  registry: Registry,
  tablesOf: (generation: number) => GenerationTables,
): Promise<GenerationTables> {
  for (let number = (await registry.greatest()) + 1; ; number++) {
    if (number <= FIRST) continue;
    const tables = tablesOf(number);
    if (!(await createCheckpoints(tables))) continue;
    // Another process may have made and dropped it since the numbers were read.
    if ((await registry.greatest()) < number) return tables;
    await tables.store.command(`drop table if exists ${tables.table(CHECKPOINTS)}`);
  }
}

/** Removes what a crash has left between the registry and the tables of a generation that was dropped. */
async function finishDrops(
  registry: Registry,
  { store, view }: Pick<ClickHouseGenerationsOptions<View>, 'store' | 'view'>,
): Promise<void> {
  const dropped = await registry.dropped();
  if (dropped.length === 0) return;
  const tables = await store.selectFew<{ name: string }>(tablesSql, {
    database: store.database,
    view,
    dropped,
  });
  for (const { name } of tables) await store.command(`drop table if exists ${store.table(name)}`);
}

class Registry {
  readonly #store: ClickHouse;
  readonly #view: ViewId;
  readonly #generations: string;
  readonly #pointers: string;

  constructor(store: ClickHouse, view: ViewId) {
    this.#store = store;
    this.#view = view;
    this.#generations = store.table('view_generations');
    this.#pointers = store.table('view_pointers');
  }

  async create(): Promise<void> {
    await this.#store.command(createDatabaseSql(this.#store.database));
    await this.#store.command(createRegistrySql(this.#generations));
    await this.#store.command(createPointersSql(this.#pointers));
  }

  /** All that exist. @throws ViewMissingError */
  list(): Promise<number[]> {
    return this.#in(MADE);
  }

  dropped(): Promise<number[]> {
    return this.#in(DROPPED);
  }

  async #in(state: number): Promise<number[]> {
    return (await this.#all()).filter((row) => row.last_state === state).map(({ generation }) => generation);
  }

  /** The greatest number ever given; 0 for none. */
  async greatest(): Promise<number> {
    return Math.max(0, ...(await this.#all()).map(({ generation }) => generation));
  }

  /** Undefined where migrate never was. */
  async serving(): Promise<{ readonly generation: number; readonly turn: bigint } | undefined> {
    const rows = await this.#orMissing(
      this.#store.selectFew<{ generation: number; turn: string }>(servingSql(this.#pointers), {
        view: this.#view,
      }),
    );
    const [row] = rows;
    return row === undefined ? undefined : { generation: row.generation, turn: BigInt(row.turn) };
  }

  async add(generation: number, state: typeof MADE | typeof DROPPED): Promise<void> {
    await this.#store.insert(
      this.#generations,
      ['view', 'generation', 'state'],
      [[this.#view, generation, state]],
    );
  }

  async point(turn: bigint, generation: number): Promise<void> {
    await this.#orMissing(
      this.#store.insert(
        this.#pointers,
        ['view', 'turn', 'generation'],
        [[this.#view, String(turn), generation]],
      ),
    );
  }

  #all(): Promise<{ generation: number; last_state: number }[]> {
    return this.#orMissing(this.#store.selectFew(generationsSql(this.#generations), { view: this.#view }));
  }

  async #orMissing<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw isMissing(error) ? new ViewMissingError(this.#view) : error;
    }
  }
}
