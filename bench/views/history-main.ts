/**
 * `npm run bench:history`: what a payment costs the history view in PostgreSQL: CPU of the server's process and
 * of this one, bytes of the write-ahead log, and of tables with their indexes. Linux only.
 */
import { readFileSync } from 'node:fs';
import { commandLine, readCommandLine, runCommand } from '../../lib/process/command-line.js';
import { createPool, type Pool } from '../../lib/log/postgres-client.js';
import { HISTORY_PLANS, postgresHistory } from '../../lib/views/history/postgres/history.js';
import type { HistoryView } from '../../lib/views/history/view.js';
import { countOf } from '../command-line.js';
import { type PaymentEvent, PaymentLog } from './payments.js';

const US_PER_NS = 1 / 1000;
const MS_PER_SECOND = 1000;
const WARM_UP_SHARE = 0.1;
const OPENING_BATCH = 1000;
const STATEMENT_TIMEOUT_MS = 60_000;
const WAL_BYTES = `select (pg_current_wal_insert_lsn() - '0/0')::bigint as value`;

const HISTORY = commandLine({
  name: 'npm run bench:history --',
  summary:
    'Measures what a payment costs the history view in PostgreSQL. It makes a generation of the view and drops it: give it a database of its own.',
  examples: [
    [
      'npm run bench:history -- --host /run/postgresql --user postgres --database scratch --batch 1000',
      'batches of 1,000 payments',
    ],
  ],
})
  .requiredOption('--host <host>', 'of PostgreSQL: a name, or the directory of its socket')
  .requiredOption('--database <name>', 'the database')
  .option('--port <port>', 'of PostgreSQL', countOf, 5432)
  .option('--user <name>', 'the role', 'postgres')
  .option('--payments <count>', 'how many payments', countOf, 40_000)
  .option('--batch <count>', 'how many payments per batch', countOf, 200)
  .option('--accounts <count>', 'how many accounts', countOf, 10_000);

async function main(): Promise<number> {
  const typed = readCommandLine(HISTORY, process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const { payments, batch, accounts, ...config } = typed.options;
  const pool = createPool(config, {
    max: 1,
    name: 'bench history',
    options: HISTORY_PLANS,
    statementTimeout_ms: STATEMENT_TIMEOUT_MS,
  });
  const generations = postgresHistory(pool);
  await generations.migrate();
  const view = await generations.create();
  const log = new PaymentLog(accounts);
  for (const events of batchesOf(log.opening(), OPENING_BATCH)) await apply(view, events);
  const result = await measured(pool, view, batchesOf(log.payments(payments), batch));
  process.stdout.write(`${JSON.stringify({ batch, ...result })}\n`);
  await generations.drop(view.generation);
  await pool.end();
  return 0;
}

/** Per payment, after a tenth of the batches to warm up. */
async function measured(pool: Pool, view: HistoryView, batches: readonly (readonly PaymentEvent[])[]) {
  const warmUp = Math.ceil(batches.length * WARM_UP_SHARE);
  for (const events of batches.slice(0, warmUp)) await apply(view, events);
  const pid = await numberOf(pool, 'select pg_backend_pid() as value');
  const size = sizeOf(`history_${String(view.generation)}`);
  const before = { wal: await numberOf(pool, WAL_BYTES), size: await numberOf(pool, size) };
  const started = { server_us: serverCpu_us(pid), own_us: ownCpu_us(), now_ms: performance.now() };
  for (const events of batches.slice(warmUp)) await apply(view, events);
  const elapsed_ms = performance.now() - started.now_ms;
  const payments = batches.slice(warmUp).reduce((sum, events) => sum + events.length, 0);
  const perPayment = (value: number) => Number((value / payments).toFixed(2));
  return {
    payments,
    server_us: perPayment(serverCpu_us(pid) - started.server_us),
    own_us: perPayment(ownCpu_us() - started.own_us),
    wal_bytes: perPayment((await numberOf(pool, WAL_BYTES)) - before.wal),
    stored_bytes: perPayment((await numberOf(pool, size)) - before.size),
    per_second: Math.round((payments / elapsed_ms) * MS_PER_SECOND),
  };
}

async function apply(view: HistoryView, events: readonly PaymentEvent[]): Promise<void> {
  const [first, last] = [events[0], events.at(-1)];
  if (last === undefined || first === undefined) return;
  const { position, hash, event } = last;
  await view.apply({
    partition: 0,
    events,
    offset: position,
    after: first.position - 1n,
    watermark: { epoch: 0, position, hash, recordedTime: event.recordedTimeMicros },
  });
}

function batchesOf(events: readonly PaymentEvent[], size: number): (readonly PaymentEvent[])[] {
  const count = Math.ceil(events.length / size);
  return Array.from({ length: count }, (_, index) => events.slice(index * size, (index + 1) * size));
}

/** CPU of the one server process of the pool. */
function serverCpu_us(pid: number): number {
  const [running_ns] = readFileSync(`/proc/${String(pid)}/schedstat`, 'utf8').split(' ');
  return Number(running_ns) * US_PER_NS;
}

function ownCpu_us(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function numberOf(pool: Pool, text: string): Promise<number> {
  const { rows } = await pool.query<{ value: bigint | number }>(text);
  return Number(rows[0]?.value);
}

const sizeOf = (schema: string) =>
  `select sum(pg_total_relation_size(oid))::bigint as value from pg_class
   where relnamespace = '${schema}'::regnamespace and relkind = 'r'`;

process.exitCode = await runCommand(process, main);
