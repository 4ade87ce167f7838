/** The workloads P1 to P4 and P6 of the speed targets, each against a limit taken in the same run. */
import { randomUUID } from 'node:crypto';
import { GetBalanceResponseSchema } from '../gen/quittance/query/v1/account_query_service_pb.js';
import {
  type Command,
  CommandSchema,
  SubmitPaymentResponseSchema,
  TransactionCommandService,
} from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LedgerCommandService } from '../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionStatus } from '../gen/quittance/common/v1/transaction_pb.js';
import { ProjectionService, RebuildPhase } from '../gen/quittance/ops/v1/projection_service_pb.js';
import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { microsOf } from '../lib/base/time.js';
import { type GrpcClient, grpcClient } from '../tools/client/grpc-client.js';
import type { LoadJob, LoadResult } from './load/job.js';
import { accountId, CURRENCY, LEDGER, type RequestKind } from './load/requests.js';
import { type Listening, runBuilt, runProgram, type RunningServer, startEcho } from './processes.js';

/** How much of everything. */
export interface Scale {
  readonly accounts: number;
  readonly warmUp_ms: number;
  readonly measure_ms: number;
  readonly pgbenchScale: number;
  readonly pgbench_s: number;
}

export const FULL: Scale = {
  accounts: 10_000,
  warmUp_ms: 4000,
  measure_ms: 10_000,
  pgbenchScale: 20,
  pgbench_s: 10,
};
export const SMOKE: Scale = { accounts: 50, warmUp_ms: 500, measure_ms: 500, pgbenchScale: 1, pgbench_s: 1 };

/** A line of the table. */
export interface Row {
  readonly workload: string;
  /** Per second. */
  readonly rate: number;
  readonly latency: string;
  /** What it is held against. */
  readonly limit: string;
  readonly ratio: number | undefined;
  /** The ratio aimed for. */
  readonly aim: number | undefined;
}

/** What all workloads share. */
export interface Bench {
  readonly server: RunningServer;
  readonly client: GrpcClient;
  readonly scale: Scale;
  /** Transactions per second of pgbench; undefined where it is not installed. */
  readonly pgbench: number | undefined;
  readonly note: (line: string) => void;
}

const SUBMIT_PAYMENT = '/quittance.command.v1.TransactionCommandService/SubmitPayment';
const EXECUTE_BATCH = '/quittance.command.v1.TransactionCommandService/ExecuteBatch';
const STREAM_COMMANDS = '/quittance.command.v1.TransactionCommandService/StreamCommands';
const GET_BALANCE = '/quittance.query.v1.AccountQueryService/GetBalance';

/** Makes ledger and accounts, and measures pgbench on the same PostgreSQL. */
export async function prepare(
  server: RunningServer,
  scale: Scale,
  note: (line: string) => void,
  withPgbench: boolean,
): Promise<Bench> {
  const client = grpcClient(`${server.host}:${server.port}`);
  note(`opening ${String(scale.accounts)} accounts…`);
  await client.unary(LedgerCommandService.method.createLedger, { ledgerId: LEDGER, requestId: randomUUID() });
  for (let first = 0; first < scale.accounts; first += 1000) {
    const ids = Array.from({ length: Math.min(1000, scale.accounts - first) }, (_, n) =>
      accountId(first + n),
    );
    await execute(client, ids.map(openAccount));
    await execute(client, ids.map(deposit));
  }
  if (withPgbench) note('measuring pgbench…');
  const pgbench = withPgbench ? await measurePgbench(server, scale) : undefined;
  if (withPgbench && pgbench === undefined) note('pgbench is not on the PATH: its ratios are left out');
  return { server, client, scale, pgbench, note };
}

