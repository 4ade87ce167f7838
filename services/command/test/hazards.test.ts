/** The hazards of the write side: what may go wrong between deciding and being sure. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import pg from 'pg';
import { pino } from 'pino';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { AppendOutcome } from '../../../lib/log/append.js';
import { StoreUnavailable } from '../../../lib/base/store-unavailable.js';
import { createPool } from '../../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../../lib/log/postgres-log-reader.js';
import { readStateCheckpoint } from '../../../lib/log/state/postgres-state-reader.js';
import { Wakeups } from '../../../lib/log/wakeups.js';
import { type CallError, fail } from '../../../lib/rpc/errors.js';
import { systemClock, timestampOf } from '../../../lib/base/time.js';
import { createTestDatabase } from '../../../test/postgres.js';
import { until } from '../../../test/until.js';
import type { WriteLog } from '../application/write-log.js';
import {
  aCall,
  CommandProcess,
  openLedger,
  payment,
  type TestDatabase,
} from '../../../test/command-process.js';

const HOUR_MS = 3_600_000;
const HOUR_US = 3_600_000_000n;

let database: TestDatabase;
const open: CommandProcess[] = [];
/** What is held back must not keep a process of a failed test from ending. */
const atEnd: (() => void)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  for (const release of atEnd.splice(0)) release();
  await Promise.all(open.splice(0).map((process) => process.stop()));
  await database.drop();
});

async function start(
  ...options: Parameters<typeof CommandProcess.start> extends [unknown, ...infer R] ? R : never
) {
  const process = await CommandProcess.start(database, ...options);
  open.push(process);
  return process;
}

/** A log whose next append meets a fault, once. */
function withFault(fault: (log: WriteLog, args: Parameters<WriteLog['append']>) => Promise<AppendOutcome>) {
  let armed = false;
  return {
    arm: () => {
      armed = true;
    },
    wrapLog: (log: WriteLog): WriteLog => ({
      ...log,
      append: (...args) => {
        if (!armed) return log.append(...args);
        armed = false;
        return fault(log, args);
      },
    }),
  };
}

async function allEvents() {
  const pool = createPool(database.config, { max: 1, name: 'test' });
  try {
    const reader = postgresLogReader(pool, new Wakeups());
    return await reader.page({ after: -1n, through: null, limit: 100_000, ledgerId: null, streamId: null });
  } finally {
    await pool.end();
  }
}

async function eventsOf(requestId: string) {
  const bytes = requestId.replaceAll('-', '');
  const events = await allEvents();
  return events.filter(({ event }) => Buffer.from(event.requestId).toString('hex') === bytes);
}

