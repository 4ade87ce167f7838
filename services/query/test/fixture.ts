/** A query side for tests: real views in PostgreSQL, filled on demand from a log that is kept in memory. */
import { EventEmitter } from 'node:events';
import type { CommandInit } from '../../../test/ledger-fixture.js';
import { LedgerFixture, testId } from '../../../test/ledger-fixture.js';
import { createTestDatabase } from '../../../test/postgres.js';
import { createPool } from '../../../lib/log/postgres-client.js';
import type { LogPage, LogReader } from '../../../lib/log/reader.js';
import type { LogPoint, RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { Call } from '../../../lib/rpc/call.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { CallError, fail } from '../../../lib/rpc/errors.js';
import type { BalancesView } from '../../../lib/views/balances/view.js';
import type { HistoryView } from '../../../lib/views/history/view.js';
import { postgresBalances } from '../../../lib/views/balances/postgres/balances.js';
import { postgresHistory } from '../../../lib/views/history/postgres/history.js';
import type { View } from '../../../lib/views/view.js';
import { Freshness } from '../consistency.js';
import type { QueryContext } from '../context.js';
import { currentBalances } from '../current-balances.js';
import { type Generations, servingView } from '../serving-view.js';
import { wholeBalances, wholeHistory } from '../whole-views.js';

/** A log in memory: the events of a fixture, committed as soon as they are made. */
export class MemoryLog implements LogReader {
  readonly shard = 0;
  /** Counts reads of pages, for tests that say how many there may be. */
  pages = 0;
  readonly #fixture: LedgerFixture;
  readonly #commits = new EventEmitter().setMaxListeners(0);

  constructor(fixture: LedgerFixture) {
    this.#fixture = fixture;
  }

  /** Wakes those who wait for commits. */
  committed(): void {
    this.#commits.emit('commit');
  }

  logId(): Promise<Uint8Array> {
    return Promise.resolve(this.#fixture.logId);
  }

  head(): Promise<LogPoint> {
    return Promise.resolve(this.#fixture.point(BigInt(this.#fixture.events.length - 1)));
  }

  lastOfStream(
    streamId: string,
    ledgerIds: readonly string[],
    through: bigint,
  ): Promise<readonly RecordedEvent[]> {
    const found = ledgerIds.flatMap((ledgerId) => {
      const last = this.#fixture.events.findLast(
        ({ position, event }) =>
          position <= through && event.ledgerId === ledgerId && event.stream.value === streamId,
      );
      return last === undefined ? [] : [last];
    });
    return Promise.resolve(found);
  }

  page({ after, through, limit, ledgerId, isDescending }: LogPage): Promise<readonly RecordedEvent[]> {
    this.pages++;
    const found = this.#fixture.events.filter(
      ({ position, event }) =>
        position > after &&
        (through === null || position <= through) &&
        (ledgerId === null || event.ledgerId === ledgerId),
    );
    return Promise.resolve((isDescending === true ? found.reverse() : found).slice(0, limit));
  }

  atTime(recordedTime: bigint): Promise<LogPoint | undefined> {
    const last = this.#fixture.events.findLast(({ event }) => event.recordedTimeMicros <= recordedTime);
    return Promise.resolve(last && this.#fixture.point(last.position));
  }

  at(position: bigint): Promise<RecordedEvent | undefined> {
    return Promise.resolve(this.#fixture.events[Number(position)]);
  }

  async changed(position: bigint, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && BigInt(this.#fixture.events.length - 1) <= position) {
      await new Promise<void>((resolve) => {
        const end = () => {
          this.#commits.off('commit', end);
          signal.removeEventListener('abort', end);
          resolve();
        };
        this.#commits.once('commit', end);
        signal.addEventListener('abort', end, { once: true });
      });
    }
  }

  now(): Promise<bigint> {
    return Promise.resolve(this.#fixture.now);
  }
}

/** What a test works with. */
export interface World {
  readonly fixture: LedgerFixture;
  readonly log: MemoryLog;
  readonly context: QueryContext;
  readonly balances: Generations<BalancesView>;
  readonly history: Generations<HistoryView>;
  /** Runs commands; their events are committed, and not in the views. */
  run(...commands: CommandInit[]): RecordedEvent[];
  /** Applies what the views have not seen, up to a position. */
  apply(through?: bigint): Promise<void>;
  /** `run`, then `apply`. */
  settle(...commands: CommandInit[]): Promise<RecordedEvent[]>;
  /** The next request id. */
  id(): string;
  close(): Promise<void>;
}

/**
 * A world with nothing in it. `heartbeat_ms` is long, so that watches are woken by events alone unless a test
 * says otherwise.
 */
export async function openWorld({ heartbeat_ms = 60_000 } = {}): Promise<World> {
  const database = await createTestDatabase();
  const pool = createPool(database.config, { max: 6, name: 'query-test' });
  const [balances, history] = [postgresBalances(pool), postgresHistory(pool)];
  await Promise.all([balances.migrate(), history.migrate()]);
  const fixture = new LedgerFixture();
  const log = new MemoryLog(fixture);
  const views: View[] = [await balances.current(), await history.current()];
  let applied = -1n;
  let requests = 0;
  const context: QueryContext = {
    log,
    partitionOf: () => 0,
    balances: servingView(wholeBalances(currentBalances(balances, history))),
    history: servingView(wholeHistory(history)),
    reports: Object.assign(noReports, { refresh: noReports }),
    freshness: new Freshness(log),
    heartbeat_ms,
  };
  const run = (...commands: CommandInit[]) => {
    const events = commands.flatMap((command) => fixture.run(command));
    log.committed();
    return events;
  };
  const apply = async (through = BigInt(fixture.events.length - 1)) => {
    if (through <= applied) return;
    const batch = fixture.batch(applied + 1n, through);
    applied = through;
    await Promise.all(views.map((view) => view.apply(batch)));
  };
  return {
    fixture,
    log,
    context,
    balances,
    history,
    run,
    apply,
    settle: async (...commands) => {
      const events = run(...commands);
      await apply();
      return events;
    },
    id: () => testId(++requests),
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
}

function noReports(): Promise<never> {
  return Promise.reject(new Error('there are no reports in these tests'));
}

/** A call that the test may end. */
export interface TestCall extends Call {
  /** The caller leaves. */
  leave(): void;
}

/** A call with so many milliseconds to its deadline; by default none, as of a stream. */
export function callOf(left_ms?: number): TestCall {
  const controller = new AbortController();
  return {
    deadline_ms: left_ms === undefined ? undefined : Date.now() + left_ms,
    signal: controller.signal,
    aborted: undefined,
    onAbort: () => () => undefined,
    fits: () => true,
    actor: 'anonymous',
    traceId: '0'.repeat(32),
    method: 'test',
    leave: () => {
      controller.abort(fail(ErrorReason.CANCELLED, 'the caller left'));
    },
  };
}

/** The error that a promise rejects with. */
export async function failureOf(work: Promise<unknown>): Promise<CallError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CallError) return error;
    throw error;
  }
  throw new Error('expected a CallError, got an answer');
}

/** A command that opens a ledger with accounts in EUR. */
export function opened(world: World, ledgerId: string, ...accountIds: string[]): CommandInit[] {
  return [
    { case: 'createLedger', value: { ledgerId, requestId: world.id() } },
    ...accountIds.map((accountId): CommandInit => ({
      case: 'openAccount',
      value: { ledgerId, accountId, currency: 'EUR', requestId: world.id() },
    })),
  ];
}

/** A deposit into an account of the ledger `main`. */
export function deposit(world: World, accountId: string, minorUnits: bigint): CommandInit {
  const amount = { currency: 'EUR', minorUnits };
  return { case: 'deposit', value: { ledgerId: 'main', accountId, amount, requestId: world.id() } };
}

/** A payment in the ledger `main`. */
export function pay(world: World, payer: string, payee: string, minorUnits: bigint): CommandInit {
  const parties = { ledgerId: 'main', payerAccountId: payer, payeeAccountId: payee };
  const amount = { currency: 'EUR', minorUnits };
  return { case: 'submitPayment', value: { ...parties, amount, requestId: world.id() } };
}
