/** TLS of both doors: whom they let in, and certificates that are replaced, broken or expired while they run. */
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import tls from 'node:tls';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Health, HealthCheckResponse_ServingStatus } from '../../gen/grpc/health/v1/health_pb.js';
import { type CertificatePaths, createRoot, type TestRoot } from '../../test/certificates.js';
import { until } from '../../test/until.js';
import { callMetrics } from './call-metrics.js';
import { CertificateFiles } from './certificates.js';
import { createChain, DEFAULT_CHAIN_LIMITS } from './chain.js';
import { openConnectDoor } from './connect/door.js';
import { openGrpcDoor } from './grpc/door.js';
import { createHealth } from './health.js';

const HOST = '127.0.0.1';
/** That of gRPC over either HTTP/2, and that of Connect. */
const DOORS = ['grpc', 'grpcOverNode', 'connect'] as const;
type DoorName = (typeof DOORS)[number];

let root: TestRoot;
let stranger: TestRoot;
let client: CertificatePaths;
const closers: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  root = await createRoot();
  stranger = await createRoot();
  client = await root.issue('client');
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

afterAll(() => {
  root.remove();
  stranger.remove();
});

/** All doors with this certificate, and what they log. */
async function open(own: CertificatePaths, clientCaPath?: string) {
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const config = { ...own, clientCaPath, peerCaPath: undefined };
  const certificates = await CertificateFiles.open(config, logger, 5);
  closers.push(() => certificates.stop());
  const health = createHealth(['here']);
  health.set('here', true);
  const registry = new Registry();
  certificates.register(registry);
  const chain = createChain({ logger, metrics: callMetrics(registry), ...DEFAULT_CHAIN_LIMITS });
  const services = [health.service];
  const shared = { host: HOST, port: 0, services, chain, certificates };
  const grpc = await openGrpcDoor(shared);
  closers.push(() => grpc.close());
  const grpcOverNode = await openGrpcDoor({ ...shared, transport: 'node' });
  closers.push(() => grpcOverNode.close());
  const web = { health, registry, corsOrigins: [], allowedHosts: [], logger };
  const connect = await openConnectDoor({ ...shared, ...web });
  closers.push(() => connect.close());
  const ports = { grpc: grpc.port, grpcOverNode: grpcOverNode.port, connect: connect.port };
  return { ports, lines, registry };
}

type Ports = Awaited<ReturnType<typeof open>>['ports'];

/** Whether the door answers a call over TLS to a client with this certificate. */
async function answers(door: DoorName, ports: Ports, own?: CertificatePaths): Promise<boolean> {
  const baseUrl = `https://localhost:${String(ports[door])}`;
  const nodeOptions = {
    ca: root.bytes,
    ...(own === undefined ? {} : { cert: readFileSync(own.certificatePath), key: readFileSync(own.keyPath) }),
  };
  const sessionManager = new Http2SessionManager(baseUrl, {}, nodeOptions);
  const transport =
    door === 'connect'
      ? createConnectTransport({ baseUrl, httpVersion: '2', nodeOptions, sessionManager })
      : createGrpcTransport({ baseUrl, nodeOptions, sessionManager });
  try {
    return (
      (await createClient(Health, transport).check({ service: 'here' })).status ===
      HealthCheckResponse_ServingStatus.SERVING
    );
  } catch {
    return false;
  } finally {
    sessionManager.abort();
  }
}

