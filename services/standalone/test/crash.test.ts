/** kill -9 in mid-load: what was acknowledged is in the log exactly once, what was not at most once, and all goes on. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import {
  StreamCommandsRequestSchema,
  type StreamCommandsResponse,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { uuidFromBytes } from '../../../lib/base/uuid.js';
import { callErrorOf } from '../../../tools/client/errors.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { depositTo, openBooks, patientClient, proveBooks, until } from '../../../test/load.js';
import { postmasterOf, removeDataDir, type ServerProcess, startServer } from './server-process.js';

const { deposit, streamCommands } = TransactionCommandService.method;
const LEDGER = 'crash';
/** Ends a test that hangs: servers are started and killed several times, which takes minutes on a busy machine. */
const SLOW_MS = 240_000;
const DEADLINE_EXCEEDED: number = status.DEADLINE_EXCEEDED;
const FRESH = { consistency: { requirement: { case: 'fullyConsistent' as const, value: true } } };

let dataDir: string;
let server: ServerProcess;
/** Request ids of all commands sent, with the position that was acknowledged, if one was. */
const sent = new Map<string, bigint | undefined>();

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'qcrash-data-'));
  server = await startServer(dataDir);
  const client = patientClient(server.grpc);
  await openBooks(client, LEDGER, 8);
  client.close();
});

afterAll(async () => {
  await server.kill();
  await removeDataDir(dataDir);
});

/** Unary callers and one stream, until the connection breaks. Resolves when all have noticed. */
function load(address: string): Promise<unknown> {
  const client = patientClient(address);
  const unary = Array.from({ length: 24 }, async (_, index) => {
    for (;;) {
      const requestId = randomUUID();
      sent.set(requestId, undefined);
      try {
        const account = `a${String(index % 8)}`;
        const { position } = await client.unary(deposit, depositTo(LEDGER, account, requestId), 3_000);
        sent.set(requestId, position);
      } catch (error) {
        // On a busy machine an answer may be late: this caller goes on with another command.
        if (callErrorOf(error).code !== DEADLINE_EXCEEDED) return;
      }
    }
  });
  return Promise.all([...unary, loadByStream(client)]).finally(() => {
    client.close();
  });
}

function loadByStream(client: GrpcClient): Promise<void> {
  return new Promise((resolve) => {
    const call = client.duplex(streamCommands);
    const ids: string[] = [];
    const sendOne = () => {
      const requestId = randomUUID();
      ids.push(requestId);
      sent.set(requestId, undefined);
      const value = depositTo(LEDGER, 'a0', requestId);
      call.write(create(StreamCommandsRequestSchema, { command: { command: { case: 'deposit', value } } }));
    };
    call.on('data', ({ index, result }: StreamCommandsResponse) => {
      const answer = result?.result;
      if (answer?.case === 'deposit') sent.set(ids[Number(index)] ?? '', answer.value.position);
      sendOne();
    });
    call.on('error', () => {
      resolve();
    });
    for (let index = 0; index < 32; index += 1) sendOne();
  });
}

const acknowledged = () => [...sent.values()].filter((position) => position !== undefined).length;

/** Every command of the ledger's log by request id, with all positions at which it stands. */
async function logged(client: GrpcClient): Promise<Map<string, bigint[]>> {
  const found = new Map<string, bigint[]>();
  for (let pageToken = ''; ;) {
    const page = await client.unary(EventQueryService.method.listEvents, {
      ledgerId: LEDGER,
      pageSize: 1_000,
      pageToken,
    });
    for (const { event } of page.events) {
      if (event === undefined || event.ordinal !== 0) continue;
      const id = uuidFromBytes(event.requestId);
      found.set(id, [...(found.get(id) ?? []), event.position]);
    }
    pageToken = page.nextPageToken;
    if (pageToken === '') return found;
  }
}

