/** Wires the command service to its stores. */
import { randomUUID } from 'node:crypto';
import type { PoolConfig } from 'pg';
import { readOrigin, recordOrigin } from '../../lib/log/epochs/postgres-epochs.js';
import { postgresLease } from '../../lib/log/lease/postgres-lease.js';
import { appendEvents } from '../../lib/log/postgres-append.js';
import { createPool, KEYED_PLANS, type Pool } from '../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../lib/log/postgres-log-reader.js';
import { migrateLog } from '../../lib/log/postgres-migrate.js';
import {
  readAccountRows,
  readLedgerRows,
  readOpenHolds,
  readRequests,
  readStateCheckpoint,
  readTotalRows,
  readTransactionRows,
  summarizeOpenHolds,
} from '../../lib/log/state/postgres-state-reader.js';
import { clearState, isDurable, writeState } from '../../lib/log/state/postgres-state-writer.js';
import type { LogReader } from '../../lib/log/reader.js';
import type { Wakeups } from '../../lib/log/wakeups.js';
import { type Closeables, unwindOnFailure } from '../../lib/base/closeables.js';
import type { Log } from '../../lib/base/logging.js';
import type { Tracer } from '../../lib/observe/tracing.js';
import type { Service } from '../../lib/rpc/service.js';
import type { Clock } from '../../lib/base/time.js';
import type { OnCommitted } from './application/committer.js';
import { type BalanceSource, ClosingBalances } from './application/closing-balances.js';
import { Executor } from './application/executor.js';
import { Expirer } from './application/expirer.js';
import type { StateReader } from './application/loader.js';
import { Memory } from './application/memory.js';
import { refoldState } from './application/refold-state.js';
import { WriteBehind } from './application/write-behind.js';
import type { WriteLog } from './application/write-log.js';
import { composeSchedules } from './compose-schedules.js';
import type { MeasuredCommand } from './metrics.js';
import { accountCommandService } from './rpc/account-command-service.js';
import { ledgerCommandService } from './rpc/ledger-command-service.js';
import type { LedgerContext } from './rpc/submit.js';
import { transactionCommandService } from './rpc/transaction-command-service.js';
import { Duties, type Duty } from './standing/duties.js';
import { Standing, STANDING_TIMES, type StandingTimes } from './standing/standing.js';

export interface CommandDeps {
  readonly postgres: PoolConfig;
  readonly clock: Clock;
  readonly wakeups: Wakeups;
  readonly logger: Log;
  /** Absent where traces are off. */
  readonly tracer?: Tracer | undefined;
  readonly shard: number;
  readonly limits: CommandLimits;
  /** Where the other command processes reach this one, host:port; absent where it is the only one, and needs no lease. */
  readonly address?: string | undefined;
  /** What the holder of the lease does besides writing the state tables and expiring holds. */
  readonly duties?: readonly Duty[] | undefined;
  /** Called with the events of each commit, in order. */
  readonly onCommitted?: OnCommitted | undefined;
  /** Called before the event that begins a new epoch is given to `onCommitted`. */
  readonly onEpoch?: (() => void) | undefined;
  /** The service can no longer decide; its health is to say so. */
  onHalt(cause: Error): void;
  /** Tests put faults between the executor and the log here. */
  readonly wrapLog?: (log: WriteLog) => WriteLog;
  /** How long the lease lasts, and how often it is looked at; STANDING_TIMES if not given. */
  readonly standingTimes?: StandingTimes | undefined;
  /** How often the expirer looks for holds whose time has come, milliseconds. */
  readonly expiry_ms?: number;
  /** The state tables are written at the latest so long after the write before, milliseconds. */
  readonly stateInterval_ms?: number;
  /** How often the runner of schedules looks for what is due, milliseconds. */
  readonly schedules_ms?: number | undefined;
}

export interface CommandLimits {
  /** Commands in the queue at most. */
  readonly queue: number;
  /** Commands per flush at most. */
  readonly flush: number;
  /** Events in the retained tail at most. */
  readonly tail: number;
}

