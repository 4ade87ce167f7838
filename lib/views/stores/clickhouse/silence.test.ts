/** How long calls wait for a server that never answers, as over a connection that is open on this side only. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../../base/store-unavailable.js';
import { ClickHouse } from './client.js';

const QUICK_MS = 100;
const NEVER_MS = 600_000;

const connections = new Set<Socket>();
let server: Server;
let store: ClickHouse;

beforeEach(async () => {
  server = createServer((socket) => {
    connections.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => connections.delete(socket));
    socket.resume();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const url = `http://127.0.0.1:${String(address.port)}`;
  store = new ClickHouse(url, { requestTimeout_ms: NEVER_MS, quickTimeout_ms: QUICK_MS });
});

afterEach(async () => {
  await store.close();
  for (const connection of connections) connection.destroy();
  const closed = once(server, 'close');
  server.close();
  await closed;
});

test('an insert ends long before a report would, and its connection is not used again', async () => {
  const closed = once(server, 'connection').then(([socket]) => once(socket as Socket, 'close'));
  await expect(store.insert('t', ['a'], [[1]])).rejects.toBeInstanceOf(StoreUnavailable);
  await closed;
});

test('so does a read of a few rows', async () => {
  const closed = once(server, 'connection').then(([socket]) => once(socket as Socket, 'close'));
  await expect(store.selectFew('select 1')).rejects.toBeInstanceOf(StoreUnavailable);
  await closed;
});
