/** Watches that break off and go on, and a log that holds an event of a newer version. */
import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type pg from 'pg';
import { Health, HealthCheckResponse_ServingStatus } from '../../../gen/grpc/health/v1/health_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { EventSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import { ProjectionService, ProjectionState } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { newEventOf } from '../../../lib/log/append.js';
import { appendEvents } from '../../../lib/log/postgres-append.js';
import { createPool } from '../../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../../lib/log/postgres-log-reader.js';
import { Wakeups } from '../../../lib/log/wakeups.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import {
  depositTo,
  openBooks,
  patientClient,
  paymentOf,
  until,
  untilEveryViewHas,
  vainEndingOf,
} from '../../../test/load.js';
import { startPlatform, type TestPlatform } from './platform.js';

const { deposit, submitPayment } = TransactionCommandService.method;
const { getBalance } = AccountQueryService.method;
const LEDGER = 'watch';
const FRESH = { consistency: { requirement: { case: 'fullyConsistent' as const, value: true } } };

let platform: TestPlatform;
let client: GrpcClient;

beforeAll(async () => {
  platform = await startPlatform();
  client = patientClient(platform.grpcAddress);
  await openBooks(client, LEDGER, 4);
  await untilEveryViewHas(client, LEDGER);
});

afterAll(async () => {
  client.close();
  await platform.stop();
});

/** One message of a watch, whichever it is. */
interface Seen {
  readonly position: bigint;
  readonly resumeToken: string;
}

type Watch = (resumeToken: string, signal: AbortSignal) => AsyncIterable<Seen>;

const doors = ['grpc', 'connect'] as const;

async function* eventsOver(
  door: (typeof doors)[number],
  resumeToken: string,
  signal: AbortSignal,
): AsyncGenerator<Seen> {
  const start = resumeToken === '' ? {} : { start: { case: 'resumeToken' as const, value: resumeToken } };
  const watch = platform[door](EventQueryService).watchEvents({ ledgerId: LEDGER, ...start }, { signal });
  for await (const message of watch) {
    yield { position: message.event?.event?.position ?? 0n, resumeToken: message.resumeToken };
  }
}

async function* transactionsOver(
  door: (typeof doors)[number],
  resumeToken: string,
  signal: AbortSignal,
): AsyncGenerator<Seen> {
  const watch = platform[door](TransactionQueryService).watchTransactions(
    { ledgerId: LEDGER, resumeToken },
    { signal },
  );
  for await (const { position, resumeToken: next } of watch) yield { position, resumeToken: next };
}

/**
 * Watches from the first message on, breaking off after ever other numbers of messages, until it has seen what `last`
 * resolves with. That may be known only after the message was seen, and then no other follows.
 */
async function watchWithBreaks(watch: Watch, onReady: () => void, last: Promise<bigint>): Promise<bigint[]> {
  const positions: bigint[] = [];
  let resumeToken = '';
  let end: bigint | undefined;
  let leave = new AbortController();
  const complete = () => end !== undefined && (positions.at(-1) ?? 0n) >= end;
  void last.then((position) => {
    end = position;
    if (complete()) leave.abort();
  });
  for (let round = 0; !complete(); round += 1) {
    leave = new AbortController();
    let left = 1 + ((round * 7) % 13);
    try {
      for await (const message of watch(resumeToken, leave.signal)) {
        ({ resumeToken } = message);
        onReady();
        if (message.position > 0n) positions.push(message.position);
        left -= 1;
        if (left === 0 || complete()) break;
      }
    } catch (error) {
      if (!complete()) throw error;
    } finally {
      leave.abort();
    }
  }
  return positions;
}

describe('under load', () => {
  test('watches that break off and go on by their tokens lose nothing and double nothing', async () => {
    let tellLast = (_position: bigint): void => undefined;
    const last = new Promise<bigint>((resolve) => (tellLast = resolve));
    // A watch starts at what the view has now: all that was before is to be in it.
    await untilEveryViewHas(client, LEDGER);
    const ready: Promise<void>[] = [];
    const watched = doors.flatMap((door) =>
      [eventsOver, transactionsOver].map((over) => {
        let onReady = (): void => undefined;
        ready.push(new Promise((resolve) => (onReady = resolve)));
        const watch: Watch = (token, signal) => over(door, token, signal);
        return watchWithBreaks(
          watch,
          () => {
            onReady();
          },
          last,
        );
      }),
    );
    await Promise.all(ready);
    const made = await Promise.all(
      Array.from({ length: 8 }, async (_, caller) => {
        const positions: bigint[] = [];
        for (let round = 0; round < 40; round += 1) {
          const payment = paymentOf(LEDGER, `a${String(caller % 4)}`, `a${String((caller + 1) % 4)}`);
          positions.push((await client.unary(submitPayment, payment)).position);
        }
        return positions;
      }),
    );
    const { position } = await client.unary(deposit, depositTo(LEDGER, 'a0', randomUUID()));
    tellLast(position);
    const expected = [...made.flat(), position].sort((a, b) => (a < b ? -1 : 1));
    for (const positions of await Promise.all(watched)) expect(positions).toEqual(expected);
  }, 120_000);

  test('a watch of balances ends at the latest state, and never goes back', async () => {
    const leave = new AbortController();
    const accountIds = ['a0', 'a1', 'a2', 'a3'];
    const versions = new Map<string, bigint>();
    const latest = new Map<string, bigint>();
    const watching = (async () => {
      const watch = platform
        .connect(AccountQueryService)
        .watchBalances({ ledgerId: LEDGER, accountIds }, { signal: leave.signal });
      for await (const { balances } of watch) {
        for (const { accountId, version, posted } of balances) {
          expect(version).toBeGreaterThan(versions.get(accountId) ?? 0n);
          versions.set(accountId, version);
          latest.set(accountId, posted);
        }
      }
    })().catch((error: unknown) => {
      if (!leave.signal.aborted) throw error;
    });
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        client.unary(
          submitPayment,
          paymentOf(LEDGER, `a${String(index % 4)}`, `a${String((index + 1) % 4)}`),
        ),
      ),
    );
    const end = await Promise.all(
      accountIds.map((accountId) => client.unary(getBalance, { ledgerId: LEDGER, accountId, ...FRESH })),
    );
    const isThere = () =>
      end.every(({ balance }) => latest.get(balance?.accountId ?? '') === balance?.posted);
    await until('the watch has the latest', isThere);
    leave.abort();
    await watching;
  });
});