describe('an append whose outcome is unknown', () => {
  test('that was committed is found in the log, and answered once', async () => {
    const fault = withFault(async (log, args) => {
      await log.append(...args);
      return { outcome: 'unknown', cause: new Error('connection lost') };
    });
    const service = await start({ wrapLog: fault.wrapLog });
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    fault.arm();
    const command = payment('main', 'alice', 'bob', 100n);
    const answer = await service.send(command);
    expect(answer.replayed).toBe(false);
    expect(await eventsOf(command.value.requestId)).toHaveLength(1);
    const next = await service.send(payment('main', 'alice', 'bob', 1n));
    expect(next.accounts[0]?.balance?.posted).toBe(899n);
  });

  test('that was not committed is appended again', async () => {
    const fault = withFault(() =>
      Promise.resolve({ outcome: 'unknown', cause: new Error('connection lost') }),
    );
    const service = await start({ wrapLog: fault.wrapLog });
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    fault.arm();
    const command = payment('main', 'alice', 'bob', 100n);
    await service.send(command);
    expect(await eventsOf(command.value.requestId)).toHaveLength(1);
  });

  test('that commits only after it was given up is in the log once: either attempt excludes the other', async () => {
    let late: Promise<AppendOutcome> | undefined;
    const fault = withFault((log, args) => {
      // The statement is still on its way while the caller has given up on it.
      late = new Promise((resolve, reject) => {
        setTimeout(() => {
          log.append(...args).then(resolve, reject);
        }, 20);
      });
      return Promise.resolve({ outcome: 'unknown', cause: new Error('connection lost') });
    });
    const service = await start({ wrapLog: fault.wrapLog });
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    fault.arm();
    const command = payment('main', 'alice', 'bob', 100n);
    await service.send(command);
    await late;
    expect(await eventsOf(command.value.requestId)).toHaveLength(1);
    const next = await service.send(payment('main', 'alice', 'bob', 1n));
    expect(next.accounts[0]?.balance?.posted).toBe(899n);
  });

  test('is told as OUTCOME_UNKNOWN to a caller who leaves meanwhile', async () => {
    let resume: (() => void) | undefined;
    const fault = withFault(async (log, args) => {
      await new Promise<void>((resolve) => (resume = resolve));
      return log.append(...args);
    });
    const service = await start({ wrapLog: fault.wrapLog });
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    fault.arm();
    let leave: ((reason: CallError) => void) | undefined;
    const onAbort = (listener: (reason: CallError) => void) => {
      leave = listener;
      return () => undefined;
    };
    const command = payment('main', 'alice', 'bob', 100n);
    const sent = service.send(command, aCall({ onAbort }));
    while (resume === undefined) await new Promise(setImmediate);
    leave?.(fail(ErrorReason.DEADLINE_EXCEEDED, 'too late'));
    await expect(sent).rejects.toMatchObject({ reason: ErrorReason.OUTCOME_UNKNOWN });
    resume();
    expect(await service.send(command)).toMatchObject({ replayed: true });
  });

  test('over and over, while the database is away, is a line at once and one when it is back, not one per try', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
    let failures = 0;
    const wrapLog = (log: WriteLog): WriteLog => ({
      ...log,
      append: (...args) => {
        if (failures === 0) return log.append(...args);
        failures -= 1;
        return Promise.resolve({ outcome: 'unknown', cause: new Error('connect ECONNREFUSED') });
      },
    });
    const service = await start({ wrapLog, logger });
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    failures = 20;
    await service.send(payment('main', 'alice', 'bob', 100n));
    const about = lines.filter((line) => line.includes('the outcome of'));
    expect(about.map((line) => (JSON.parse(line) as { level: number; failures: number }).failures)).toEqual([
      1, 20,
    ]);
  });

  test('that the server refused changes nothing, says so, and the next command is decided', async () => {
    const full = new StoreUnavailable('PostgreSQL', new Error('No space left on device'));
    const fault = withFault(() => Promise.resolve({ outcome: 'refused', cause: full }));
    const service = await start({ wrapLog: fault.wrapLog });
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    fault.arm();
    const command = payment('main', 'alice', 'bob', 100n);
    const error = await service.send(command).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ reason: ErrorReason.DEPENDENCY_UNAVAILABLE });
    expect(String(error)).not.toContain('No space');
    expect(await eventsOf(command.value.requestId)).toHaveLength(0);
    expect(await service.send(command)).toMatchObject({ replayed: false });
  });

  test('survives the loss of every connection in the middle of the load', async () => {
    const service = await start();
    await openLedger(service, 'main', ['alice', 'bob'], 1_000_000n);
    const killer = new pg.Client(database.config);
    await killer.connect();
    const sent = Array.from({ length: 2_000 }, () => service.send(payment('main', 'alice', 'bob', 1n)));
    for (let round = 0; round < 5; round += 1) {
      await killer.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      );
      await new Promise(setImmediate);
    }
    await killer.end();
    const answers = await Promise.all(sent);
    expect(new Set(answers.map(({ position }) => position)).size).toBe(2_000);
    const last = await service.send(payment('main', 'alice', 'bob', 1n));
    expect(last.accounts[0]?.balance?.posted).toBe(1_000_000n - 2_001n);
  });
});

