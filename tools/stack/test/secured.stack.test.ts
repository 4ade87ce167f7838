/** A Redis, a MongoDB and a Kafka that want TLS, a name and a password: reached by the same adapters, in processes that know their root. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { serverTest } from '../../../lib/views/stores/redis/test/redis-server.js';
import { freePort } from '../../../lib/process/free-port.js';
import { createRedis } from '../../../lib/views/stores/redis/client.js';
import { createRoot, type TestRoot } from '../../../test/certificates.js';
import { projectRoot, startProgram } from '../engines/engine.js';
import { startBroker } from '../engines/kafka.js';
import { mongodb, mongodbCommand } from '../engines/mongodb.js';

const PASSWORD = 'se-cret';

let root: TestRoot;
let directory: string;
/** How many were run: each has a file of its own. */
let programs = 0;

beforeAll(async () => {
  root = await createRoot();
  directory = mkdtempSync(join(tmpdir(), 'quittance-secured-'));
});

afterAll(() => {
  root.remove();
  rmSync(directory, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs a module over what was built, in a process that knows the root or does not. */
function run(lines: readonly string[], knowsRoot: boolean): Promise<Ended> {
  programs += 1;
  const file = join(directory, `program-${String(programs)}.mjs`);
  writeFileSync(file, lines.join('\n'));
  const env = { ...process.env, NODE_OPTIONS: '', ...(knowsRoot ? { NODE_EXTRA_CA_CERTS: root.path } : {}) };
  return new Promise((resolve) => {
    execFile(process.execPath, [file], { env, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr });
    });
  });
}

function built(path: string): string {
  return JSON.stringify(pathToFileURL(join(projectRoot(), 'dist', path)).href);
}

serverTest('Redis is reached by rediss:// with its password, and by nothing less', async (start) => {
  const { certificatePath, keyPath } = await root.issue('redis');
  const tlsPort = await freePort();
  const tls = { 'tls-port': String(tlsPort), 'tls-cert-file': certificatePath, 'tls-key-file': keyPath };
  const roots = ['--tls-ca-cert-file', root.path, '--tls-auth-clients', 'no'];
  const files = Object.entries(tls).flatMap(([name, value]) => [`--${name}`, value]);
  const server = await start(...files, ...roots);
  const admin = createRedis(server.url);
  if (!('config' in admin)) throw new Error('one server is no cluster');
  await admin.call('CONFIG', 'SET', 'requirepass', PASSWORD);
  admin.disconnect();
  const ping = (url: string) => [
    `import { createRedis } from ${built('lib/views/stores/redis/client.js')};`,
    `const client = createRedis(${JSON.stringify(url)});`,
    `process.stdout.write(await client.set('key', 'value'));`,
    'client.disconnect();',
  ];
  const url = `rediss://:${PASSWORD}@localhost:${String(tlsPort)}`;
  expect(await run(ping(url), true)).toEqual({ code: 0, output: 'OK' });
  expect((await run(ping(url), false)).code).toBe(1);
  const refused = await run(ping(`rediss://localhost:${String(tlsPort)}`), true);
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('NOAUTH') as unknown });
});

