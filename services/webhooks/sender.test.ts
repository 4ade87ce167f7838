/** The client of webhooks against receivers that do what they should not. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createRoot } from '../../test/certificates.js';
import { addressRule } from './addresses.js';
import { namesByDns } from './names.js';
import { httpSender, type LookUp, type Outcome, type Sender } from './sender.js';
import { type Receiver, startReceiver, status, SUCCESS } from './test/receiver.js';

const NEVER = new AbortController().signal;
/** Longer than a busy machine needs, where an answer comes. */
const PATIENT_MS = 60_000;

const closing: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function senderWith(
  options: {
    readonly networks?: readonly string[];
    readonly timeout_ms?: number;
    readonly lookUp?: LookUp;
    readonly ca?: Uint8Array;
  } = {},
): Sender {
  const { networks = ['127.0.0.0/8'], timeout_ms = PATIENT_MS, lookUp = namesByDns(), ca } = options;
  const sender = httpSender({ rule: addressRule(networks), timeout_ms, lookUp, ca });
  closing.push(() => sender.close());
  return sender;
}

async function receiver(answer = SUCCESS): Promise<Receiver> {
  const started = await startReceiver(answer);
  closing.push(() => started.close());
  return started;
}

/** A server that answers each connection with these bytes, once the first have come. */
async function rawServer(answer: (socket: net.Socket) => void): Promise<string> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as net.AddressInfo).port)}/`;
}

const post = (sender: Sender, url: string, signal = NEVER): Promise<Outcome> =>
  sender.post({ url, headers: { 'webhook-id': '0-0-1' }, body: '{}' }, signal);

function failureOf(outcome: Outcome): string {
  return outcome.isDelivered ? '' : outcome.failure;
}

describe('an answer', () => {
  test('of success is taken, and the connection is used again', async () => {
    const target = await receiver();
    const sender = senderWith();
    expect(await post(sender, target.url)).toEqual({ isDelivered: true });
    expect(await post(sender, target.url)).toEqual({ isDelivered: true });
    expect(target.received.map(({ body }) => body)).toEqual(['{}', '{}']);
  });

  test('of failure says its status, and for how long to wait', async () => {
    const target = await receiver(status(503, { 'retry-after': '7' }));
    expect(await post(senderWith(), target.url)).toEqual({
      isDelivered: false,
      failure: 'HTTP 503',
      isGone: false,
      retryAfter_ms: 7_000,
    });
    target.answer(status(410));
    expect(await post(senderWith(), target.url)).toMatchObject({ isGone: true, failure: 'HTTP 410' });
  });

  test('that leads elsewhere is not followed', async () => {
    const elsewhere = await receiver();
    const target = await receiver(status(307, { location: elsewhere.url }));
    expect(failureOf(await post(senderWith(), target.url))).toBe('HTTP 307, and redirects are not followed');
    expect(elsewhere.received).toEqual([]);
  });

  test('that is not HTTP is a failure', async () => {
    const url = await rawServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(failureOf(await post(senderWith(), url))).toBe('the answer is not HTTP');
  });

  test('with headers without end is a failure', async () => {
    const url = await rawServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}`);
    });
    expect(failureOf(await post(senderWith(), url))).toBe('the headers of the answer are too large');
  });

  test('with a body without end is taken, and its connection is closed', async () => {
    let closed: Promise<void> = Promise.reject(new Error('no connection'));
    closed.catch(() => undefined);
    const target = await receiver((response) => {
      closed = new Promise((resolve) => response.on('close', resolve));
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.writeHead(200).on('drain', more);
      more();
    });
    expect(await post(senderWith(), target.url)).toEqual({ isDelivered: true });
    await closed;
  });

  test('that does not come is waited for no longer than allowed', async () => {
    const url = await rawServer(() => undefined);
    expect(failureOf(await post(senderWith({ timeout_ms: 50 }), url))).toBe('no answer in time');
  });

  test('is not waited for when the process ends', async () => {
    const end = new AbortController();
    const url = await rawServer(() => end.abort());
    expect((await post(senderWith(), url, end.signal)).isDelivered).toBe(false);
    expect((await post(senderWith(), url, end.signal)).isDelivered).toBe(false);
  });
});