describe('two command processes on one log', () => {
  test('lose no update and leave no gap, with a reader tailing', async () => {
    const [one, two] = [await start(), await start()];
    await openLedger(one, 'main', ['alice', 'bob'], 100_000n);
    const reading = new AbortController();
    const pool = createPool(database.config, { max: 1, name: 'tail' });
    const seen = tail(postgresLogReader(pool, new Wakeups()), reading.signal);
    const sends = Array.from({ length: 600 }, (_, index) =>
      (index % 2 === 0 ? one : two).send(
        index % 3 === 0 ? payment('main', 'bob', 'alice', 2n) : payment('main', 'alice', 'bob', 1n),
      ),
    );
    const answers = await Promise.all(sends);
    const end = answers.reduce((max, { position }) => (position > max ? position : max), 0n);
    const positions = await seen(end);
    reading.abort();
    await pool.end();
    expect(positions).toEqual(positions.map((_, index) => BigInt(index)));
    expect(new Set(answers.map(({ position }) => position)).size).toBe(600);
    const last = await one.send(payment('main', 'alice', 'bob', 1n));
    expect(last.accounts[0]?.balance?.posted).toBe(100_000n + 400n - 400n - 1n);
  });

  test('decide one request id once, whichever of them it is sent to', async () => {
    const [one, two] = [await start(), await start()];
    await openLedger(one, 'main', ['alice', 'bob'], 1_000n);
    const command = payment('main', 'alice', 'bob', 10n);
    const answers = await Promise.all([one, two, one, two].map((process) => process.send(command)));
    expect(new Set(answers.map(({ position }) => position)).size).toBe(1);
    expect(await eventsOf(command.value.requestId)).toHaveLength(1);
  });

  test('a writer stopped in mid-flush and woken again fails the guard, catches up and decides anew', async () => {
    let resume: (() => void) | undefined;
    const fault = withFault(async (log, args) => {
      await new Promise<void>((resolve) => (resume = resolve));
      return log.append(...args);
    });
    const [slow, fast] = [await start({ wrapLog: fault.wrapLog }), await start()];
    await openLedger(slow, 'main', ['alice', 'bob'], 100n);
    fault.arm();
    // Both spend all there is: only one may succeed.
    const late = slow.send(payment('main', 'alice', 'bob', 100n));
    while (resume === undefined) await new Promise(setImmediate);
    const first = await fast.send(payment('main', 'alice', 'bob', 100n));
    resume();
    expect(first.transaction?.status).toBe(1);
    expect((await late).transaction?.status).toBe(2);
  });

  test('an error is decided on the present state of the log, not on an old one', async () => {
    const [one, two] = [await start(), await start()];
    await openLedger(one, 'main', ['alice', 'bob'], 100n);
    await two.send(payment('main', 'alice', 'bob', 1n));
    const requestId = randomUUID();
    const account = { ledgerId: 'main', requestId, accountId: 'carol', currency: 'EUR' };
    await one.send({ case: 'openAccount', value: account });
    // Two has never heard of carol, and must not say that she does not exist.
    const answer = await two.send(payment('main', 'alice', 'carol', 1n));
    expect(answer.transaction?.status).toBe(1);
  });
});

/** A lease that a busy machine does not lose. */
const LONG_LEASE = { lease_ms: 60_000, renew_ms: 50, look_ms: 5, handOver_ms: 1_000 };

describe('an append that is delayed until another process has the lease', () => {
  /** The first process decides an authorization, and its append is held back. */
  async function delayed() {
    let release: (() => void) | undefined;
    atEnd.push(() => release?.());
    const fault = withFault(async (log, args) => {
      await new Promise<void>((resolve) => (release = resolve));
      return log.append(...args);
    });
    const first = await start({
      address: 'first:1',
      standingTimes: LONG_LEASE,
      wrapLog: fault.wrapLog,
    });
    await openLedger(first, 'main', ['alice', 'bob'], 1_000n);
    // The second lives an hour later, together with what it hears of the database's clock.
    const second = await start({
      address: 'second:1',
      standingTimes: LONG_LEASE,
      clock: () => systemClock() + HOUR_US,
      wrapLog: (log) => ({ ...log, now: async () => (await log.now()) + HOUR_US }),
    });
    fault.arm();
    const command = {
      case: 'authorizePayment' as const,
      value: {
        ...payment('main', 'alice', 'bob', 100n).value,
        expireTime: timestampFromDate(new Date(Date.now() + HOUR_MS / 2)),
      },
    };
    const sent = first.send(command).catch((error: unknown) => error);
    await until(() => release !== undefined);
    return { first, second, command, sent, release: () => release?.() };
  }

  /** `term` is the one in which it is to have the lease: that of before is not known to be lost until it is renewed in vain. */
  async function leaseGoesTo(process: CommandProcess, address: string, term: bigint) {
    const client = new pg.Client(database.config);
    await client.connect();
    try {
      // The present holder may renew it before the other process looks.
      while (process.part.standing?.term !== term) {
        await client.query('update log.lease set expire_time = clock_timestamp() where address <> $1', [
          address,
        ]);
      }
    } finally {
      await client.end();
    }
  }

  test('is refused: what the next holder has refused for a reason of time is not committed after that', async () => {
    const { second, command, sent, release } = await delayed();
    await leaseGoesTo(second, 'second:1', 2n);
    // The hold would end in the past by now. Nothing is appended for this answer, so that the log ends where it did.
    await expect(second.send(command)).rejects.toMatchObject({ reason: ErrorReason.TIME_OUT_OF_RANGE });
    release();
    expect(await sent).toMatchObject({ reason: ErrorReason.NOT_SERVING });
    expect(await eventsOf(command.value.requestId)).toHaveLength(0);
    await expect(second.send(command)).rejects.toMatchObject({ reason: ErrorReason.TIME_OUT_OF_RANGE });
  });

  test('is not sent again under a later term of the same process', async () => {
    const { first, second, command, sent, release } = await delayed();
    await leaseGoesTo(second, 'second:1', 2n);
    await expect(second.send(command)).rejects.toMatchObject({ reason: ErrorReason.TIME_OUT_OF_RANGE });
    await leaseGoesTo(first, 'first:1', 3n);
    release();
    // It was decided in a term that is over: it is decided anew, and only then appended.
    expect(await sent).toMatchObject({ replayed: false });
    expect(first.part.measured.executor.figures.appends.lease_lost).toBe(1);
    expect(await eventsOf(command.value.requestId)).toHaveLength(1);
  });
});