/** Appends an event of a kind that this program does not know, as a newer one would. Gives its position. */
async function appendUnknown(database: pg.PoolConfig): Promise<bigint> {
  const pool = createPool(database, { max: 1, name: 'test' });
  try {
    const end = await postgresLogReader(pool, new Wakeups()).head();
    const position = end.position + 1n;
    const recordedTimeMicros = end.recordedTime + 1n;
    const known = create(EventSchema, {
      position,
      ledgerId: LEDGER,
      recordedTimeMicros,
      previousHash: end.hash,
      actor: 'newer',
      stream: { case: 'entityStreamId', value: 'a0' },
    });
    // Field 99, a message: a kind of event of the next version.
    const bytes = Buffer.concat([toBinary(EventSchema, known), Buffer.from([0x9a, 0x06, 0x02, 0x08, 0x01])]);
    const event = fromBinary(EventSchema, bytes);
    const hash = createHash('sha256').update(bytes).digest();
    const result = await appendEvents(pool, end.position, end.hash, [
      newEventOf({ position, event, bytes, hash }),
    ]);
    expect(result.outcome).toBe('appended');
    return position;
  } finally {
    await pool.end();
  }
}

test('an event of a newer version stops projections and commands, and health says so; reads go on', async () => {
  const broken = await startPlatform();
  const calls = patientClient(broken.grpcAddress);
  try {
    await openBooks(calls, LEDGER, 2);
    const list = async () => (await calls.unary(ProjectionService.method.listProjections, {})).projections;
    const position = await appendUnknown(broken.database.config);
    await until('all projections stopped', async () =>
      (await list()).every(({ state }) => state === ProjectionState.FAILED),
    );
    for (const projection of await list()) {
      // Where there are several partitions, it is that of the one that is least far.
      expect(projection.position).toBeLessThan(position);
      expect(projection).toMatchObject({ headPosition: position, lagEvents: position - projection.position });
      expect(projection.failure).toContain(String(position));
    }
    const servingOf = async (service: string) => {
      const asked = patientClient(broken.healthAddress(service));
      const { status } = await asked.unary(Health.method.check, { service }).finally(() => {
        asked.close();
      });
      return status === HealthCheckResponse_ServingStatus.SERVING;
    };
    for (const view of ['balances', 'history', 'reports']) {
      expect([view, await servingOf(`quittance.projection.${view}`)]).toEqual([view, false]);
    }
    const { balance } = await calls.unary(getBalance, { ledgerId: LEDGER, accountId: 'a0' });
    expect(balance?.posted).toBe(1_000_000n);
    const fresh = { ledgerId: LEDGER, accountId: 'a0', ...FRESH };
    expect(await vainEndingOf(broken.connectUrl, getBalance, fresh)).toBe('READ_MODEL_BEHIND');

    // The first command meets the event: nothing is known of what it means. It was not stored.
    const deposited = () => vainEndingOf(broken.connectUrl, deposit, depositTo(LEDGER, 'a0', randomUUID()));
    expect(['OUTCOME_UNKNOWN', 'NOT_SERVING']).toContain(await deposited());
    // Where the lease has no holder, a command waits for one until just before its deadline.
    expect(await deposited()).toBe('NOT_SERVING');
    await until('health says so', async () => !(await servingOf(TransactionCommandService.typeName)));
    expect(await servingOf('')).toBe(false);
    expect((await list())[0]?.headPosition).toBe(position);
    // A resume tries the event again, and meets it again.
    await calls.unary(ProjectionService.method.resumeProjection, { projectionId: 'balances' });
    await until('it stopped again', async () =>
      (await list()).every(({ state }) => state === ProjectionState.FAILED),
    );
  } finally {
    calls.close();
    await broken.stop();
  }
});
