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
import { streamIdOf } from '../../../lib/log/stream-id.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { Call } from '../../../lib/rpc/call.js';
import { uuidFromBytes } from '../../../lib/base/uuid.js';
import { postgresBalances } from '../../../lib/views/balances/postgres/balances.js';
import { postgresHistory } from '../../../lib/views/history/postgres/history.js';
import { postgresReports } from '../../../lib/views/reports/postgres/reports.js';
import type { View } from '../../../lib/views/view.js';
import { FIXTURE_START, LedgerFixture } from '../../../test/ledger-fixture.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
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
  ) {}

  static async open(fixture = new LedgerFixture()): Promise<Books> {
    const database = await createTestDatabase();
    const pool = createPool(database.config, { max: 4, name: 'test' });
    const reads = createPool(database.config, { max: 4, name: 'test verify', options: KEYED_PLANS });
    await migrateLog(pool, FIXTURE_START);
    // The fixture brings its own first event.
    await pool.query('delete from log.events');
    const generations = [postgresBalances(pool), postgresHistory(pool), postgresReports(pool)] as const;
    for (const one of generations) await one.migrate();
    const [balances, history, reports] = generations;
    const views = {
      balances: await balances.current(),
      history: await history.current(),
      reports: await reports.current(),
    };
    return new Books(database, pool, reads, views, fixture);
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
    for (let from = 0; from < fresh.length; from += 1_000)
      await this.#insert(fresh.slice(from, from + 1_000));
  }

  async #insert(events: readonly RecordedEvent[]): Promise<void> {
    const requestIds = events.map(({ event }) =>
      event.requestId.length === 0 ? null : uuidFromBytes(event.requestId),
    );
    await this.pool.query(
      `with e as (
         insert into log.events (position, ledger_id, stream_id, request_id, ordinal, recorded_time, event, hash)
         select * from unnest($1::bigint[], $2::text[], $3::text[], $4::uuid[], $5::int[], $6::bigint[], $7::bytea[], $8::bytea[])
         returning ledger_id, request_id, position, ordinal
       )
       insert into log.request_keys (ledger_id, request_id, position)
       select ledger_id, request_id, position from e where ordinal = 0 and request_id is not null`,
      [
        events.map(({ position }) => position),
        events.map(({ event }) => event.ledgerId),
        events.map(({ event }) => streamIdOf(event)),
        requestIds,
        events.map(({ event }) => event.ordinal),
        events.map(({ event }) => event.recordedTimeMicros),
        events.map(({ bytes }) => bytes),
        events.map(({ hash }) => hash),
      ],
    );
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