/** The serial number of the certificate that a door shows. */
async function shown(port: number): Promise<string> {
  const socket = tls.connect({ host: HOST, port, servername: 'localhost', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

/** Resolves when all doors show another certificate than this. */
async function replaced(ports: Ports, before: string): Promise<void> {
  for (const door of DOORS) {
    let now = before;
    let isLooking = false;
    await until(() => {
      if (now !== before) return true;
      if (!isLooking) {
        isLooking = true;
        const looked = (serial: string) => {
          now = serial;
          isLooking = false;
        };
        void shown(ports[door]).then(looked, () => {
          looked(before);
        });
      }
      return false;
    });
  }
}

describe.each(DOORS)('the %s door', (door) => {
  test('answers over TLS, and not without', async () => {
    const { ports } = await open(await root.issue('server'));
    expect(await answers(door, ports)).toBe(true);
    const plain = fetch(`http://localhost:${String(ports[door])}/healthz`);
    await expect(plain).rejects.toThrow();
  });

  test('lets in only those with a certificate where it asks for one', async () => {
    const { ports } = await open(await root.issue('server'), root.path);
    expect(await answers(door, ports, client)).toBe(true);
    expect(await answers(door, ports)).toBe(false);
    expect(await answers(door, ports, await stranger.issue('client'))).toBe(false);
    expect(await answers(door, ports, await root.issue('old-client', -1))).toBe(false);
  });
});

test('HTTP/1.1 over TLS is answered too', async () => {
  const { ports } = await open(await root.issue('server'));
  const baseUrl = `https://localhost:${String(ports.connect)}`;
  const transport = createConnectTransport({ baseUrl, httpVersion: '1.1', nodeOptions: { ca: root.bytes } });
  expect((await createClient(Health, transport).check({ service: 'here' })).status).toBe(1);
});

test('a new certificate is used without a restart, and what is open goes on', async () => {
  const own = await root.issue('server');
  const { ports, lines } = await open(own);
  const before = await shown(ports.grpc);
  const baseUrl = `https://localhost:${String(ports.grpc)}`;
  const sessionManager = new Http2SessionManager(baseUrl, {}, { ca: root.bytes });
  closers.push(() => {
    sessionManager.abort();
  });
  const { check, watch } = createClient(Health, createGrpcTransport({ baseUrl, sessionManager }));
  const stream = watch({ service: 'here' })[Symbol.asyncIterator]();
  expect((await stream.next()).done).toBe(false);
  await root.issue('server');
  await replaced(ports, before);
  // Over the connection of the old certificate.
  expect((await check({ service: 'here' })).status).toBe(1);
  for (const door of DOORS) expect(await answers(door, ports)).toBe(true);
  expect(lines.filter((line) => line.includes('a new TLS certificate is used'))).toHaveLength(1);
});

test('files that do not belong together are passed over, and the old certificate stays', async () => {
  const own = await root.issue('server');
  const other = await root.issue('another');
  const { ports, lines } = await open(own);
  const before = await shown(ports.connect);
  copyFileSync(other.keyPath, own.keyPath);
  await until(() => lines.some((line) => line.includes('the old one stays')));
  writeFileSync(own.certificatePath, 'no certificate');
  await until(() => lines.filter((line) => line.includes('the old one stays')).length > 1);
  for (const door of DOORS) {
    expect(await shown(ports[door])).toBe(before);
    expect(await answers(door, ports)).toBe(true);
  }
  expect(lines.join('')).not.toContain('PRIVATE KEY');
});

test('an expired certificate is logged, refused by callers, and mended without a restart', async () => {
  const own = await root.issue('server', -1);
  const { ports, lines, registry } = await open(own);
  expect(lines.join('')).toContain('has expired');
  const [, end_s = ''] =
    /^quittance_tls_certificate_end_timestamp_seconds (\d+)/m.exec(await registry.metrics()) ?? [];
  expect(Number(end_s)).toBeGreaterThan(0);
  expect(Number(end_s)).toBeLessThan(Date.now() / 1_000);
  for (const door of DOORS) expect(await answers(door, ports)).toBe(false);
  const before = await shown(ports.grpc);
  await root.issue('server');
  await replaced(ports, before);
  for (const door of DOORS) expect(await answers(door, ports)).toBe(true);
});

test.each([
  ['is absent', { certificatePath: '/nowhere/cert.pem' }],
  ['belongs to another key', 'another'],
])('a certificate that %s ends the start with one line', async (_name, wrong) => {
  const own = await root.issue('server');
  const config =
    typeof wrong === 'string' ? { ...own, keyPath: (await root.issue(wrong)).keyPath } : { ...own, ...wrong };
  await expect(open(config)).rejects.toThrow('the TLS certificate cannot be used');
});