/** Waits until the projections have caught up, so that no load is slowed by the one before. */
async function settle({ client, note }: Bench): Promise<void> {
  const until_ms = performance.now() + 300_000;
  while (performance.now() < until_ms) {
    const { projections } = await client.unary(ProjectionService.method.listProjections, {});
    if (projections.every(({ lagEvents }) => lagEvents === 0n)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  note('the projections did not catch up within 5 minutes: what follows is measured beside them');
}

type CommandInit = NonNullable<MessageInitShape<typeof CommandSchema>['command']>;

function openAccount(id: string): CommandInit {
  const value = { ledgerId: LEDGER, requestId: randomUUID(), accountId: id, currency: CURRENCY };
  return { case: 'openAccount', value };
}

function deposit(id: string): CommandInit {
  const amount = { currency: CURRENCY, minorUnits: 1_000_000_000n };
  return { case: 'deposit', value: { ledgerId: LEDGER, requestId: randomUUID(), accountId: id, amount } };
}

async function execute(client: GrpcClient, inits: readonly CommandInit[]): Promise<void> {
  const commands: Command[] = inits.map((command) => create(CommandSchema, { command }));
  const { results } = await client.unary(
    TransactionCommandService.method.executeBatch,
    { ledgerId: LEDGER, commands },
    60_000,
  );
  const failed = results.find(({ result }) => result.case === 'error');
  if (failed?.result.case === 'error') throw new Error(`preparing failed: ${failed.result.value.message}`);
}

async function measurePgbench({ postgres }: RunningServer, scale: Scale): Promise<number | undefined> {
  const at = ['-h', postgres.host, '-p', postgres.port, '-U', 'quittance'];
  const made = await runProgram('pgbench', [...at, '-i', '-q', '-s', String(scale.pgbenchScale), 'postgres']);
  if (made === undefined) return undefined;
  const seconds = String(scale.pgbench_s);
  const run = [...at, '-c', '16', '-j', '2', '-M', 'prepared', '-n', '-T', seconds, 'postgres'];
  const printed = await runProgram('pgbench', run);
  return Number(/tps = ([\d.]+)/.exec(printed ?? '')?.[1]);
}

async function load(
  bench: Bench,
  at: Listening,
  job: Pick<LoadJob, 'path' | 'kind' | 'inFlight'> & Partial<LoadJob>,
): Promise<LoadResult> {
  const { scale } = bench;
  const whole: LoadJob = {
    host: at.host,
    port: at.port,
    size: 1,
    hot: false,
    accounts: scale.accounts,
    warmUp_ms: scale.warmUp_ms,
    measure_ms: scale.measure_ms,
    ...job,
  };
  await settle(bench);
  const printed = await runBuilt('bench/load/main.js', [JSON.stringify(whole)]);
  // Our own process wrote it.
  const result = JSON.parse(printed) as LoadResult;
  if (result.failed > 0) bench.note(`${job.path}: ${result.failed} calls had no answer`);
  return result;
}

async function echo(
  bench: Bench,
  job: { path: string; kind: RequestKind; inFlight: number },
  sample: string,
): Promise<LoadResult> {
  const server = await startEcho(job.path, sample);
  try {
    return await load(bench, server, job);
  } finally {
    await server.stop();
  }
}

function row(
  workload: string,
  result: LoadResult,
  limit: string,
  against: number | undefined,
  aim: number,
  factor = 1,
): Row {
  const rate = result.perSecond * factor;
  return {
    workload,
    rate,
    latency: `${result.p50_ms.toFixed(1)} / ${result.p99_ms.toFixed(1)} ms, client ${Math.round(result.clientCpu_us)} µs`,
    limit: against === undefined ? limit : `${limit} ${Math.round(against).toLocaleString('en-US')}/s`,
    ratio: against === undefined ? undefined : rate / against,
    aim,
  };
}

/** Unary payments against pgbench and against an echo of the same answer. */
export async function p1(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const inFlight of [64, 256]) {
    const job = { path: SUBMIT_PAYMENT, kind: 'payment' as const, inFlight };
    const paid = await load(bench, bench.server, job);
    requirePosted(paid.sample);
    const limit = await echo(bench, job, paid.sample);
    const name = `P1 SubmitPayment, ${inFlight} in flight`;
    rows.push(row(name, paid, 'pgbench', bench.pgbench, 2), row(name, paid, 'echo', limit.perSecond, 0.8));
  }
  return rows;
}

function requirePosted(sample: string): void {
  const { transaction } = fromBinary(SubmitPaymentResponseSchema, Buffer.from(sample, 'base64'));
  if (transaction?.status !== TransactionStatus.POSTED)
    throw new Error('the payments of the load are not posted');
}

/** Many commands per call, and many on a stream, against pgbench. */
export async function p2(bench: Bench): Promise<Row[]> {
  const size = 100;
  const batch = await load(bench, bench.server, { path: EXECUTE_BATCH, kind: 'batch', inFlight: 8, size });
  const stream = await load(bench, bench.server, { path: STREAM_COMMANDS, kind: 'stream', inFlight: 2000 });
  return [
    row('P2 ExecuteBatch(100), 8 in flight, transactions', batch, 'pgbench', bench.pgbench, 8, size),
    row('P2 StreamCommands, 2,000 in flight', stream, 'pgbench', bench.pgbench, 8),
  ];
}

/** One account in every payment, against payments between all. */
export async function p3(bench: Bench): Promise<Row[]> {
  const job = { path: SUBMIT_PAYMENT, kind: 'payment' as const, inFlight: 256 };
  const uniform = await load(bench, bench.server, job);
  const hot = await load(bench, bench.server, { ...job, hot: true });
  return [row('P3 SubmitPayment to one hot account, 256 in flight', hot, 'uniform', uniform.perSecond, 1)];
}

/** Balances against an echo of the same answer. */
export async function p4(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const inFlight of [64, 256]) {
    const job = { path: GET_BALANCE, kind: 'balance' as const, inFlight };
    const read = await load(bench, bench.server, job);
    const { balance } = fromBinary(GetBalanceResponseSchema, Buffer.from(read.sample, 'base64'));
    if (balance === undefined) throw new Error('GetBalance answers no balance');
    const limit = await echo(bench, job, read.sample);
    rows.push(row(`P4 GetBalance, ${inFlight} in flight`, read, 'echo', limit.perSecond, 0.8));
  }
  return rows;
}