test('by https a receiver is called whose certificate is trusted and is for its name, and no other', async () => {
  const root = await createRoot();
  closing.push(() => root.remove());
  const { certificatePath, keyPath } = await root.issue('receiver');
  const ids: unknown[] = [];
  const server = https.createServer(
    { cert: readFileSync(certificatePath), key: readFileSync(keyPath) },
    (request, response) => {
      ids.push(request.headers['webhook-id']);
      request.resume().on('end', () => response.writeHead(204).end());
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as net.AddressInfo;
  const lookUp: LookUp = (_name, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]);
  const trusting = senderWith({ lookUp, ca: root.bytes });
  const url = (host: string) => `https://${host}:${String(port)}/`;
  expect(await post(trusting, url('localhost'))).toEqual({ isDelivered: true });
  expect(await post(trusting, url('127.0.0.1'))).toEqual({ isDelivered: true });
  expect(failureOf(await post(trusting, url('other.test')))).toBe('TLS: ERR_TLS_CERT_ALTNAME_INVALID');
  expect(failureOf(await post(senderWith({ lookUp }), url('localhost')))).toMatch(/^TLS: /);
  const plain = await receiver();
  expect(failureOf(await post(trusting, plain.url.replace('http:', 'https:')))).toMatch(/^TLS: /);
  expect(ids).toEqual(['0-0-1', '0-0-1']);
});

test('where nothing listens the connection is refused', async () => {
  const target = await receiver();
  await target.close();
  expect(failureOf(await post(senderWith(), target.url))).toBe('connection refused');
});

test('a connection that the receiver has closed meanwhile is no failure', async () => {
  const target = await receiver();
  const sender = senderWith();
  await post(sender, target.url);
  // The receiver resets the connection as soon as the next request is on it.
  const { port } = new URL(target.url);
  await target.close();
  const again = http.createServer((_, response) => response.writeHead(204).end());
  await new Promise<void>((resolve) => again.listen(Number(port), '127.0.0.1', resolve));
  closing.push(() => {
    again.closeAllConnections();
    again.close();
  });
  expect(await post(sender, target.url)).toEqual({ isDelivered: true });
});

describe('an address that is not allowed', () => {
  test('is not connected to where it stands in the URL', async () => {
    const target = await receiver();
    const sender = senderWith({ networks: [] });
    const { port } = new URL(target.url);
    for (const host of ['127.0.0.1', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '[::1]']) {
      for (const scheme of ['http', 'https']) {
        const outcome = await post(sender, `${scheme}://${host}:${port}/`);
        expect([host, failureOf(outcome)]).toEqual([host, 'the address is not allowed']);
      }
    }
    expect(target.received).toEqual([]);
  });

  test('is not connected to where a name leads to it, at the connection itself', async () => {
    const target = await receiver();
    const { port } = new URL(target.url);
    let address = '127.0.0.1';
    const lookUp: LookUp = (_name, _options, found) => found(null, [{ address, family: 4 }]);
    const sender = senderWith({ networks: ['127.0.0.1/32'], lookUp });
    expect(await post(sender, `http://receiver.test:${port}/`)).toEqual({ isDelivered: true });
    address = '127.0.0.2';
    const other = senderWith({ networks: ['127.0.0.1/32'], lookUp });
    expect(failureOf(await post(other, `http://receiver.test:${port}/`))).toBe('the address is not allowed');
    expect(failureOf(await post(other, `https://receiver.test:${port}/`))).toBe('the address is not allowed');
    expect(target.received.length).toBe(1);
  });

  test('is left out where a name leads to others too', async () => {
    const target = await receiver();
    const { port } = new URL(target.url);
    const lookUp: LookUp = (_name, _options, found) => {
      found(null, [
        { address: '10.0.0.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    };
    const sender = senderWith({ networks: ['127.0.0.0/8'], lookUp });
    expect(await post(sender, `http://receiver.test:${port}/`)).toEqual({ isDelivered: true });
  });
});
