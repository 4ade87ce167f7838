/** How long a read waits for a view that stands still, if its caller set no deadline: as documented, by both doors. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { DescService } from '@bufbuild/protobuf';
import { type Client, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { type GrpcClient, grpcClient } from '../../../tools/client/grpc-client.js';
import { openBooks, paymentOf } from '../../../test/load.js';
import { startPlatform, type TestPlatform } from './platform.js';

const LEDGER = 'waits';
/** In place of the 5 s that a server waits by default. */
const READ_DEADLINE_MS = 400;
/** Far more than that, and far less than the 60 s after which the server ends every unary call. */
const PATIENCE_MS = 15_000;
const FRESH = { requirement: { case: 'fullyConsistent' as const, value: true } };

const WITHOUT_DEADLINE = { timeoutMs: 0 };

const VIEWS = ['balances', 'history', 'reports'];

let platform: TestPlatform;
let commands: GrpcClient;

beforeAll(async () => {
  platform = await startPlatform({ readDeadline_ms: READ_DEADLINE_MS });
  commands = grpcClient(platform.grpcAddress);
  await openBooks(commands, LEDGER, 2);
});

afterAll(async () => {
  commands.close();
  await platform.stop();
});

beforeEach(async () => {
  for (const projectionId of VIEWS) await platform.grpc(ProjectionService).pauseProjection({ projectionId });
  await commands.unary(TransactionCommandService.method.submitPayment, paymentOf(LEDGER, 'a0', 'a1'));
});

afterEach(async () => {
  for (const projectionId of VIEWS) await resume(projectionId);
});

async function resume(projectionId: string): Promise<void> {
  await platform.grpc(ProjectionService).resumeProjection({ projectionId });
}

/** Why a call failed, and after how many milliseconds. */
async function failureOf(call: Promise<unknown>): Promise<{ reason: string; took_ms: number }> {
  const began_ms = performance.now();
  const error = await call.then(
    () => new ConnectError('the read was answered'),
    (reason: unknown) => ConnectError.from(reason),
  );
  const [info] = error.findDetails(ErrorInfoSchema);
  return { reason: info?.reason ?? error.message, took_ms: performance.now() - began_ms };
}

for (const door of ['grpc', 'connect'] as const) {
  const client = <S extends DescService>(service: S): Client<S> => platform[door](service);
  const asked = { ledgerId: LEDGER, consistency: FRESH };
  const reads = {
    'the balances': () =>
      client(AccountQueryService).getBalance({ ...asked, accountId: 'a0' }, WITHOUT_DEADLINE),
    'the history': () => client(TransactionQueryService).listEntries(asked, WITHOUT_DEADLINE),
    'the reports': () => client(ReportQueryService).getTrialBalance(asked, WITHOUT_DEADLINE),
  };
  for (const [view, read] of Object.entries(reads)) {
    test(`over ${door} a read of ${view} without a deadline fails when the server's own is over`, async () => {
      const { reason, took_ms } = await failureOf(read());
      expect(reason).toBe('READ_MODEL_BEHIND');
      expect(took_ms).toBeGreaterThan(READ_DEADLINE_MS / 2);
      expect(took_ms).toBeLessThan(PATIENCE_MS);
    });
  }

  test(`over ${door} a caller who sets a later deadline waits for the view until then`, async () => {
    const read = { ledgerId: LEDGER, accountId: 'a0', consistency: FRESH };
    const patient = client(AccountQueryService).getBalance(read, { timeoutMs: 30_000 });
    patient.catch(() => undefined);
    expect((await failureOf(reads['the balances']())).reason).toBe('READ_MODEL_BEHIND');
    await resume('balances');
    expect((await patient).balance?.accountId).toBe('a0');
    await platform.grpc(ProjectionService).pauseProjection({ projectionId: 'balances' });
  });
}
