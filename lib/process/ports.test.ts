import { Code, ConnectError, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { ErrorInfoSchema, RetryInfoSchema } from '../../gen/google/rpc/error_details_pb.js';
import { Health } from '../../gen/grpc/health/v1/health_pb.js';
import { freePort } from './free-port.js';
import { holdPorts, type WantedPort } from './ports.js';

async function listening(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

function wanted(port: number): WantedPort {
  return { name: 'gRPC', host: '127.0.0.1', port, variable: 'QUITTANCE_GRPC_PORT' };
}

test('a taken port ends in one line, and the ports before it are free again', async () => {
  const { server, port } = await listening();
  const first = await freePort();
  await expect(holdPorts([wanted(first), wanted(port)])).rejects.toThrow(
    `port ${String(port)} (gRPC) is in use; stop that program or set QUITTANCE_GRPC_PORT`,
  );
  await close(server);
  await close((await listening(first)).server);
});

test('held ports are nobody else’s until they are released', async () => {
  const port = await freePort();
  const held = await holdPorts([wanted(port)]);
  await expect(holdPorts([wanted(port)])).rejects.toThrow('is in use');
  await held.release();
  await held.release();
  await close((await listening(port)).server);
});

test('a caller over HTTP is told that we are starting, and does not hold up the release', async () => {
  const port = await freePort();
  const held = await holdPorts([wanted(port)]);
  const response = await fetch(`http://127.0.0.1:${String(port)}/readyz`);
  expect(response.status).toBe(503);
  await response.text();
  await held.release();
});

test('until the doors open, callers of every protocol get an ErrorInfo and a RetryInfo', async () => {
  const port = await freePort();
  const held = await holdPorts([wanted(port)]);
  const baseUrl = `http://127.0.0.1:${String(port)}`;
  for (const transport of [
    createGrpcTransport({ baseUrl }),
    createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
    createConnectTransport({ baseUrl, httpVersion: '1.1' }),
    createConnectTransport({ baseUrl, httpVersion: '2' }),
  ]) {
    const { check, watch } = createClient(Health, transport);
    for (const call of [() => check({}), () => watch({})[Symbol.asyncIterator]().next()]) {
      const error = ConnectError.from(await call().catch((thrown: unknown) => thrown));
      expect([error.code, error.rawMessage]).toEqual([Code.Unavailable, 'Quittance is starting']);
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
        { domain: 'quittance', reason: 'NOT_SERVING' },
      ]);
      expect(error.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n } }]);
    }
  }
  const page = await fetch(`${baseUrl}/readyz`);
  expect([page.status, page.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await page.json()).toMatchObject({ code: 'unavailable', details: [{}, {}] });
  await held.release();
});

test('an address that is not ours is named', async () => {
  await expect(holdPorts([{ ...wanted(await freePort()), host: '192.0.2.1' }])).rejects.toThrow(
    'QUITTANCE_HOST',
  );
});