describe('a storm of retries after an outage', () => {
  test('costs the database no error and no connection: ids that memory does not know are looked up', async () => {
    const first = await start();
    await openLedger(first, 'main', ['alice', 'bob'], 1_000_000n);
    const commands = Array.from({ length: 50 }, () => payment('main', 'alice', 'bob', 1n));
    await Promise.all(commands.map((command) => first.send(command)));
    await open.splice(0)[0]?.stop();
    const before = await statistics();
    const second = await start();
    expect(second.part.memory.tailSize).toBe(0);
    // One by one: each is a flush of its own.
    for (const command of commands) expect(await second.send(command)).toMatchObject({ replayed: true });
    await open.splice(0)[0]?.stop();
    const after = await statistics();
    expect(after.errors - before.errors).toBe(0);
    // Its three pools and the migration.
    expect(after.sessions - before.sessions).toBeLessThan(10);
  });

  test('is answered item by item where some of a flush are retries and others are new', async () => {
    const first = await start();
    await openLedger(first, 'main', ['alice', 'bob'], 1_000n);
    const retried = payment('main', 'alice', 'bob', 1n);
    await first.send(retried);
    await open.splice(0)[0]?.stop();
    const second = await start();
    const answers = await Promise.all(
      [payment('main', 'alice', 'bob', 2n), retried, payment('main', 'alice', 'bob', 3n)].map((command) =>
        second.send(command),
      ),
    );
    expect(answers.map(({ replayed }) => replayed)).toEqual([false, true, false]);
    expect(answers[2]?.accounts[0]?.balance?.posted).toBe(994n);
  });
});