/** A rebuild of each view against reading and decoding the same events. */
export async function p6(bench: Bench): Promise<Row[]> {
  await settle(bench);
  const { host, port } = bench.server.postgres;
  const printed = await runBuilt('bench/scan/postgres-scan-main.js', [host, port]);
  const scan = JSON.parse(printed) as { events: number; elapsed_ms: number };
  const scanned = (scan.events * 1000) / scan.elapsed_ms;
  const rows: Row[] = [];
  for (const projectionId of ['balances', 'history', 'reports']) {
    const rate = await rebuild(bench, projectionId);
    rows.push({
      workload: `P6 rebuild of ${projectionId}, events`,
      rate,
      latency: `${scan.events.toLocaleString('en-US')} events`,
      limit: `read and decode ${Math.round(scanned).toLocaleString('en-US')}/s`,
      ratio: rate / scanned,
      aim: 0.5,
    });
  }
  return rows;
}

/** @returns events per second, with the comparison and the switch. */
async function rebuild({ client }: Bench, projectionId: string): Promise<number> {
  const { method } = ProjectionService;
  await client.unary(method.rebuildProjection, { projectionId }, 30_000);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { projection } = await client.unary(method.getProjection, { projectionId });
    const found = projection?.rebuild;
    if (found === undefined) continue;
    if (found.phase === RebuildPhase.FAILED)
      throw new Error(`the rebuild of ${projectionId} failed: ${found.failure}`);
    if (found.phase !== RebuildPhase.DONE || found.startTime === undefined || found.endTime === undefined)
      continue;
    const elapsed_s = Number(microsOf(found.endTime) - microsOf(found.startTime)) / 1e6;
    return Number(found.position) / elapsed_s;
  }
}
