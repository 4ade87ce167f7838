/** What the tests of overload, crashes and reads share: a ledger, fast calls over gRPC, and the log as the judge. */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  toJsonString,
} from '@bufbuild/protobuf';
import { ErrorInfoSchema } from '../gen/google/rpc/error_details_pb.js';
import { AccountCommandService } from '../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LedgerService } from '../gen/quittance/ops/v1/ledger_service_pb.js';
import { AccountQueryService } from '../gen/quittance/query/v1/account_query_service_pb.js';
import { LedgerQueryService } from '../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../gen/quittance/query/v1/report_query_service_pb.js';
import type pg from 'pg';
import { uuidFromBytes } from '../lib/base/uuid.js';
import { createPool } from '../lib/log/postgres-client.js';
import { postgresLogReader } from '../lib/log/postgres-log-reader.js';
import { Wakeups } from '../lib/log/wakeups.js';
import { callErrorOf } from '../tools/client/errors.js';
import { type GrpcClient, grpcClient } from '../tools/client/grpc-client.js';
import { CALL_PATIENCE_MS, PATIENCE_MS } from './patience.js';

const { createLedger } = LedgerCommandService.method;
const { openAccount } = AccountCommandService.method;
const { deposit } = TransactionCommandService.method;

/** Of a call that waits in vain. */
const VAIN_DEADLINES_MS = [1_000, 4_000, 16_000];

/** A client whose calls wait for as long as a busy machine needs, unless they say how long. */
export function patientClient(address: string): GrpcClient {
  const client = grpcClient(address);
  return {
    unary: (method, request, deadline_ms = CALL_PATIENCE_MS) => client.unary(method, request, deadline_ms),
    serverStream: (method, request, deadline_ms) => client.serverStream(method, request, deadline_ms),
    duplex: (method) => client.duplex(method),
    close: () => {
      client.close();
    },
  };
}

/** How a call ended: 'OK', the reason of its error, or `code n` where the server gave none. */
export type Ending = string;

/** Runs a call and says how it ended. */
export async function endingOf(call: Promise<unknown>): Promise<Ending> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    const { reason, code } = callErrorOf(error);
    return reason === '' ? `code ${String(code)}` : reason;
  }
}

/**
 * How a call ends whose deadline only the server knows. A client that knows it too may give up before the server's answer
 * has arrived, on a busy machine. Over Connect, JSON.
 */
export async function serverEndingOf<I extends DescMessage, O extends DescMessage>(
  connectUrl: string,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  deadline_ms: number,
): Promise<Ending> {
  const response = await fetch(`${connectUrl}/${method.parent.typeName}/${method.name}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Connect-Timeout-Ms': String(deadline_ms) },
    body: toJsonString(method.input, create(method.input, request)),
  });
  if (response.ok) return 'OK';
  const { code, details = [] } = (await response.json()) as {
    readonly code: string;
    readonly details?: readonly { readonly type: string; readonly value: string }[];
  };
  const info = details.find(({ type }) => type === ErrorInfoSchema.typeName);
  return info === undefined
    ? `code ${code}`
    : fromBinary(ErrorInfoSchema, Buffer.from(info.value, 'base64')).reason;
}

/**
 * As serverEndingOf, of a call that waits in vain, for its view or for a process that decides: the wait ends just before the deadline.
 * On a busy machine the deadline may pass before the call has begun to wait; then it is sent again with a later one.
 */
export async function vainEndingOf<I extends DescMessage, O extends DescMessage>(
  connectUrl: string,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
): Promise<Ending> {
  let ending: Ending = '';
  for (const deadline_ms of VAIN_DEADLINES_MS) {
    ending = await serverEndingOf(connectUrl, method, request, deadline_ms);
    if (ending !== 'DEADLINE_EXCEEDED') break;
  }
  return ending;
}

/** A ledger with EUR accounts `a0`, `a1`, … of 1,000,000 each. */
export async function openBooks(client: GrpcClient, ledgerId: string, accounts: number): Promise<string[]> {
  await client.unary(createLedger, { ledgerId, requestId: randomUUID() });
  const ids = Array.from({ length: accounts }, (_, index) => `a${String(index)}`);
  const [first = 'a0', ...others] = ids;
  const open = async (accountId: string) => {
    await client.unary(openAccount, { ledgerId, requestId: randomUUID(), accountId, currency: 'EUR' });
    await client.unary(deposit, depositTo(ledgerId, accountId, randomUUID(), 1_000_000n));
  };
  await open(first);
  await Promise.all(others.map(open));
  return ids;
}

/**
 * Resolves when every view has what the ledger's log has now. Over Kafka a view has nothing for a while, and a test that reads
 * without consistency straight after a command may find nothing.
 */
export async function untilEveryViewHas(client: GrpcClient, ledgerId: string): Promise<void> {
  const fresh = { ledgerId, consistency: { requirement: { case: 'fullyConsistent' as const, value: true } } };
  await Promise.all([
    client.unary(AccountQueryService.method.batchGetBalances, { ...fresh, accountIds: ['@settlement:EUR'] }),
    client.unary(LedgerQueryService.method.getLedger, fresh),
    client.unary(ReportQueryService.method.getTrialBalance, fresh),
  ]);
}

export function depositTo(ledgerId: string, accountId: string, requestId: string, minorUnits = 1n) {
  return { ledgerId, requestId, accountId, amount: { currency: 'EUR', minorUnits } };
}

export function paymentOf(ledgerId: string, payer: string, payee: string, requestId = randomUUID()) {
  return {
    ledgerId,
    requestId,
    payerAccountId: payer,
    payeeAccountId: payee,
    amount: { currency: 'EUR', minorUnits: 1n },
  };
}

/** Proves the books. @throws Error naming the first findings */
export async function proveBooks(address: string, ledgerId: string): Promise<void> {
  const client = grpcClient(address);
  const found: unknown[] = [];
  try {
    for await (const { event } of client.serverStream(LedgerService.method.verifyLedger, { ledgerId })) {
      if (event.case === 'finding') found.push(event.value);
      if (event.case === 'verdict' && event.value.ok) return;
    }
  } finally {
    client.close();
  }
  throw new Error(`the books are not proved: ${JSON.stringify(found.slice(0, 5), bigintText)}`);
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** How many commands of a ledger the log has under each of these request ids: 0 or 1 if all is well. */
export async function timesInLog(
  database: pg.PoolConfig,
  ledgerId: string,
  requestIds: readonly string[],
): Promise<number[]> {
  const pool = createPool(database, { max: 1, name: 'test' });
  const times = new Map<string, number>();
  try {
    const log = postgresLogReader(pool, new Wakeups());
    for (let after = -1n; ;) {
      // The events themselves are counted: the table of request ids could not hold one twice.
      const page = await log.page({ after, through: null, limit: 1_000, ledgerId: null, streamId: null });
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.position;
      for (const { event } of page) {
        if (event.ledgerId !== ledgerId || event.ordinal !== 0 || event.requestId.length === 0) continue;
        const id = uuidFromBytes(event.requestId);
        times.set(id, (times.get(id) ?? 0) + 1);
      }
    }
  } finally {
    await pool.end();
  }
  return requestIds.map((id) => times.get(id) ?? 0);
}

/** Waits until something holds. @throws Error after the limit, naming it */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limit_ms = PATIENCE_MS,
): Promise<void> {
  const end_ms = performance.now() + limit_ms;
  while (!(await holds())) {
    if (performance.now() > end_ms) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