test('MongoDB is reached over TLS with a name and a password, and by nothing less', async () => {
  const place = { host: '127.0.0.1', port: await freePort(), directory: join(directory, 'mongodb') };
  const open = await mongodb.start(place);
  const admin = new MongoClient(open.url);
  const roles = [{ role: 'readWrite', db: 'books' }];
  await admin.db('admin').command({ createUser: 'app', pwd: PASSWORD, roles });
  await admin.close();
  await open.stop();
  const { certificatePath, keyPath } = await root.issue('mongodb');
  const address = `localhost:${String(place.port)}/books?directConnection=true&authSource=admin&tls=true`;
  const url = `mongodb://app:${PASSWORD}@${address}`;
  const { command, args } = mongodbCommand(place);
  const secured = await startProgram({
    name: 'mongodb',
    url,
    directory: place.directory,
    command,
    args: [...args, '--auth', '--tls-cert-file', certificatePath, '--tls-key-file', keyPath],
    isReady: async () => {
      const client = new MongoClient(url, { tlsCAFile: root.path, serverSelectionTimeoutMS: 1_000 });
      try {
        await client.db('books').command({ ping: 1 });
        return true;
      } finally {
        await client.close();
      }
    },
  });
  const write = (to: string) => [
    `import { createMongodb } from ${built('lib/views/stores/mongodb/client.js')};`,
    `const client = createMongodb(${JSON.stringify(to)}, 'test');`,
    `await client.db().collection('rows').insertOne({ amount: 1n });`,
    `const found = await client.db().collection('rows').findOne({});`,
    `process.stdout.write(String(found.amount));`,
    'await client.close();',
  ];
  try {
    expect(await run(write(url), true)).toEqual({ code: 0, output: '1' });
    const [unknownRoot, wrongPassword, noName] = await Promise.all([
      run(write(url), false),
      run(write(`mongodb://app:wrong@${address}`), true),
      run(write(`mongodb://${address}`), true),
    ]);
    expect(unknownRoot).toMatchObject({
      code: 1,
      output: expect.stringContaining('certificate') as unknown,
    });
    expect(wrongPassword).toMatchObject({
      code: 1,
      output: expect.stringContaining('AuthenticationFailed') as unknown,
    });
    expect(noName.code).toBe(1);
  } finally {
    await secured.stop();
  }
}, 240_000);

test('Kafka is reached over TLS with a name and a password, and by nothing less', async () => {
  const { certificatePath, keyPath } = await root.issue('kafka');
  const [port, securedPort] = [await freePort(), await freePort()];
  const chain = join(directory, 'kafka.pem');
  writeFileSync(chain, Buffer.concat([readFileSync(keyPath), readFileSync(certificatePath)]));
  const place = { host: '127.0.0.1', port, directory: join(directory, 'kafka') };
  const broker = await startBroker(place, (ours) => ({
    listeners: `${String(ours['listeners'])},SASL_SSL://127.0.0.1:${String(securedPort)}`,
    'advertised.listeners': `${String(ours['advertised.listeners'])},SASL_SSL://localhost:${String(securedPort)}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': chain,
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_app="${PASSWORD}";`,
  }));
  const send = (security: object) => [
    `import { kafkaClient } from ${built('lib/log/kafka-client.js')};`,
    `const retry = { retries: 1, initialRetryTime: 50 };`,
    `const brokers = ['localhost:${String(securedPort)}'];`,
    `const client = kafkaClient(brokers, 'test', retry, ${JSON.stringify(security)});`,
    `const admin = client.admin({ retry });`,
    `await admin.connect();`,
    `await admin.createTopics({ topics: [{ topic: 'events', numPartitions: 1 }] });`,
    `const producer = client.producer({ retry });`,
    `await producer.connect();`,
    `await producer.send({ topic: 'events', messages: [{ value: 'x' }] });`,
    `process.stdout.write('sent');`,
    `process.exit(0);`,
  ];
  const sasl = { mechanism: 'plain', username: 'app', password: PASSWORD };
  try {
    expect(await run(send({ isTls: true, sasl }), true)).toEqual({ code: 0, output: 'sent' });
    const wrong = { ...sasl, password: 'wrong' };
    const [unknownRoot, wrongPassword, noName] = await Promise.all([
      run(send({ isTls: true, sasl }), false),
      run(send({ isTls: true, sasl: wrong }), true),
      run(send({ isTls: true }), true),
    ]);
    expect(unknownRoot.code).toBe(1);
    expect(wrongPassword).toMatchObject({
      code: 1,
      output: expect.stringContaining('Authentication failed') as unknown,
    });
    expect(noName.code).toBe(1);
  } finally {
    await broker.stop();
  }
}, 240_000);
