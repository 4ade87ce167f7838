/**
 * A database with a log, state tables and the three views, filled from a fixture, for tests of VerifyLedger.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type VerifyFinding,
  VerifyLedgerRequestSchema,
  VerifyLedgerResponseSchema,
  type VerifyProgress,
  VerifySubject,
  type VerifyVerdict,
} from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { createPool, KEYED_PLANS, type Pool } from '../../../lib/log/postgres-client.js';
import { migrateLog } from '../../../lib/log/postgres-migrate.js';
import { writeState } from '../../../lib/log/state/postgres-state-writer.js';
import { stateChangesOf } from '../../../lib/log/state/state-changes.js';
import type { Call } from '../../../lib/rpc/call.js';
import { postgresBalances } from '../../../lib/views/balances/postgres/balances.js';
import { postgresHistory } from '../../../lib/views/history/postgres/history.js';
import { postgresReports } from '../../../lib/views/reports/postgres/reports.js';
import type { View } from '../../../lib/views/view.js';
import { FIXTURE_START, LedgerFixture } from '../../../test/ledger-fixture.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { storeEvents } from '../../../test/stored-log.js';
import { verifyLedger } from '../rpc/verify-ledger.js';
import { postgresStateTables, postgresStoredLog } from '../log/postgres-stored-log.js';
import type { VerifyDeps, VerifyLimits } from '../verify.js';

/** All that a verification sent. */
export interface Report {
  readonly progress: readonly VerifyProgress[];
  readonly findings: readonly VerifyFinding[];
  readonly verdict: VerifyVerdict | undefined;
}

type ViewName = 'balances' | 'history' | 'reports';

/** The stores, one database. Close it in afterAll. */
export class Books {
  #applied: Record<ViewName, number> = { balances: 0, history: 0, reports: 0 };
  #stored = 0;
  #state = 0;

  private constructor(
    readonly database: TestDatabase,
    readonly pool: Pool,
    readonly reads: Pool,
    readonly views: Record<ViewName, View>,
    readonly fixture: LedgerFixture,
    /** Events per row of the log. */
    readonly flush: number,
  ) {}

  static async open(fixture = new LedgerFixture(), flush = 200): Promise<Books> {
    const database = await createTestDatabase();
    const pool = createPool(database.config, { max: 4, name: 'test' });
    const reads = createPool(database.config, { max: 4, name: 'test verify', options: KEYED_PLANS });
    await migrateLog(pool, FIXTURE_START);
    const generations = [postgresBalances(pool), postgresHistory(pool), postgresReports(pool)] as const;
    for (const one of generations) await one.migrate();
    const [balances, history, reports] = generations;
    const views = {
      balances: await balances.current(),
      history: await history.current(),
      reports: await reports.current(),
    };
    return new Books(database, pool, reads, views, fixture, flush);
  }

  async close(): Promise<void> {
    await this.pool.end();
    await this.reads.end();
    await this.database.drop();
  }

  /** Stores what the fixture made since, and brings everything up to it. */
  async settle(): Promise<void> {
    await this.store();
    await this.writeState();
    for (const view of ['balances', 'history', 'reports'] as const) await this.apply(view);
  }

  /** Stores the events in the log alone. */
  async store(): Promise<void> {
    const fresh = this.fixture.events.slice(this.#stored);
    this.#stored = this.fixture.events.length;
    await storeEvents(this.pool, fresh, this.flush);
  }

  /** Brings the state tables to the last of `events`; all by default. */
  async writeState(through = this.fixture.events.length): Promise<void> {
    const events = this.fixture.events.slice(this.#state, through);
    const last = events.at(-1);
    if (last === undefined) return;
    this.#state = through;
    const batch = {
      changes: stateChangesOf(events.map(({ event }) => event)),
      through: { epoch: 0, position: last.position, hash: last.hash },
    };
    await writeState(this.pool, () => Promise.resolve(batch));
  }

  /** Brings a view to the last of `events`; all by default. */
  async apply(name: ViewName, through = this.fixture.events.length): Promise<void> {
    for (let from = this.#applied[name]; from < through; from += 1_000) {
      const to = Math.min(through, from + 1_000);
      await this.views[name].apply(this.fixture.batch(BigInt(from), BigInt(to - 1)));
    }
    this.#applied[name] = Math.max(through, this.#applied[name]);
  }

  deps(limits: Partial<VerifyLimits> = {}): VerifyDeps {
    const { balances, history, reports } = this.views;
    return {
      stored: postgresStoredLog(this.reads),
      state: postgresStateTables(this.reads),
      views: {
        balances: () => Promise.resolve(balances),
        history: () => Promise.resolve(history),
        reports: () => Promise.resolve(reports),
      },
      partitionOf: () => 0,
      limits,
    };
  }

  /** Verifies a ledger and gathers what is sent. */
  async verify(ledgerId: string, deps = this.deps(), call = callFor(10_000)): Promise<Report> {
    return gather(verifyLedger(deps)(create(VerifyLedgerRequestSchema, { ledgerId }), call));
  }
}

export function callFor(duration_ms: number, signal = new AbortController().signal): Call {
  const method = 'quittance.ops.v1.LedgerService/VerifyLedger';
  return {
    deadline_ms: Date.now() + duration_ms,
    signal,
    aborted: undefined,
    onAbort: () => () => undefined,
    fits: () => true,
    actor: 'anonymous',
    traceId: '',
    method,
  };
}

export async function gather(
  messages: AsyncIterable<MessageInitShape<typeof VerifyLedgerResponseSchema>>,
): Promise<Report> {
  const progress: VerifyProgress[] = [];
  const findings: VerifyFinding[] = [];
  let verdict: VerifyVerdict | undefined;
  for await (const init of messages) {
    if (verdict !== undefined) throw new Error('something came after the verdict');
    const { event } = create(VerifyLedgerResponseSchema, init);
    if (event.case === 'progress') progress.push(event.value);
    else if (event.case === 'finding') findings.push(event.value);
    else if (event.case === 'verdict') verdict = event.value;
  }
  return { progress, findings, verdict };
}

/** Findings as short texts: subject, position and entity. */
export function named({ findings }: Report): string[] {
  return findings.map(({ subject, position, entity }) => `${VerifySubject[subject]} ${position} ${entity}`);
}