/** Transactions that ended in an error, and connections, of the test's database so far. All its sessions must have ended. */
async function statistics(): Promise<{ errors: number; sessions: number }> {
  const client = new pg.Client({ ...database.config, database: 'postgres' });
  await client.connect();
  try {
    const { database: name } = database.config;
    const open = 'select count(*)::integer as count from pg_stat_activity where datname = $1';
    for (;;) {
      const { rows } = await client.query<{ count: number }>(open, [name]);
      if (rows[0]?.count === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { rows } = await client.query<{ errors: number; sessions: number }>(
      `select xact_rollback::integer as errors, sessions::integer as sessions
       from pg_stat_database where datname = $1`,
      [name],
    );
    if (rows[0] === undefined) throw new Error('the server keeps no statistics of the database');
    return rows[0];
  } finally {
    await client.end();
  }
}

describe('the state tables', () => {
  test('are written behind, and a restart goes on from them and the tail', async () => {
    const first = await start();
    await openLedger(first, 'main', ['alice', 'bob'], 1_000n);
    await first.send(payment('main', 'alice', 'bob', 10n));
    await open.splice(0)[0]?.stop();
    const pool = createPool(database.config, { max: 1, name: 'test' });
    const checkpoint = await readStateCheckpoint(pool);
    await pool.end();
    expect(checkpoint.position).toBe(first.part.memory.end.position);
    const second = await start();
    expect(second.part.memory.tailSize).toBe(0);
    const answer = await second.send(payment('main', 'alice', 'bob', 10n));
    expect(answer.accounts.map(({ balance }) => balance?.posted)).toEqual([980n, 1_020n]);
  });

  test('know what memory no longer has: a posted payment is refunded and a hold captured all the same', async () => {
    const service = await start();
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    const { transaction } = await service.send(payment('main', 'alice', 'bob', 10n));
    const { value } = payment('main', 'alice', 'bob', 30n);
    const held = await service.send({ case: 'authorizePayment', value });
    const { memory } = service.part;
    while (memory.tailFrom < memory.end.position) await new Promise((resolve) => setTimeout(resolve, 10));
    const [posted, authorized] = [transaction, held.transaction].map((one) => one?.transactionId ?? '');
    expect(memory.transactions.known('main', posted ?? '')).toBeUndefined();
    expect(memory.transactions.known('main', authorized ?? '')).toMatchObject({
      status: 'AUTHORIZED',
    });
    const own = { ledgerId: 'main', amount: { currency: 'EUR', minorUnits: 10n } };
    for (const left of [20n, 10n, 0n]) {
      const { payment: after } = await service.send({
        case: 'capturePayment',
        value: { ...own, paymentId: authorized ?? '', requestId: randomUUID() },
      });
      expect((after?.authorized ?? 0n) - (after?.captured ?? 0n)).toBe(left);
    }
    const refund = () =>
      service.send({
        case: 'refundPayment',
        value: { ...own, paymentId: posted ?? '', requestId: randomUUID() },
      });
    expect((await refund()).payment).toMatchObject({ captured: 10n, refunded: 10n });
    await expect(refund()).rejects.toMatchObject({ reason: ErrorReason.REFUND_EXCEEDS_CAPTURED });
  });

  test('that lost a checkpoint are noticed at the next fill, and the log is read again from theirs', async () => {
    const service = await start();
    await openLedger(service, 'main', ['alice', 'bob', 'carol'], 1_000n);
    const pool = createPool(database.config, { max: 1, name: 'test' });
    const before = await readStateCheckpoint(pool);
    await service.send(payment('main', 'alice', 'bob', 10n));
    while (service.part.memory.tailFrom < service.part.memory.end.position) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    // What a crash of the server may do to a transaction that was not synchronized.
    await pool.query(
      `update state.accounts set credits = 0, debits = 0, version = 1 where account_id in ('alice', 'bob')`,
    );
    await pool.query('update state.checkpoint set position = $1, hash = $2', [before.position, before.hash]);
    await pool.query('delete from state.accounts where version = 1 and $1 < 0', [before.position]);
    // A fill for an account that was never asked for meets the older checkpoint.
    await expect(service.send(payment('main', 'alice', 'dave', 1n))).rejects.toMatchObject({
      reason: ErrorReason.ACCOUNT_NOT_FOUND,
    });
    const answer = await service.send(payment('main', 'alice', 'bob', 1n));
    expect(answer.accounts[0]?.balance?.posted).toBe(989n);
    await pool.end();
  });

  test('hold back the write side, instead of an endless tail, while they cannot be written', async () => {
    const service = await start({ limits: { tail: 5 } });
    const blocker = new pg.Client(database.config);
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('lock table state.checkpoint in exclusive mode');
    const create = () =>
      service.send({ case: 'createLedger', value: { ledgerId: randomUUID(), requestId: randomUUID() } });
    const results: PromiseSettledResult<unknown>[] = [];
    for (let count = 0; count < 10; count += 1) results.push(...(await Promise.allSettled([create()])));
    expect(results.at(-1)).toMatchObject({ status: 'rejected', reason: { reason: ErrorReason.QUEUE_FULL } });
    await blocker.query('rollback');
    await blocker.end();
    while (service.part.memory.tailSize > 5) await new Promise((resolve) => setTimeout(resolve, 10));
    await expect(create()).resolves.toBeDefined();
  });
});

describe('time', () => {
  test('recorded_time rises even when the clock stands still or goes back', async () => {
    let offset = 0n;
    const service = await start({ clock: () => systemClock() - offset });
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    offset = 500_000n;
    await Promise.all(Array.from({ length: 20 }, () => service.send(payment('main', 'alice', 'bob', 1n))));
    const times = (await allEvents()).map(({ event }) => event.recordedTimeMicros);
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0n))).toBe(true);
  });

  test('a process whose clock is over a second from the database does not decide', async () => {
    const service = await start({ clock: () => systemClock() + 5_000_000n });
    await expect(
      service.send({ case: 'createLedger', value: { ledgerId: 'main', requestId: randomUUID() } }),
    ).rejects.toMatchObject({ reason: ErrorReason.NOT_SERVING });
  });
});

