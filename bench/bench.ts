/** What all workloads share: a server with accounts, the load process, and the limits. */
import { randomUUID } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { LedgerCommandService } from '../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  CommandSchema,
  TransactionCommandService,
} from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { type Projection, ProjectionService } from '../gen/quittance/ops/v1/projection_service_pb.js';
import { type GrpcClient, grpcClient } from '../tools/client/grpc-client.js';
import { Calibration } from './calibration.js';
import { type CpuTimes, cpuPer, cpuTimes } from './cpu.js';
import type { Figure } from './figure.js';
import type { LoadJob, LoadLine, LoadResult } from './load/job.js';
import { accountId, CURRENCY, LEDGER } from './load/requests.js';
import { type Listening, runBuilt, runProgram, type RunningServer, startEcho } from './processes.js';

/** How much of everything. */
export interface Scale {
  readonly accounts: number;
  readonly warmUp_ms: number;
  readonly measure_ms: number;
  readonly pgbenchScale: number;
  readonly pgbench_s: number;
  /** How many events P7 lets the log grow to. */
  readonly grown: number;
  /** How long P8 watches the memory. */
  readonly watch_ms: number;
}

export const FULL: Scale = {
  accounts: 10_000,
  warmUp_ms: 4000,
  measure_ms: 10_000,
  pgbenchScale: 20,
  pgbench_s: 10,
  grown: 10_000_000,
  watch_ms: 1_800_000,
};
export const SMOKE: Scale = {
  accounts: 50,
  warmUp_ms: 200,
  measure_ms: 300,
  pgbenchScale: 1,
  pgbench_s: 1,
  grown: 5_000,
  watch_ms: 1_000,
};

/** A build under test, with accounts in it. */
export interface Bench {
  readonly build: string;
  readonly server: RunningServer;
  readonly client: GrpcClient;
  readonly scale: Scale;
  readonly note: (line: string) => void;
}

/** A load that ran, with what it cost. */
export interface Loaded extends LoadResult {
  /** CPU microseconds per call, from the beginning of the measuring until every view has all of it. */
  readonly cpu_us: Figure['cpu_us'];
  readonly calibration_us: number;
  /** Calls per second, from the beginning of the measuring until every view has all of it. */
  readonly sustained: number;
}

const { method: projections } = ProjectionService;
const CATCH_UP_LIMIT_MS = 600_000;
const POLL_MS = 20;
const PER_CALL = 1000;

/** Makes the ledger and its accounts. */
export async function prepare(
  build: string,
  server: RunningServer,
  scale: Scale,
  note: (line: string) => void,
): Promise<Bench> {
  const client = grpcClient(`${server.host}:${server.port}`, { token: server.token });
  note(`opening ${String(scale.accounts)} accounts…`);
  await client.unary(LedgerCommandService.method.createLedger, { ledgerId: LEDGER, requestId: randomUUID() });
  for (let first = 0; first < scale.accounts; first += PER_CALL) {
    const ids = Array.from({ length: Math.min(PER_CALL, scale.accounts - first) }, (_, n) =>
      accountId(first + n),
    );
    await execute(client, ids.map(openAccount));
    await execute(client, ids.map(deposit));
  }
  return { build, server, client, scale, note };
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
  const commands = inits.map((command) => create(CommandSchema, { command }));
  const { results } = await client.unary(
    TransactionCommandService.method.executeBatch,
    { ledgerId: LEDGER, commands },
    60_000,
  );
  const failed = results.find(({ result }) => result.case === 'error');
  if (failed?.result.case === 'error') throw new Error(`preparing failed: ${failed.result.value.message}`);
}

/** Waits until every view has what was committed. @throws Error if one of them does not catch up */
export async function settle({ client }: Bench): Promise<readonly Projection[]> {
  const until_ms = performance.now() + CATCH_UP_LIMIT_MS;
  for (;;) {
    const { projections: found } = await client.unary(projections.listProjections, {}, 30_000);
    if (found.every(({ lagEvents }) => lagEvents === 0n)) return found;
    if (performance.now() > until_ms) throw new Error('the views did not catch up within 10 minutes');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Runs a load on the server, after the views have caught up with what was before, and lets them catch up with it. */
export async function load(
  bench: Bench,
  job: Pick<LoadJob, 'path' | 'kind' | 'inFlight'> & Partial<LoadJob>,
  during: () => Promise<void> = () => Promise.resolve(),
): Promise<Loaded> {
  await settle(bench);
  const { pid, postgres } = bench.server;
  let before: CpuTimes | undefined;
  let began_ms = performance.now();
  let beside = Promise.resolve();
  const calibration = new Calibration();
  const result = await runLoad(bench.server, bench.scale, { ...job, token: bench.server.token }, () => {
    before = cpuTimes(pid, postgres.host);
    began_ms = performance.now();
    beside = during();
  });
  const calibration_us = calibration.stop();
  await beside;
  await settle(bench);
  const took_s = (performance.now() - began_ms) / 1000;
  if (result.failed > 0) bench.note(`${job.path}: ${String(result.failed)} calls had no answer`);
  const after = cpuTimes(pid, postgres.host);
  const cpu = before && after ? cpuPer(before, after, Math.max(1, result.answered)) : undefined;
  return {
    ...result,
    cpu_us: cpu && { ...cpu, client: result.clientCpu_us },
    calibration_us,
    sustained: result.answered / took_s,
  };
}

/** The same load on a grpc-js server that answers every call with the same bytes, in a later tick as a group commit does. */
export async function echo(
  bench: Bench,
  job: Pick<LoadJob, 'path' | 'kind' | 'inFlight'>,
  sample: string,
): Promise<number> {
  const server = await startEcho(job.path, sample);
  try {
    const { perSecond } = await runLoad(server, bench.scale, job, () => undefined);
    return perSecond;
  } finally {
    await server.stop();
  }
}

async function runLoad(
  at: Listening,
  scale: Scale,
  job: Pick<LoadJob, 'path' | 'kind' | 'inFlight'> & Partial<LoadJob>,
  onMeasuring: () => void,
): Promise<LoadResult> {
  const whole: LoadJob = {
    host: at.host,
    port: at.port,
    size: 1,
    spread: 'uniform',
    accounts: scale.accounts,
    warmUp_ms: scale.warmUp_ms,
    measure_ms: scale.measure_ms,
    ...job,
  };
  const last = await runBuilt('bench/load/main.js', [JSON.stringify(whole)], (line) => {
    if (line === MEASURING) onMeasuring();
  });
  // Our own process wrote it.
  return JSON.parse(last) as LoadResult;
}

const MEASURING = JSON.stringify({ measuring: true } satisfies LoadLine);

/** @returns transactions per second of pgbench's TPC-B on the same PostgreSQL; undefined where there is no pgbench. */
export async function pgbench({ server, scale }: Bench): Promise<number | undefined> {
  const at = ['-h', server.postgres.host, '-p', server.postgres.port, '-U', 'quittance'];
  const size = String(scale.pgbenchScale);
  const made = await runProgram('pgbench', [...at, '-i', '-q', '-s', size, 'postgres']);
  if (made === undefined) return undefined;
  const seconds = String(scale.pgbench_s);
  const run = [...at, '-c', '16', '-j', '2', '-M', 'prepared', '-n', '-T', seconds, 'postgres'];
  const printed = await runProgram('pgbench', run);
  return Number(/tps = ([\d.]+)/.exec(printed ?? '')?.[1]);
}
