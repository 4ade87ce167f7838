/**
 * The generations of a view in ClickHouse: tables `<view>_<generation>_<name>`, and two small tables that say which there are
 * and which one serves. ClickHouse knows no transactions: the last inserted version of a row counts, which makes a switch one
 * insert. Whoever makes or switches generations holds the projector's lease, so that there is one of them at a time.
 */
import { type ClickHouseClient, insert, isMissing, select } from './clickhouse-client.js';
import { firstGeneration } from './generation-number.js';
import { type View, type ViewGenerations, type ViewId, ViewMissingError } from './view.js';
import { GenerationGoneError } from './view-errors.js';

export interface ClickHouseGenerationsOptions<V extends View> {
  readonly client: ClickHouseClient;
  readonly view: ViewId;
  /** Statements that make the tables of a generation; their names begin with the prefix. */
  readonly schema: (prefix: string) => readonly string[];
  /** The names of those tables. */
  readonly tables: readonly string[];
  readonly open: (prefix: string, generation: number) => V;
}

const REGISTRY = [
  `CREATE TABLE IF NOT EXISTS view_generations (
    view String, generation Int32, dropped UInt8, version UInt64
  ) ENGINE = ReplacingMergeTree(version) ORDER BY (view, generation)`,
  `CREATE TABLE IF NOT EXISTS view_serving (
    view String, generation Int32, version UInt64
  ) ENGINE = ReplacingMergeTree(version) ORDER BY view`,
];
const SERVING = `SELECT generation FROM view_serving FINAL WHERE view = {view:String}`;
const LAST = `SELECT max(generation) AS last FROM view_generations WHERE view = {view:String}`;
const LIST = `SELECT generation FROM view_generations FINAL WHERE view = {view:String} AND dropped = 0 ORDER BY generation`;

export function clickhouseGenerations<V extends View>(
  options: ClickHouseGenerationsOptions<V>,
): ViewGenerations<V> {
  const { client, view, schema, tables } = options;
  const registry = registryOf(client, view);
  const prefixOf = (generation: number) => `${view}_${String(generation)}`;
  const open = (generation: number) => options.open(prefixOf(generation), generation);
  const create = async (): Promise<V> => {
    const generation = await registry.next();
    await run(client, schema(prefixOf(generation)));
    await registry.note(generation, 0);
    return open(generation);
  };
  const switchTo = async (generation: number) => {
    if (!(await registry.list()).includes(generation)) {
      throw new Error(`the ${view} view has no generation ${String(generation)}`);
    }
    await registry.serve(generation);
  };
  return {
    migrate: async () => {
      if ((await registry.serving()) === undefined) await switchTo((await create()).generation);
    },
    current: async () => {
      const generation = await registry.serving();
      if (generation === undefined) throw new ViewMissingError(view);
      return open(generation);
    },
    create,
    switchTo,
    drop: async (generation) => {
      if (generation === (await registry.serving()) || !(await registry.list()).includes(generation)) {
        throw new Error(`generation ${String(generation)} of the ${view} view serves or is not there`);
      }
      await registry.note(generation, 1);
      await run(
        client,
        tables.map((name) => `DROP TABLE IF EXISTS ${prefixOf(generation)}_${name}`),
      );
    },
    list: registry.list,
  };
}

/** The two small tables. */
function registryOf(client: ClickHouseClient, view: ViewId) {
  return {
    serving: async (): Promise<number | undefined> => {
      try {
        const [row] = await select<{ generation: number }>(client, SERVING, { view });
        return row?.generation;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    list: async () => {
      const rows = await select<{ generation: number }>(client, LIST, { view });
      return rows.map(({ generation }) => generation);
    },
    /** A number that was never given. */
    next: async () => {
      await run(client, REGISTRY);
      const [row] = await select<{ last: number }>(client, LAST, { view });
      const last = row?.last ?? 0;
      return last > 0 ? last + 1 : firstGeneration(Date.now());
    },
    note: (generation: number, dropped: 0 | 1) =>
      insert(
        client,
        'view_generations',
        ['view', 'generation', 'dropped', 'version'],
        [{ view, generation, dropped, version: String(versionNow()) }],
      ),
    serve: (generation: number) =>
      insert(
        client,
        'view_serving',
        ['view', 'generation', 'version'],
        [{ view, generation, version: String(versionNow()) }],
      ),
  };
}

async function run(client: ClickHouseClient, statements: readonly string[]): Promise<void> {
  for (const query of statements) await client.command({ query });
}

/** Later is greater; by one holder of the lease at a time. Microseconds since 1970. */
function versionNow(): bigint {
  return BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1_000));
}

/** Awaits work on a generation; if its tables are not there, says so as readers understand it. @throws GenerationGoneError */
export async function orGone<T>(view: ViewId, generation: number, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isMissing(error) ? new GenerationGoneError(view, generation, error) : error;
  }
}