describe('hold expiry', () => {
  test('releases the hold when its time has come, and answers HOLD_EXPIRED from then on', async () => {
    let offset = 0n;
    const clock = () => systemClock() + offset;
    // The clock of the database goes with it: a process decides only while the two agree.
    const service = await start({
      clock,
      wrapLog: (log) => ({ ...log, now: () => Promise.resolve(clock()) }),
    });
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    const { value } = payment('main', 'alice', 'bob', 600n);
    const expireTime = { seconds: systemClock() / 1_000_000n + 3_600n, nanos: 0 };
    const authorized = await service.send({ case: 'authorizePayment', value: { ...value, expireTime } });
    expect(authorized.accounts[0]?.balance?.available).toBe(400n);
    offset = 3_600_000_000n;
    const expired = async () =>
      (await allEvents()).some(({ event }) => event.payload.case === 'paymentExpired');
    while (!(await expired())) await new Promise((resolve) => setTimeout(resolve, 20));
    const capture = {
      ledgerId: 'main',
      requestId: randomUUID(),
      paymentId: value.requestId,
      amount: { currency: 'EUR', minorUnits: 1n },
    };
    await expect(service.send({ case: 'capturePayment', value: capture })).rejects.toMatchObject({
      reason: ErrorReason.HOLD_EXPIRED,
    });
    const after = await service.send(payment('main', 'alice', 'bob', 1_000n));
    expect(after.transaction?.status).toBe(1);
  });
});

