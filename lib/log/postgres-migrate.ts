/** Brings log and state to this version: forward only, each migration once. Run by command services. */
import { createHash, randomBytes } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { EventSchema, LogStartedSchema } from '../../gen/quittance/event/v1/event_pb.js';
import { StartError } from '../base/start-error.js';
import type { Micros } from '../base/time.js';
import { recordFirstOrigin } from './epochs/epochs.sql.js';
import { createLog } from './migrations/0001-log.sql.js';
import { createState } from './migrations/0002-state.sql.js';
import { createRelay } from './migrations/0003-relay.sql.js';
import { createLease } from './migrations/0004-lease.sql.js';
import { createEpochs } from './migrations/0005-epochs.sql.js';
import { createWebhooks } from './migrations/0006-webhooks.sql.js';
import { createSchedules } from './migrations/0007-schedules.sql.js';
import type { Pool, PoolClient } from './postgres-client.js';

/** In order; a number, once released, never changes its text. */
const MIGRATIONS: readonly (readonly [version: number, sql: string])[] = [
  [1, createLog],
  [2, createState],
  [3, createRelay],
  [4, createLease],
  [5, createEpochs],
  [6, createWebhooks],
  [7, createSchedules],
];

const LATEST = MIGRATIONS.length;
/** Any number, the same in every process: two that start at once migrate one after the other. */
const MIGRATION_LOCK = 7_190_531;

const createRegistry = `
create table if not exists public.quittance_migrations (
  version integer primary key,
  applied_time timestamptz not null default now()
)`;

const readVersion = `select coalesce(max(version), 0) as version from public.quittance_migrations`;

const insertGenesis = `
insert into log.flushes (first, last, epoch, recorded_time, ends, hash, events)
values (0, 0, 0, $1, array[length($2::bytea)], $3, $2)
on conflict (first) do nothing`;

const insertCheckpoint = `
insert into state.checkpoint (epoch, position, hash)
select 0, -1, ''::bytea
on conflict (only_row) do nothing`;

/** The schema is older than this program, or newer. */
export class SchemaVersionError extends StartError {
  override readonly name = 'SchemaVersionError';
}

/** Applies what is missing and writes the first event of a new log. `now` is UTC microseconds. */
export async function migrateLog(pool: Pool, now: Micros): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(createRegistry);
    const version = await versionOf(client);
    if (version > LATEST) throw tooNew(version);
    for (const [number, sql] of MIGRATIONS) {
      if (number <= version) continue;
      await client.query(sql);
      await client.query('insert into public.quittance_migrations (version) values ($1)', [number]);
    }
    await writeGenesis(client, now);
    await client.query(insertCheckpoint);
    await client.query(recordFirstOrigin);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/**
 * What query and projector do instead of migrating. @throws SchemaVersionError unless the schema is this
 * version's.
 */
export async function checkLogVersion(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ found: boolean }>(
    `select to_regclass('public.quittance_migrations') is not null as found`,
  );
  const version = rows[0]?.found === true ? await versionOf(pool) : 0;
  if (version > LATEST) throw tooNew(version);
  if (version < LATEST) {
    throw new SchemaVersionError(
      `the database is at schema version ${String(version)}, this program needs ${String(LATEST)}; start the command service`,
    );
  }
}

function tooNew(version: number): SchemaVersionError {
  return new SchemaVersionError(
    `the database is at schema version ${String(version)}, newer than this program's ${String(LATEST)}; upgrade the program`,
  );
}

async function versionOf(client: Pool | PoolClient): Promise<number> {
  const { rows } = await client.query<{ version: number }>(readVersion);
  return rows[0]?.version ?? 0;
}

async function writeGenesis(client: PoolClient, now: Micros): Promise<void> {
  const logStarted = create(LogStartedSchema, { logId: randomBytes(16) });
  const bytes = toBinary(
    EventSchema,
    create(EventSchema, {
      position: 0n,
      recordedTimeMicros: now,
      payload: { case: 'logStarted', value: logStarted },
    }),
  );
  await client.query(insertGenesis, [now, bytes, createHash('sha256').update(bytes).digest()]);
}
