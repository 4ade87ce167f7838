/** Databases of a test's own in the ClickHouse that tests share. */
import { stackServer } from '../../../../../test/stack-servers.js';
import { ClickHouse, type Inserted } from '../client.js';

type Columns = Parameters<ClickHouse['insert']>[1];
type Rows = readonly (readonly Inserted[])[];

/** A client whose inserts can be watched, and made to fail. */
export class WatchedClickHouse extends ClickHouse {
  /** Of each insert, the table's name after the generation's number. */
  readonly inserts: string[] = [];
  /** Called before an insert; throws for it to fail unsent. */
  before: (table: string, rows: Rows) => void = () => undefined;
  /** Called after an insert; throws for its answer to be lost. */
  after: (table: string) => void = () => undefined;

  override async insert(table: string, columns: Columns, rows: Rows): Promise<void> {
    const name = /_\d+_(\w+)`$/.exec(table)?.[1] ?? table;
    this.inserts.push(name);
    this.before(name, rows);
    await super.insert(table, columns, rows);
    this.after(name);
  }
}

export interface ClickHouseDatabases {
  /** A database that does not exist yet. */
  fresh(): WatchedClickHouse;
  /** One more client of the same database. */
  again(store: ClickHouse): WatchedClickHouse;
  /** Drops them. */
  close(): Promise<void>;
}

/** `prefix` is one of the test file's own. */
export function clickhouseDatabases(prefix: string): ClickHouseDatabases {
  const url = stackServer('CLICKHOUSE');
  const run = `${prefix}_${String(process.pid)}`;
  const opened: WatchedClickHouse[] = [];
  const open = (database: string) => {
    const target = new URL(url);
    target.pathname = database;
    const store = new WatchedClickHouse(target.href, { name: 'test' });
    opened.push(store);
    return store;
  };
  return {
    fresh: () => open(`${run}_${String(opened.length)}`),
    again: (store) => open(store.database),
    async close() {
      for (const store of opened) {
        await store.command(`drop database if exists \`${store.database}\``);
        await store.close();
      }
    },
  };
}
