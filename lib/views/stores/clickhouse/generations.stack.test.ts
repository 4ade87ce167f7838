import { afterAll, expect, test } from '@jest/globals';
import { clickhouseReports } from '../../reports/clickhouse/reports.js';
import { batchOf, busyLedger } from '../../reports/contract/busy-ledger.js';
import { clickhouseDatabases } from './test/databases.js';
import { ViewMissingError } from '../../view.js';
import { GenerationGoneError } from '../../view-errors.js';

const databases = clickhouseDatabases('test_generations');

afterAll(() => databases.close());

test('without a database, or a registry, there is no view', async () => {
  const generations = clickhouseReports(databases.fresh());
  await expect(generations.current()).rejects.toThrow(ViewMissingError);
  await expect(generations.list()).rejects.toThrow(ViewMissingError);
});

test('processes that start together make one generation together', async () => {
  const store = databases.fresh();
  const processes = [store, databases.again(store), databases.again(store)].map((one) =>
    clickhouseReports(one),
  );
  await Promise.all(processes.map((generations) => generations.migrate()));
  const serving = await Promise.all(processes.map((generations) => generations.current()));
  expect(serving.map(({ generation }) => generation)).toEqual([1, 1, 1]);
  expect(await processes[0]?.list()).toEqual([1]);
});

test('generations are created on an empty server, and none of those serves', async () => {
  const generations = clickhouseReports(databases.fresh());
  const made = await generations.create();
  await expect(generations.current()).rejects.toThrow(ViewMissingError);
  await generations.migrate();
  expect((await generations.current()).generation).not.toBe(made.generation);
  await generations.switchTo(made.generation);
  expect((await generations.current()).generation).toBe(made.generation);
});

test('numbers are given once, also to those who ask together and after a drop', async () => {
  const store = databases.fresh();
  const [one, other] = [clickhouseReports(store), clickhouseReports(databases.again(store))];
  await one.migrate();
  const together = await Promise.all([one.create(), other.create(), one.create()]);
  const numbers = together.map(({ generation }) => generation);
  expect(new Set(numbers).size).toBe(3);
  await other.drop(Math.max(...numbers));
  expect((await one.create()).generation).toBeGreaterThan(Math.max(...numbers));
});

test('who reads or writes a generation that was dropped is told so', async () => {
  const store = databases.fresh();
  const generations = clickhouseReports(store);
  await generations.migrate();
  const view = await generations.create();
  const batch = batchOf(busyLedger(1, 50).events);
  await view.apply(batch);
  await expect(generations.drop(1)).rejects.toThrow(/serves or is not there/);
  await generations.drop(view.generation);
  await expect(generations.drop(view.generation)).rejects.toThrow(/serves or is not there/);
  await expect(generations.switchTo(view.generation)).rejects.toThrow(/no generation/);
  await expect(view.checkpoint(0)).rejects.toThrow(GenerationGoneError);
  await expect(view.rows({ ledgerId: null, afterKey: null, limit: 1 })).rejects.toThrow(GenerationGoneError);
  await expect(view.apply({ ...batch, offset: batch.offset + 1n })).rejects.toThrow(GenerationGoneError);
});

test('a drop that a crash interrupted is finished by the next who creates', async () => {
  const store = databases.fresh();
  const generations = clickhouseReports(store);
  await generations.migrate();
  const { generation } = await generations.create();
  const table = store.table(`reports_${String(generation)}_entries`);
  await generations.drop(generation);
  await store.command(`create table ${table} (a Int8) engine = MergeTree order by a`);
  await generations.create();
  await expect(store.select(`select count() from ${table}`)).rejects.toThrow(/Unknown table/i);
});