describe('a hold past its time, before the expirer has come round', () => {
  /** A process whose clock stands at `time`, and whose expirer looks at the holds only when it starts. */
  function withClock() {
    const clock = { time: systemClock() };
    return {
      clock,
      start: () =>
        start({
          clock: () => clock.time,
          wrapLog: (log) => ({ ...log, now: () => Promise.resolve(clock.time) }),
          expiry_ms: 3_600_000,
        }),
    };
  }

  function authorization(amount: bigint, expireTime: bigint) {
    const { value } = payment('main', 'alice', 'bob', amount);
    const time = { seconds: expireTime / 1_000_000n, nanos: Number(expireTime % 1_000_000n) * 1_000 };
    return { case: 'authorizePayment' as const, value: { ...value, expireTime: time } };
  }

  const kindsOfEvents = async (count: number) =>
    (await allEvents()).slice(-count).map(({ event }) => event.payload.case);

  test('reserves nothing: a payment that needs its money is posted after the expiry', async () => {
    const { clock, start } = withClock();
    const service = await start();
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    await service.send(authorization(600n, clock.time + 2_000_000n));
    clock.time += 1_999_000n;
    const early = await service.send(payment('main', 'alice', 'bob', 1_000n));
    expect(early.transaction?.status).toBe(TransactionStatus.DECLINED);
    clock.time += 1_000n;
    const answer = await service.send(payment('main', 'alice', 'bob', 1_000n));
    expect(answer.transaction?.status).toBe(TransactionStatus.POSTED);
    expect(answer.accounts[0]?.balance).toMatchObject({ posted: 0n, held: 0n, available: 0n });
    expect(await kindsOfEvents(2)).toEqual(['paymentExpired', 'transactionPosted']);
  });

  test('is expired by the capture that comes too late, and answers HOLD_EXPIRED', async () => {
    const { clock, start } = withClock();
    const service = await start();
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    const { value } = authorization(600n, clock.time + 2_000_000n);
    await service.send({ case: 'authorizePayment', value });
    clock.time += 2_000_000n;
    const amount = { currency: 'EUR', minorUnits: 1n };
    const capture = { ledgerId: 'main', requestId: randomUUID(), paymentId: value.requestId, amount };
    for (const requestId of [randomUUID(), randomUUID()]) {
      await expect(
        service.send({ case: 'capturePayment', value: { ...capture, requestId } }),
      ).rejects.toMatchObject({ reason: ErrorReason.HOLD_EXPIRED });
    }
    expect(await kindsOfEvents(2)).toEqual(['paymentAuthorized', 'paymentExpired']);
  });

  test('is found in the state tables by a process that did not make it', async () => {
    const { clock, start } = withClock();
    const first = await start();
    await openLedger(first, 'main', ['alice', 'bob', 'carol'], 1_000n);
    for (const amount of [100n, 200n]) await first.send(authorization(amount, clock.time + 20_000_000n));
    await open.splice(0)[0]?.stop();
    const second = await start();
    expect(second.part.memory.tailSize).toBe(0);
    expect(second.part.memory.holds.size).toBe(2);
    clock.time += 20_000_000n;
    // Another account does not touch them; a batch that needs their money does, together with its first item.
    await second.send(payment('main', 'carol', 'bob', 1n));
    expect(second.part.memory.holds.size).toBe(2);
    const item = (minorUnits: bigint) => ({ command: payment('main', 'alice', 'bob', minorUnits) });
    const answer = await second.batch({ ledgerId: 'main', mode: 2, commands: [item(900n), item(100n)] });
    expect(answer.declined).toBe(false);
    expect(second.part.memory.holds.size).toBe(0);
    expect(await kindsOfEvents(4)).toEqual([
      'paymentExpired',
      'paymentExpired',
      'transactionPosted',
      'transactionPosted',
    ]);
  });

  test('is past the time that its last adjustment says, also for a process that did not make it', async () => {
    const { clock, start } = withClock();
    const first = await start();
    await openLedger(first, 'main', ['alice', 'bob'], 1_000n);
    const { value } = authorization(600n, clock.time + 2_000_000n);
    await first.send({ case: 'authorizePayment', value });
    const adjust = (process: CommandProcess, expireTime: bigint) =>
      process.send({
        case: 'adjustAuthorization',
        value: {
          ledgerId: 'main',
          requestId: randomUUID(),
          paymentId: value.requestId,
          expireTime: timestampOf(expireTime),
        },
      });
    const later = clock.time + 20_000_000n;
    await adjust(first, later);
    clock.time += 2_000_000n;
    const early = await first.send(payment('main', 'alice', 'bob', 1_000n));
    expect(early.transaction?.status).toBe(TransactionStatus.DECLINED);
    await open.splice(0)[0]?.stop();
    const second = await start();
    await adjust(second, later - 10_000_000n);
    clock.time = later - 10_000_000n;
    const answer = await second.send(payment('main', 'alice', 'bob', 1_000n));
    expect(answer.transaction?.status).toBe(TransactionStatus.POSTED);
    expect(await kindsOfEvents(3)).toEqual(['paymentAdjusted', 'paymentExpired', 'transactionPosted']);
  });

  test('counts in a dry run, which does not store what it foretells', async () => {
    const { clock, start } = withClock();
    const service = await start();
    await openLedger(service, 'main', ['alice', 'bob'], 1_000n);
    await service.send(authorization(600n, clock.time + 2_000_000n));
    clock.time += 2_000_000n;
    const command = payment('main', 'alice', 'bob', 1_000n);
    const dry = await service.send({ ...command, value: { ...command.value, validateOnly: true } });
    expect(dry.transaction?.status).toBe(TransactionStatus.POSTED);
    expect(await kindsOfEvents(1)).toEqual(['paymentExpired']);
  });
});

/** Reads the log as it grows. The function returned resolves with all positions seen once `end` is among them. */
function tail(log: ReturnType<typeof postgresLogReader>, signal: AbortSignal) {
  const positions: bigint[] = [];
  let last = -1n;
  return async (end: bigint) => {
    while (last < end && !signal.aborted) {
      const events = await log.page({
        after: last,
        through: null,
        limit: 100,
        ledgerId: null,
        streamId: null,
      });
      for (const { position } of events) {
        positions.push(position);
        last = position;
      }
    }
    return positions;
  };
}
