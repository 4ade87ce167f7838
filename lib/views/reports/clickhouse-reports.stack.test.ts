import { afterAll, expect, test } from '@jest/globals';
import { type ClickHouseClient, createClickHouse, select } from '../clickhouse-client.js';
import { reportsContract } from './contract.js';
import { CHUNK_POSITIONS } from './clickhouse-report-schema.js';
import { clickhouseReports } from './clickhouse-reports.js';
import { batchOf, busyLedger, LEDGERS, spread } from './test/busy-ledger.js';
import { naiveTrialBalance, naiveVolume } from './test/naive-reports.js';

const url = process.env['QUITTANCE_TEST_CLICKHOUSE'] ?? '';
const opened: { client: ClickHouseClient; database: string }[] = [];
const admin = createClickHouse(url, 'test');

/** A database of its own, empty. */
async function freshClient(): Promise<ClickHouseClient> {
  const database = `test_${String(process.pid)}_${String(opened.length)}`;
  await admin.command({ query: `CREATE DATABASE ${database}` });
  const client = createClickHouse(`${url}/${database}`, 'test');
  opened.push({ client, database });
  return client;
}

afterAll(async () => {
  for (const { client, database } of opened) {
    await client.close();
    await admin.command({ query: `DROP DATABASE ${database}` });
  }
  await admin.close();
});

reportsContract(async () => {
  const generations = clickhouseReports(await freshClient(), { partitionOf: () => 0 });
  await generations.migrate();
  return generations;
});

test('sent twice, and sealed twice, everything counts once', async () => {
  const client = await freshClient();
  const generations = clickhouseReports(client, { partitionOf: () => 0 });
  await generations.migrate();
  const events = spread(busyLedger(3, 600).events, 997n);
  const one = await generations.current();
  // Another process that does not know of the first: all that it sends is there already.
  for (const view of [one, await generations.current()]) {
    for (let at = 0; at < events.length; at += 50) {
      const batch = batchOf(events.slice(at, at + 50));
      await view.apply(batch);
      await view.apply(batch);
    }
    await view.sealed();
  }
  const prefix = `reports_${String(one.generation)}`;
  const before = await select<{ seals: string }>(
    client,
    `SELECT count() AS seals FROM ${prefix}_seals FINAL`,
  );
  expect(Number(before[0]?.seals)).toBeGreaterThan(3);
  // As if the process had died between the rollups and the seals, and the next one began again.
  await client.command({ query: `TRUNCATE TABLE ${prefix}_seals` });
  const again = await generations.current();
  const end = batchOf(events);
  const offset = end.offset + 1n;
  await again.apply({
    ...end,
    events: [],
    offset,
    watermark: { ...end.watermark, position: end.watermark.position + 1n },
  });
  await again.sealed();
  expect(await select(client, `SELECT count() AS seals FROM ${prefix}_seals FINAL`)).toEqual(before);
  for (const ledgerId of LEDGERS) {
    const scope = { partition: 0, ledgerId, through: null, currency: '', basis: 'effective' } as const;
    const trial = { ...scope, before: null, groupBy: 'account', after: null, limit: 1_000 } as const;
    expect((await again.trialBalance(trial)).value).toEqual(naiveTrialBalance(events, trial));
    const buckets = { ...scope, bounds: [0n, 2n ** 62n] };
    expect((await again.volume(buckets)).value).toEqual(naiveVolume(events, buckets));
  }
});

test('facts beyond the checkpoint are not counted: a crash between the two inserts', async () => {
  const generations = clickhouseReports(await freshClient(), { partitionOf: () => 0 });
  await generations.migrate();
  const events = spread(busyLedger(5, 300).events, 1n);
  const view = await generations.current();
  const half = events.slice(0, events.length / 2);
  await view.apply(batchOf(half));
  // The facts of the rest arrive under a checkpoint that is not theirs.
  const rest = batchOf(events.slice(half.length));
  const stopped = half.at(-1)?.position ?? 0n;
  const scope = { partition: 0, ledgerId: 'main', currency: '', basis: 'recorded' } as const;
  const trial = {
    ...scope,
    through: null,
    before: null,
    groupBy: 'account',
    after: null,
    limit: 1_000,
  } as const;
  await view.apply({ ...rest, watermark: batchOf(half).watermark });
  const read = await view.trialBalance(trial);
  expect(read.asOf.position).toBe(stopped);
  expect(read.value).toEqual(naiveTrialBalance(half, trial));
  await view.apply(rest);
  expect((await view.trialBalance(trial)).value).toEqual(naiveTrialBalance(events, trial));
  expect(CHUNK_POSITIONS).toBe(100_000n);
});
