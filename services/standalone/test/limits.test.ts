/** What happens to callers who ask for more per second than they may, over both doors. */
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  type StreamCommandsResponse,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { RetryInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { until } from '../../../test/load.js';
import { startPlatform, type TestPlatform } from './platform.js';
import { type Outcome, type RawClient, rawClient, WIRES } from './raw-client.js';

const PER_SECOND = 2;
/** More calls at once than a machine spreads over so many seconds. */
const CALLS = 40;
const { deposit, executeBatch } = TransactionCommandService.method;

let platform: TestPlatform;
let raw: RawClient;

beforeAll(async () => {
  platform = await startPlatform({
    limits: { commandsPerCaller: 0, commandsPerLedger: PER_SECOND, queriesPerCaller: PER_SECOND },
  });
  raw = rawClient(platform.grpcAddress, platform.connectUrl);
});

afterAll(async () => {
  raw.close();
  await platform.stop();
});

const depositTo = (ledgerId: string): JsonObject => ({
  ledgerId,
  requestId: randomUUID(),
  accountId: 'nobody',
  amount: { currency: 'EUR', minorUnits: '1' },
});

/** Sends as much at once as is refused in part, and gives what was refused. */
async function refusalsOf(send: () => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes = await Promise.all(Array.from({ length: CALLS }, send));
  return outcomes.filter(({ reasons }) => reasons.includes('quittance/RATE_LIMITED'));
}

test.each(WIRES)('commands and queries beyond the limits are refused: %s', async (wire) => {
  const calls: (readonly [string, () => Promise<Outcome>])[] = [
    ['ledger', () => raw.json(wire, deposit, depositTo('flood'))],
    [
      'ledger',
      () => raw.json(wire, executeBatch, { ledgerId: 'flood', commands: [{ deposit: depositTo('flood') }] }),
    ],
    [
      'caller',
      () => raw.json(wire, AccountQueryService.method.getBalance, { ledgerId: 'flood', accountId: 'nobody' }),
    ],
  ];
  for (const [limit, send] of calls) {
    const refused = await refusalsOf(send);
    expect(refused.length).toBeGreaterThan(0);
    // RESOURCE_EXHAUSTED.
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set([8]));
    expect(refused[0]?.message).toContain(limit);
  }
  const metrics = await (await fetch(`${platform.connectUrl}/metrics`)).text();
  for (const method of ['Deposit', 'ExecuteBatch']) {
    expect(metrics).toContain(`TransactionCommandService/${method}",limit="ledger"}`);
  }
});

test('a refusal says on both doors when to try again', async () => {
  for (const door of ['grpc', 'connect'] as const) {
    const { getBalance } = platform[door](AccountQueryService);
    const asked = Array.from({ length: CALLS }, () => getBalance({ ledgerId: 'flood', accountId: 'nobody' }));
    const delays_ms = (await Promise.allSettled(asked)).flatMap((result) => {
      if (result.status === 'fulfilled') return [];
      const error = ConnectError.from(result.reason);
      if (error.code !== Code.ResourceExhausted) return [];
      return error
        .findDetails(RetryInfoSchema)
        .map(({ retryDelay }) => (retryDelay === undefined ? 0 : durationMs(retryDelay)));
    });
    expect(delays_ms.length).toBeGreaterThan(0);
    for (const delay_ms of delays_ms) expect(delay_ms > 0 && delay_ms <= 1_000).toBe(true);
  }
});

test('operations and health are served as ever while a caller is beyond its limits', async () => {
  for (const wire of WIRES) {
    expect(await refusalsOf(() => raw.json(wire, ProjectionService.method.listProjections, {}))).toEqual([]);
  }
  expect((await fetch(`${platform.connectUrl}/readyz`)).status).toBe(200);
});

test('a stream of commands is slowed, and every command of it is answered', async () => {
  const transport = createGrpcTransport({ baseUrl: `http://${platform.grpcAddress}` });
  const { streamCommands } = createClient(TransactionCommandService, transport);
  const sent = 3 * PER_SECOND;
  const requests = async function* () {
    for (let index = 0; index < sent; index += 1) {
      const amount = { currency: 'EUR', minorUnits: 1n };
      const value = { ledgerId: 'stream', requestId: randomUUID(), accountId: 'nobody', amount };
      yield await Promise.resolve({ command: { command: { case: 'deposit' as const, value } } });
    }
  };
  const answers: StreamCommandsResponse[] = [];
  for await (const answer of streamCommands(requests())) answers.push(answer);
  expect(answers.map(({ index }) => index)).toEqual(
    Array.from({ length: sent }, (_, index) => BigInt(index)),
  );
  // There is no such ledger: that is what each command was answered.
  for (const { result } of answers) expect(result?.result.value).toMatchObject({ code: 5 });
  const waits = 'TransactionCommandService/StreamCommands",limit="ledger"}';
  await until('the wait is counted', async () =>
    (await (await fetch(`${platform.connectUrl}/metrics`)).text()).includes(waits),
  );
});