async function expectNothingLostNorDoubled(address: string): Promise<void> {
  const client = patientClient(address);
  const found = await logged(client);
  for (const [id, position] of sent) {
    const positions = found.get(id) ?? [];
    if (position !== undefined) expect([id, positions]).toEqual([id, [position]]);
    else expect(positions.length).toBeLessThanOrEqual(1);
  }
  client.close();
}

/** Retries tell what became of each, and commit the rest; then views, log and state tables agree. */
async function expectRetriesToTell(address: string): Promise<void> {
  const client = patientClient(address);
  const before = await logged(client);
  const open = [...sent].filter(([, position]) => position === undefined).map(([id]) => id);
  for (const id of open) {
    // It was sent to one of eight accounts, which the log knows if it has it.
    const accounts = Array.from({ length: 8 }, (_, index) => `a${String(index)}`);
    const tries = await Promise.all(
      accounts.map((account) =>
        client.unary(deposit, depositTo(LEDGER, account, id)).then(
          ({ replayed, position }) => ({ replayed, position }),
          () => undefined,
        ),
      ),
    );
    const answers = tries.filter((answer) => answer !== undefined);
    expect(answers).toHaveLength(1);
    const [stored] = before.get(id) ?? [];
    expect(answers[0]?.replayed).toBe(stored !== undefined);
    if (stored !== undefined) expect(answers[0]?.position).toBe(stored);
    sent.set(id, answers[0]?.position);
  }
  const total = BigInt(sent.size) + 8n * 1_000_000n;
  const { getBalance } = AccountQueryService.method;
  const { balance } = await client.unary(getBalance, {
    ledgerId: LEDGER,
    accountId: '@settlement:EUR',
    ...FRESH,
  });
  expect(balance?.posted).toBe(-total);
  const { getTrialBalance } = ReportQueryService.method;
  const { totals } = await client.unary(getTrialBalance, { ledgerId: LEDGER, ...FRESH });
  expect(totals).toMatchObject([{ debits: String(total), credits: String(total) }]);
  const { listTransactions } = TransactionQueryService.method;
  const latest = await client.unary(listTransactions, {
    ledgerId: LEDGER,
    descending: true,
    pageSize: 1,
    ...FRESH,
  });
  expect(latest.transactions).toHaveLength(1);
  client.close();
  await proveBooks(address, LEDGER);
}

test(
  'the server killed in mid-load, again and again',
  async () => {
    for (let round = 0; round < 3; round += 1) {
      const before = acknowledged();
      const loading = load(server.grpc);
      await until('some commands are acknowledged', () => acknowledged() > before + 150 + 100 * round);
      await server.kill();
      await loading;
      server = await startServer(dataDir);
      await expectNothingLostNorDoubled(server.grpc);
    }
    await expectRetriesToTell(server.grpc);
  },
  SLOW_MS,
);

test(
  'PostgreSQL killed in mid-load: the server says so and ends, and the next start goes on',
  async () => {
    const before = acknowledged();
    const loading = load(server.grpc);
    await until('some commands are acknowledged', () => acknowledged() > before + 200);
    const postmaster = postmasterOf(dataDir);
    expect(postmaster).toBeDefined();
    process.kill(postmaster ?? 0, 'SIGKILL');
    const late = new Promise<'still runs'>((resolve) =>
      setTimeout(resolve, 20_000, 'still runs' as const).unref(),
    );
    expect(await Promise.race([server.ended, late])).toBe(1);
    const lastLine = server.output().trimEnd().split('\n').at(-1);
    expect(lastLine).toMatch(
      /"reason":"PostgreSQL ended by itself; the reason is at the end of .*postgres\.log"/,
    );
    await loading;
    server = await startServer(dataDir);
    await expectNothingLostNorDoubled(server.grpc);
    await expectRetriesToTell(server.grpc);
  },
  SLOW_MS,
);

test('a second server on the same data is refused in one line; a signal ends the first with its engine', async () => {
  await expect(startServer(dataDir)).rejects.toThrow(/ended at its start: [^\n]+\n$/);
  expect(await server.stop()).toBe(0);
  expect(postmasterOf(dataDir)).toBeUndefined();
});
