/** Two PostgreSQL with streaming replication: the primary is killed, and its standby is promoted, late or in step. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { audit, Load, makeBooks } from '../../command/test/audited-load.js';
import { openTcpProxy, type TcpProxy } from '../../command/test/tcp-proxy.js';
import { openBooks, patientClient, proveBooks, until } from '../../../test/load.js';
import { type Cluster, Clusters } from '../../../test/postgres-cluster.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { Payments } from './lost-history.js';
import { startPlatform, type TestPlatform } from './platform.js';

const DATABASE = 'quittance';
const LOST_PAYMENTS = 30;

let clusters: Clusters;
let primary: Cluster;
let standby: Cluster;
/** Between the platform and the server that is the primary. */
let toPrimary: TcpProxy;
/** Between the standby and the primary that it follows. */
let replication: TcpProxy;
let platform: TestPlatform;
let client: GrpcClient;

beforeEach(async () => {
  clusters = await Clusters.open();
  primary = await clusters.create('primary', { synchronous_commit: 'on' });
  await primary.query(`create database ${DATABASE}`);
  toPrimary = await openTcpProxy({ host: '127.0.0.1', port: primary.port });
  replication = await openTcpProxy({ host: '127.0.0.1', port: primary.port });
  standby = await clusters.standby(primary, 'standby', replication.port);
  const config = { ...primary.config(DATABASE), port: toPrimary.port };
  const url = `postgresql://postgres@127.0.0.1:${String(toPrimary.port)}/${DATABASE}`;
  const database = { config, url, drop: () => Promise.resolve() };
  platform = await startPlatform({ database });
  client = patientClient(platform.grpcAddress);
});

afterEach(async () => {
  client.close();
  await platform.stop();
  await toPrimary.close();
  await replication.close();
  await clusters.close();
});

/** Waits until the standby has all that the primary has written. */
async function inStep(): Promise<void> {
  const [row] = await primary.query('select pg_current_wal_flush_lsn()::text as lsn');
  const lsn = String(row?.['lsn']);
  await until('the standby has caught up', async () => {
    const [found] = await standby.query(`select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn as is_there`);
    return found?.['is_there'] === true;
  });
}

/** The primary is dead before the standby takes its place: two that are written to at once would be two histories. */
async function failOver(): Promise<void> {
  await primary.kill();
  await standby.query('select pg_promote(true, 60)');
  toPrimary.direct({ host: '127.0.0.1', port: standby.port });
}

/** The epochs after the first one, by the rows of the log. */
async function epochs(): Promise<number> {
  const [row] = await standby.query('select max(epoch) as epoch from log.flushes', DATABASE);
  return Number(row?.['epoch']);
}

test('a standby that lags is promoted: what it lacks is lost and told, and all goes on in a new epoch', async () => {
  const payments = new Payments({ command: client, query: client }, 'books');
  await openBooks(client, 'books', 2);
  const before = await payments.stand();
  await inStep();
  replication.cut();
  const held = await payments.payAndHold(LOST_PAYMENTS);
  const began_ms = performance.now();
  await failOver();
  const promoted_ms = Math.round(performance.now() - began_ms);
  const took_ms = await payments.expectWhole(held, before, () => proveBooks(platform.grpcAddress, 'books'));
  process.stdout.write(
    `promoted after ${String(promoted_ms)} ms: ${String(LOST_PAYMENTS)} lost, whole ${String(took_ms)} ms later\n`,
  );
  expect(await epochs()).toBe(1);
});

test('a synchronous standby is promoted under load: nothing that was acknowledged is lost', async () => {
  await primary.query(`alter system set synchronous_standby_names = 'standby'`);
  await primary.query('select pg_reload_conf()');
  await until('the standby is synchronous', async () => {
    const [row] = await primary.query('select sync_state from pg_stat_replication');
    return row?.['sync_state'] === 'sync';
  });
  await makeBooks(platform.grpcAddress);
  const load = new Load({ addresses: [platform.grpcAddress], callers: 8, deadline_ms: 10_000 });
  await load.more(200);
  await failOver();
  await load.more(200);
  await load.stop();
  const config = standby.config(DATABASE);
  const database = { config, url: standby.url(DATABASE), drop: () => Promise.resolve() };
  expect(await audit(load, database)).toEqual({ lost: [], doubled: [], answeredWrongly: [], unknown: [] });
  await proveBooks(platform.grpcAddress, 'main');
  expect(await epochs()).toBe(1);
  process.stdout.write(
    `synchronous: ${String(load.answers.size)} acknowledged, none lost, longest interruption ${String(Math.round(load.longestGap_ms))} ms\n`,
  );
});