/**
 * A flush takes less than it could: at 256 callers in flight a flush of all of them leaves the database idle while they are
 * answered, and them while it commits. Measured on 2 cores, flush 128 against 1,000: 3.4k against 3.1k payments/s one by one,
 * 5.8k against 4.1k/s in batches; the append itself does 44k events/s by 64 and 57k/s by 1,000.
 */
export const DEFAULT_LIMITS: CommandLimits = { queue: 10_000, flush: 200, tail: 100_000 };

/** A connection that does not answer the lease for so long is given up, milliseconds. */
const LEASE_TIMEOUT_MS = 1_500;
/** The state tables are written when a fifth of the tail's limit waits, or after this time. */
const STATE_INTERVAL_MS = 10_000;
/** Open holds are counted so far by each scrape of the metrics: 10 ms of the database. */
const COUNTED_HOLDS = 100_000;

export interface CommandPart {
  readonly services: readonly Service[];
  readonly context: LedgerContext;
  readonly memory: Memory;
  /** For `commandMetrics`. */
  readonly measured: MeasuredCommand;
  /** Undefined where this is the only process. */
  readonly standing: Standing | undefined;
}

/** Migrates, catches up with the log and begins to decide. What it opened is closed through `closeables`, in order. */
export function composeCommand(deps: CommandDeps, closeables: Closeables): Promise<CommandPart> {
  return unwindOnFailure(closeables, async () => {
    const pools = openPools(deps.postgres);
    closeables.add('command pools', async () => {
      await Promise.all([pools.append.end(), pools.read.end(), pools.state.end()]);
    });
    await migrateLog(pools.state, deps.clock());
    const reader = postgresLogReader(pools.read, deps.wakeups, deps.shard);
    const processId = randomUUID();
    const adapter = writeLog(pools, deps, processId);
    const log = deps.wrapLog === undefined ? adapter : deps.wrapLog(adapter);
    const memory = new Memory({ epoch: 0, position: -1n, hash: new Uint8Array(0), recordedTime: 0n });
    const { logger, tracer, clock, wakeups, shard, limits } = deps;
    const standing = openStanding(deps, processId, closeables);
    const executor = new Executor({
      memory,
      log,
      state: stateReader(pools.read),
      clock,
      wakeups,
      logger,
      tracer,
      shard,
      queueLimit: limits.queue,
      flushLimit: limits.flush,
      tailLimit: limits.tail,
      onCommitted: deps.onCommitted,
      onEpoch: deps.onEpoch,
      lease: standing,
      onHalt: deps.onHalt,
    });
    await executor.start();
    const schedules = composeSchedules(deps, executor, pools.read, reader);
    const duties = new Duties(
      [
        writeBehindDuty(deps, memory, pools),
        expirerDuty(deps, memory, executor, pools),
        schedules.duty,
        ...(deps.duties ?? []),
      ],
      logger,
    );
    closeables.add('the duties of the holder', () => duties.stop());
    closeables.add('executor', () => executor.stop());
    await duties.begin(standing, () => {
      executor.standingChanged();
    });
    await standing?.start(executor);
    const closingBalances = new ClosingBalances(memory, balanceSource(pools.read, reader), clock);
    const context = { executor, closingBalances, log: { logId: await reader.logId(), shard } };
    const openHolds = () => summarizeOpenHolds(pools.read, COUNTED_HOLDS);
    const measured = { executor, memory, tailLimit: limits.tail, openHolds, schedules: schedules.measured };
    const services = [...servicesOf(context), schedules.service(context.log)];
    return { services, context, memory, measured, standing };
  });
}

/** The lease is released when all else has ended. */
function openStanding(deps: CommandDeps, processId: string, closeables: Closeables): Standing | undefined {
  const { address, postgres, shard, logger } = deps;
  if (address === undefined) return undefined;
  const limited = { ...postgres, query_timeout: LEASE_TIMEOUT_MS };
  const pool = createPool(limited, { max: 1, name: 'quittance lease', options: KEYED_PLANS });
  closeables.add('the pool of the lease', () => pool.end());
  const lease = postgresLease(pool, shard);
  const standing = new Standing({
    lease,
    candidate: { id: processId, address },
    logger,
    times: deps.standingTimes ?? STANDING_TIMES,
  });
  closeables.add('the lease', () => standing.stop());
  return standing;
}

