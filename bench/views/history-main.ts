/**
 * What a payment costs the history view in PostgreSQL: CPU of the server's process and of this one, bytes of
 * the write-ahead log and of tables with their indexes. Arguments: host (a directory with a socket, or a
 * name), port, user, database, payments, batch, accounts. Makes generations of the view and drops them: give it a
 * database of its own. Linux only.
 */
import { readFileSync } from 'node:fs';
import { createPool, type Pool } from '../../lib/log/postgres-client.js';
import { HISTORY_PLANS, postgresHistory } from '../../lib/views/history/postgres/history.js';
import { type PaymentEvent, PaymentLog } from './payments.js';

const US_PER_NS = 1 / 1000;
const WARM_UP_SHARE = 0.1;
const OPENING_BATCH = 1000;

const [host = '', port = '', user = '', database = '', count = '40000', batch = '200', accounts = '10000'] =
  process.argv.slice(2);

const pool = createPool(
  { host, port: Number(port), user, database },
  { max: 1, name: 'bench history', options: HISTORY_PLANS, statementTimeout_ms: 60_000 },
);
const generations = postgresHistory(pool);
await generations.migrate();
const view = await generations.create();
const log = new PaymentLog(Number(accounts));

async function apply(events: readonly PaymentEvent[]): Promise<void> {
  const last = events.at(-1);
  const first = events[0];
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

function* batches(events: readonly PaymentEvent[], size: number): Generator<readonly PaymentEvent[]> {
  for (let at = 0; at < events.length; at += size) yield events.slice(at, at + size);
}

/** CPU of the one server process of the pool, microseconds. */
function serverCpu_us(pid: number): number {
  const [running_ns] = readFileSync(`/proc/${String(pid)}/schedstat`, 'utf8').split(' ');
  return Number(running_ns) * US_PER_NS;
}

function ownCpu_us(): number {
  const { user: inUser, system } = process.cpuUsage();
  return inUser + system;
}

async function numberOf(client: Pool, text: string): Promise<number> {
  const { rows } = await client.query<{ value: bigint | number }>(text);
  return Number(rows[0]?.value);
}

const WAL_BYTES = `select (pg_current_wal_insert_lsn() - '0/0')::bigint as value`;
const sizeOf = (schema: string) =>
  `select sum(pg_total_relation_size(oid))::bigint as value from pg_class
   where relnamespace = '${schema}'::regnamespace and relkind = 'r'`;

for (const events of batches(log.opening(), OPENING_BATCH)) await apply(events);
const all = [...batches(log.payments(Number(count), 'any'), Number(batch))];
const warmUp = Math.ceil(all.length * WARM_UP_SHARE);
for (const events of all.slice(0, warmUp)) await apply(events);

const pid = await numberOf(pool, 'select pg_backend_pid() as value');
const schema = `history_${String(view.generation)}`;
const before = { wal: await numberOf(pool, WAL_BYTES), size: await numberOf(pool, sizeOf(schema)) };
const started = { server_us: serverCpu_us(pid), own_us: ownCpu_us(), now_ms: performance.now() };
for (const events of all.slice(warmUp)) await apply(events);
const measured = all.slice(warmUp).reduce((sum, events) => sum + events.length, 0);
const elapsed_ms = performance.now() - started.now_ms;
const perPayment = (value: number) => Number((value / measured).toFixed(2));
const result = {
  payments: measured,
  batch: Number(batch),
  server_us: perPayment(serverCpu_us(pid) - started.server_us),
  own_us: perPayment(ownCpu_us() - started.own_us),
  wal_bytes: perPayment((await numberOf(pool, WAL_BYTES)) - before.wal),
  stored_bytes: perPayment((await numberOf(pool, sizeOf(schema))) - before.size),
  per_second: Math.round((measured / elapsed_ms) * 1000),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
await generations.drop(view.generation);
await pool.end();
