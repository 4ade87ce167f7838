/** Several command processes on one log: who decides, what becomes of calls to the others, and what a loss costs. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '../../../lib/process/free-port.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { until } from '../../../test/until.js';
import { type Audit, audit, Load, makeBooks } from './audited-load.js';
import { type CommandServer, prepare, type ServerOptions, startCommandServer } from './command-server.js';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.js';

let database: TestDatabase;
const servers: CommandServer[] = [];
const proxies: TcpProxy[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  await prepare(database);
});

afterEach(async () => {
  for (const server of servers) server.signal('SIGKILL');
  await Promise.all(servers.splice(0).map(({ ended }) => ended));
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  await database.drop();
});

async function start(options: Partial<ServerOptions> = {}): Promise<CommandServer> {
  const server = await startCommandServer({ databaseUrl: database.url, ...options });
  servers.push(server);
  return server;
}

/** The first has the lease. */
async function startTwo(first: Partial<ServerOptions> = {}): Promise<[CommandServer, CommandServer]> {
  const two: [CommandServer, CommandServer] = [await start(first), await start()];
  expect(await two[0].isHolder()).toBe(true);
  expect(await two[1].isHolder()).toBe(false);
  await makeBooks(two[1].address);
  return two;
}

function loadOn(processes: readonly CommandServer[], deadline_ms = 10_000): Load {
  return new Load({ addresses: processes.map(({ address }) => address), callers: 16, deadline_ms });
}

/** A proxy before the database, which the tests reach by a socket. */
async function databaseProxy(): Promise<TcpProxy & { readonly url: string }> {
  const { host = '', port = 0, user = '', database: name = '' } = database.config;
  const path = host.startsWith('/') ? `${host}/.s.PGSQL.${String(port)}` : undefined;
  const proxy = await openTcpProxy(path === undefined ? { host, port } : { path });
  proxies.push(proxy);
  return { ...proxy, url: `postgresql://${user}@127.0.0.1:${String(proxy.port)}/${name}` };
}

function report(what: string, { longestGap_ms, failures, answers }: Load): void {
  const counts = `${String(answers.size)} acknowledged, ${String(failures.length)} attempts failed`;
  process.stdout.write(`${what}: longest interruption ${String(Math.round(longestGap_ms))} ms, ${counts}\n`);
}

const ALL_WELL: Audit = { lost: [], doubled: [], answeredWrongly: [], unknown: [] };

/** Ends the load, and compares what its callers have heard with the log. */
async function expectAllAsTold(load: Load): Promise<void> {
  await load.stop();
  expect(load.answers.size).toBeGreaterThan(0);
  expect(await audit(load, database)).toEqual(ALL_WELL);
}

/** Longer than the five seconds that a take-over may take: the machine of the tests is shared. */
const INTERRUPTION_MAX_MS = 10_000;

describe('a process that is lost under load', () => {
  test('killed: another one decides, and what was acknowledged stands', async () => {
    const [holder, other] = await startTwo();
    const load = loadOn([holder, other]);
    await load.more(100);
    // Kafka is away, and only the holder of the lease misses it.
    const relays = ({ output }: CommandServer) => output().includes('the relay cannot send');
    await until(() => relays(holder));
    expect(relays(other)).toBe(false);
    holder.signal('SIGKILL');
    await load.more(200);
    expect(await other.isHolder()).toBe(true);
    await until(() => relays(other));
    expect(load.longestGap_ms).toBeLessThan(INTERRUPTION_MAX_MS);
    report('killed', load);
    await expectAllAsTold(load);
  });

  test('stopped and woken: it finds out before it decides anything', async () => {
    const [holder, other] = await startTwo();
    const load = loadOn([holder, other], 2_000);
    await load.more(100);
    holder.signal('SIGSTOP');
    await load.more(200);
    expect(await other.isHolder()).toBe(true);
    holder.signal('SIGCONT');
    await load.more(200);
    expect(await holder.isHolder()).toBe(false);
    expect(await other.isHolder()).toBe(true);
    expect(load.longestGap_ms).toBeLessThan(INTERRUPTION_MAX_MS);
    report('stopped', load);
    await expectAllAsTold(load);
  });

  test.each(['cut', 'silence'] as const)(
    'cut off from the database (%s): another one decides',
    async (fault) => {
      const proxy = await databaseProxy();
      const [holder, other] = await startTwo({ databaseUrl: proxy.url });
      const load = loadOn([holder, other], 2_000);
      await load.more(100);
      proxy[fault]();
      await load.more(200);
      expect(await other.isHolder()).toBe(true);
      proxy.restore();
      await load.more(200);
      expect(load.longestGap_ms).toBeLessThan(INTERRUPTION_MAX_MS);
      report(`database ${fault}`, load);
      await load.stop();
      // The one that was cut off reaches the database again, and can take over in its turn.
      other.signal('SIGKILL');
      const onHolder = loadOn([holder]);
      await onHolder.more(100);
      expect(await holder.isHolder()).toBe(true);
      await expectAllAsTold(onHolder);
      await expectAllAsTold(load);
    },
  );

  test('cut off from its peers: it goes on, and they send calls to it again when they reach it', async () => {
    const grpcPort = await freePort();
    const proxy = await openTcpProxy({ host: '127.0.0.1', port: grpcPort });
    proxies.push(proxy);
    const [holder, other] = await startTwo({ grpcPort, advertised: `127.0.0.1:${String(proxy.port)}` });
    const load = loadOn([holder, other], 1_000);
    await load.more(100);
    proxy.cut();
    await load.more(100);
    expect(await holder.isHolder()).toBe(true);
    proxy.restore();
    await load.more(100);
    const onOther = loadOn([other]);
    await onOther.more(50);
    await onOther.stop();
    expect(await holder.isHolder()).toBe(true);
    report('peers', load);
    await expectAllAsTold(load);
  });
});

describe('a planned hand-over', () => {
  test('at a shutdown under load fails no call that goes to another process', async () => {
    const [holder, other] = await startTwo();
    const load = loadOn([holder, other]);
    const onOther = loadOn([other]);
    await load.more(100);
    holder.signal('SIGTERM');
    expect(await holder.ended).toBe(0);
    await load.more(100);
    expect(await other.isHolder()).toBe(true);
    await onOther.stop();
    expect(onOther.failures).toEqual([]);
    expect(await audit(onOther, database)).toEqual(ALL_WELL);
    report('hand-over', load);
    report('hand-over, calls to the other', onOther);
    await expectAllAsTold(load);
  });

  test('from a process that is the only one is taken back, and what waits is answered', async () => {
    const only = await start();
    await makeBooks(only.address);
    only.signal('SIGTERM');
    expect(await only.ended).toBe(0);
    expect(only.output()).not.toContain('"level":50');
  });
});
