import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { LedgerCommandService } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { freePort } from '../../lib/process/free-port.js';
import { sentenceOfCall } from './errors.js';
import { grpcClient } from './grpc-client.js';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** The address of a server that may be anything but Quittance. */
async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => server.close());
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** What a tool prints about a call to an address. */
async function sentenceAt(address: string): Promise<string> {
  const client = grpcClient(address);
  try {
    await client.unary(LedgerCommandService.method.createLedger, { ledgerId: 'x' }, 2_000);
  } catch (error) {
    return sentenceOfCall(error, address);
  } finally {
    client.close();
  }
  throw new Error('the call has succeeded');
}

test('where nothing listens, the sentence says how to start the server', async () => {
  const address = `127.0.0.1:${String(await freePort())}`;
  expect(await sentenceAt(address)).toBe(
    `nothing listens at ${address}; start the server with npm start, or give the address of one that runs`,
  );
});

test('a host that does not exist is named', async () => {
  expect(await sentenceAt('nowhere.invalid:50051')).toBe(
    'the host of nowhere.invalid:50051 is not known here; check --address',
  );
});

test('the port of another protocol is named, with the one that is meant', async () => {
  const http = await listening(createHttpServer((_, response) => void response.end()));
  expect(await sentenceAt(http)).toContain(`what listens at ${http} does not speak gRPC; the gRPC port`);
  const http2 = createHttp2Server((_, response) => {
    response.writeHead(404).end();
  });
  const address = await listening(http2);
  expect(await sentenceAt(address)).toContain(`what listens at ${address} does not speak gRPC`);
});

test('a server that closes the connection is named', async () => {
  const address = await listening(createServer((socket) => socket.destroy()));
  expect(await sentenceAt(address)).toBe(
    `the connection to ${address} was lost; is the server still running there?`,
  );
});

test('a server that never answers is named', async () => {
  const address = await listening(
    createServer((socket) => {
      cleanUps.push(() => socket.destroy());
    }),
  );
  expect(await sentenceAt(address)).toContain(`the server at ${address} did not answer in time`);
});

test('a defect of ours is no failed call', () => {
  expect(() => sentenceOfCall(new TypeError('oops'), 'localhost:50051')).toThrow(TypeError);
});
