/** Calls sent on by a process without the lease, where callers are authenticated and all doors want client certificates. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  CreateLedgerRequestSchema,
  CreateLedgerResponseSchema,
} from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { newApiKey, type NewApiKey } from '../../../lib/auth/api-key.js';
import { insertKey, prepareKeys, revokeKey } from '../../../lib/auth/postgres-keys.js';
import { createPool, type Pool } from '../../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../../lib/log/postgres-log-reader.js';
import { Wakeups } from '../../../lib/log/wakeups.js';
import { FORWARDED } from '../../../lib/rpc/passage.js';
import { createRoot, type TestRoot } from '../../../test/certificates.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { type CommandServer, prepare, startCommandServer } from './command-server.js';

const CREATE_LEDGER = '/quittance.command.v1.LedgerCommandService/CreateLedger';
const STREAM_COMMANDS = '/quittance.command.v1.TransactionCommandService/StreamCommands';
const CALL_LIMIT_MS = 20_000;

let database: TestDatabase;
let pool: Pool;
let root: TestRoot;
let servers: readonly CommandServer[] = [];
let key: NewApiKey;
/** To the process without the lease. */
let client: grpc.Client;

beforeAll(async () => {
  root = await createRoot();
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 1, name: 'test' });
  await prepare(database);
  await prepareKeys(pool);
  key = await keyFor(['create:books']);
  const { certificatePath, keyPath } = await root.issue('server');
  const variables = {
    QUITTANCE_AUTH: 'on',
    QUITTANCE_TLS_CERT_FILE: certificatePath,
    QUITTANCE_TLS_KEY_FILE: keyPath,
    QUITTANCE_TLS_CLIENT_CA_FILE: root.path,
    QUITTANCE_TLS_CA_FILE: root.path,
  };
  const holder = await startCommandServer({ databaseUrl: database.url, variables });
  const other = await startCommandServer({ databaseUrl: database.url, variables });
  servers = [holder, other];
  const own = await root.issue('client');
  const credentials = grpc.credentials.createSsl(
    root.bytes,
    readFileSync(own.keyPath),
    readFileSync(own.certificatePath),
  );
  client = new grpc.Client(other.address, credentials);
});

afterAll(async () => {
  client.close();
  for (const server of servers) server.signal('SIGKILL');
  await Promise.all(servers.map(({ ended }) => ended));
  await pool.end();
  await database.drop();
  root.remove();
});

async function keyFor(scopes: readonly string[]): Promise<NewApiKey> {
  const made = newApiKey();
  await insertKey(pool, made, { name: 'founder', scopes, expires_at: null });
  return made;
}

function headersOf(headers: Readonly<Record<string, string>>): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

/** Creates a ledger. @throws grpc.ServiceError */
async function createLedger(ledgerId: string, headers: Readonly<Record<string, string>>) {
  const request = create(CreateLedgerRequestSchema, { ledgerId, requestId: randomUUID() });
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(
      CREATE_LEDGER,
      (message: typeof request) => Buffer.from(toBinary(CreateLedgerRequestSchema, message)),
      (answer: Buffer) => answer,
      request,
      headersOf(headers),
      { deadline: Date.now() + CALL_LIMIT_MS },
      (error, answer) => {
        if (error !== null) reject(error);
        else resolve(answer ?? Buffer.alloc(0));
      },
    );
  });
  return fromBinary(CreateLedgerResponseSchema, bytes);
}

test('the actor of the event is the caller, not what the caller says of itself', async () => {
  const { position } = await createLedger('books', {
    authorization: `Bearer ${key.key}`,
    actor: 'mallory',
    'quittance-actor': 'mallory',
  });
  const recorded = await postgresLogReader(pool, new Wakeups()).at(position);
  expect(recorded?.event.actor).toBe(`key:founder/${key.id}`);
});

test('the holder of the lease refuses what the scopes do not allow', async () => {
  await expect(createLedger('other', { authorization: `Bearer ${key.key}` })).rejects.toMatchObject({
    code: grpc.status.PERMISSION_DENIED,
  });
});

test.each([
  ['no credentials', {}],
  ['no credentials, and the mark of a call that another process has sent on', { [FORWARDED]: 'binary' }],
  ['a key that was never made', { authorization: `Bearer ${newApiKey().key}`, [FORWARDED]: 'binary' }],
])('a call with %s is refused', async (_name, headers) => {
  await expect(createLedger('books', headers)).rejects.toMatchObject({ code: grpc.status.UNAUTHENTICATED });
});

test('a stream that is sent on ends with UNAUTHENTICATED when its key is revoked', async () => {
  const brief = await keyFor(['write:books']);
  // The other process and the holder read their keys once a second.
  const opened = async (): Promise<unknown> => {
    const stream = client.makeBidiStreamRequest(
      STREAM_COMMANDS,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => bytes,
      headersOf({ authorization: `Bearer ${brief.key}` }),
    );
    stream.resume();
    // An empty request has no command: it is answered with an error in its place, and the stream goes on.
    stream.write(new Uint8Array(0));
    return new Promise((resolve) => {
      stream.once('data', () => {
        void revokeKey(pool, brief.id);
      });
      stream.once('error', resolve);
    });
  };
  let ended: unknown;
  do ended = await opened();
  while (String(ended).includes('no such API key') && !(await isRevoked(brief.id)));
  expect(ended).toMatchObject({ code: grpc.status.UNAUTHENTICATED, details: 'the API key was revoked' });
});

async function isRevoked(id: string): Promise<boolean> {
  const { rows } = await pool.query<{ revoked: boolean }>(
    'select revoked_at is not null as revoked from auth.api_keys where key_id = $1',
    [id],
  );
  return rows[0]?.revoked === true;
}