function writeBehindDuty(deps: CommandDeps, memory: Memory, { state }: Pools): Duty {
  const writer = {
    write: (changesAfter: Parameters<typeof writeState>[1]) => writeState(state, changesAfter),
    isDurable: (lsn: string) => isDurable(state, lsn),
  };
  const options = {
    interval_ms: deps.stateInterval_ms ?? STATE_INTERVAL_MS,
    eventsPerWrite: Math.max(1, Math.floor(deps.limits.tail / 5)),
  };
  return {
    name: 'write-behind',
    begin: () => {
      const writeBehind = new WriteBehind(memory, writer, deps.logger, options);
      writeBehind.start();
      return Promise.resolve(() => writeBehind.stop());
    },
  };
}

function expirerDuty(deps: CommandDeps, memory: Memory, executor: Executor, { read }: Pools): Duty {
  const { clock, logger, limits } = deps;
  return {
    name: 'expirer',
    begin: async () => {
      const expirer = new Expirer({
        executor,
        memory,
        clock,
        logger,
        openHolds: (before, limit) => readOpenHolds(read, before, limit),
        batchLimit: Math.max(1, Math.floor(limits.flush / 10)),
        interval_ms: deps.expiry_ms ?? 500,
      });
      await expirer.start();
      return () => expirer.stop();
    },
  };
}

function servicesOf(context: LedgerContext): Service[] {
  return [ledgerCommandService(context), accountCommandService(context), transactionCommandService(context)];
}

interface Pools {
  /** One connection: appends are never pipelined. */
  readonly append: Pool;
  readonly read: Pool;
  readonly state: Pool;
}

function openPools(postgres: PoolConfig): Pools {
  return {
    append: createPool(postgres, { max: 1, name: 'quittance append', options: KEYED_PLANS }),
    read: createPool(postgres, { max: 4, name: 'quittance command', options: KEYED_PLANS }),
    state: createPool(postgres, {
      max: 1,
      name: 'quittance state',
      options: KEYED_PLANS,
      statementTimeout_ms: 30_000,
    }),
  };
}

function writeLog(pools: Pools, { wakeups, shard }: CommandDeps, holder: string): WriteLog {
  const reader = postgresLogReader(pools.read, wakeups, shard);
  const after: WriteLog['after'] = (position, limit) =>
    reader.page({ after: position, through: null, limit, ledgerId: null, streamId: null });
  return {
    append: (position, hash, events, term) =>
      appendEvents(
        pools.append,
        position,
        hash,
        events,
        term === undefined ? undefined : { shard, holder, term },
      ),
    head: () => reader.head(),
    after,
    at: (position) => reader.at(position),
    requests: (keys) => readRequests(pools.read, keys),
    checkpoint: () => readStateCheckpoint(pools.read),
    refoldState: (lost) =>
      refoldState(
        {
          after,
          clear: (at) => clearState(pools.state, at),
          write: (changes) => writeState(pools.state, changes),
        },
        lost,
      ),
    origin: () => readOrigin(pools.read),
    recordOrigin: (epoch) => recordOrigin(pools.read, epoch),
    now: () => reader.now(),
  };
}

function stateReader(pool: Pool): StateReader {
  return {
    ledgers: (ledgerIds) => readLedgerRows(pool, ledgerIds),
    accounts: (keys) => readAccountRows(pool, keys),
    transactions: (keys) => readTransactionRows(pool, keys),
  };
}

function balanceSource(pool: Pool, reader: LogReader): BalanceSource {
  return {
    totals: (ledgerId) => readTotalRows(pool, ledgerId),
    end: async () => (await reader.head()).position,
    positionAt: async (recordedTime) => (await reader.atTime(recordedTime))?.position ?? -1n,
    page: (ledgerId, after, through, limit) =>
      reader.page({ after, through, limit, ledgerId, streamId: null }),
  };
}
