/** Too much at once: every command is answered, and what its caller was told is what the log has. */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import {
  type DepositResponse,
  StreamCommandsRequestSchema,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { CallError, fail } from '../../../lib/rpc/errors.js';
import { createTestDatabase } from '../../../test/postgres.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { aCall, CommandProcess, openLedger } from '../../../test/command-process.js';
import {
  depositTo,
  endingOf,
  openBooks,
  patientClient,
  paymentOf,
  proveBooks,
  timesInLog,
  until,
} from '../../../test/load.js';
import { startPlatform, type TestPlatform } from './platform.js';
import { type RawClient, rawClient, WIRES } from './raw-client.js';

const { deposit, submitPayment, streamCommands } = TransactionCommandService.method;
const LEDGER = 'overload';

let platform: TestPlatform;
let client: GrpcClient;
let raw: RawClient;
let accounts: string[];

beforeAll(async () => {
  platform = await startPlatform();
  client = patientClient(platform.grpcAddress);
  raw = rawClient(platform.grpcAddress, platform.connectUrl);
  accounts = await openBooks(client, LEDGER, 50);
});

afterAll(async () => {
  client.close();
  raw.close();
  await platform.stop();
});

function timesOf(requestIds: readonly string[]): Promise<number[]> {
  return timesInLog(platform.database.config, LEDGER, requestIds);
}

const accountOf = (index: number): string => accounts[index % accounts.length] ?? 'a0';

async function callsInFlight(): Promise<number> {
  const text = await (await fetch(`${platform.connectUrl}/metrics`)).text();
  const values = [...text.matchAll(/^quittance_calls_in_flight\{[^}]*\} (\d+)$/gm)].map(([, value]) =>
    Number(value),
  );
  return values.reduce((sum, value) => sum + value, 0);
}

test('10,000 commands at once are each answered, and those that were not refused are in the log once', async () => {
  const ids = Array.from({ length: 10_000 }, () => randomUUID());
  const endings = await Promise.all(
    ids.map((id, index) => endingOf(client.unary(deposit, depositTo(LEDGER, accountOf(index), id), 240_000))),
  );
  expect(endings.filter((ending) => ending !== 'OK' && ending !== 'QUEUE_FULL')).toEqual([]);
  expect(await timesOf(ids)).toEqual(endings.map((ending) => (ending === 'OK' ? 1 : 0)));
}, 120_000);

test('the same command 100 times at once over both doors is decided once, and answered alike', async () => {
  const requestId = randomUUID();
  const [backends, browsers] = [
    platform.grpc(TransactionCommandService),
    platform.connect(TransactionCommandService),
  ];
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      (index % 2 === 0 ? backends : browsers).deposit(depositTo(LEDGER, 'a0', requestId)),
    ),
  );
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  const told = (answer: DepositResponse | undefined) => ({ ...answer, replayed: false });
  for (const answer of answers) expect(told(answer)).toEqual(told(answers[0]));
  expect(await timesOf([requestId])).toEqual([1]);
});

test('100 different commands at once under one request id: one is decided, the others are refused', async () => {
  const requestId = randomUUID();
  const endings = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      endingOf(client.unary(deposit, depositTo(LEDGER, accountOf(index), requestId, BigInt(1 + index)))),
    ),
  );
  expect(endings.filter((ending) => ending === 'OK')).toHaveLength(1);
  expect(endings.filter((ending) => ending === 'REQUEST_ID_REUSED')).toHaveLength(99);
  expect(await timesOf([requestId])).toEqual([1]);
});

describe('callers who leave', () => {
  test('a call that was cancelled is in the log at most once, and a retry tells which', async () => {
    const ids = Array.from({ length: 200 }, () => randomUUID());
    const door = platform.grpc(TransactionCommandService);
    await Promise.all(
      ids.map(async (id, index) => {
        const leave = new AbortController();
        const call = door.deposit(depositTo(LEDGER, accountOf(index), id), { signal: leave.signal });
        setTimeout(() => {
          leave.abort();
        }, index % 20);
        await call.catch(() => undefined);
      }),
    );
    await until('no call is open', async () => (await callsInFlight()) === 0);
    const before = await timesOf(ids);
    const again = await Promise.all(
      ids.map((id, index) => client.unary(deposit, depositTo(LEDGER, accountOf(index), id))),
    );
    expect(again.map(({ replayed }) => (replayed ? 1 : 0))).toEqual(before);
    expect(await timesOf(ids)).toEqual(ids.map(() => 1));
  });

  test('a stream that is cancelled in mid-flight leaves whole commands or none', async () => {
    const ids = Array.from({ length: 2_000 }, () => randomUUID());
    const call = client.duplex(streamCommands);
    let answered = 0;
    const ended = new Promise<void>((resolve) => {
      call.on('data', () => {
        answered += 1;
        if (answered === 100) call.cancel();
      });
      call.on('error', () => {
        resolve();
      });
    });
    for (const [index, id] of ids.entries()) {
      const value = depositTo(LEDGER, accountOf(index), id);
      call.write(create(StreamCommandsRequestSchema, { command: { command: { case: 'deposit', value } } }));
    }
    await ended;
    await until('no call is open', async () => (await callsInFlight()) === 0);
    const times = await timesOf(ids);
    expect(times.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => 1));
    // Decided in order: what is in the log is a beginning of the stream.
    expect(times.join('')).toMatch(/^1+0*$/);
  });

  test('a command whose deadline passes under load is answered, or told truly what became of it', async () => {
    let isOver = false;
    const load = Array.from({ length: 64 }, async (_, index) => {
      while (!isOver)
        await client.unary(submitPayment, paymentOf(LEDGER, accountOf(index), accountOf(index + 1)));
    });
    const told = new Map<string, string>();
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        WIRES.flatMap((wire) =>
          [1, 2, 5, 10].map(async (timeout_ms) => {
            const requestId = randomUUID();
            const amount = { currency: 'EUR', minorUnits: '1' };
            const json = { ledgerId: LEDGER, requestId, accountId: 'a1', amount };
            const { code, reasons } = await raw.json(wire, deposit, json, { timeout_ms });
            told.set(requestId, code === 0 ? 'OK' : `${wire} ${String(code)} ${reasons.join()}`);
          }),
        ),
      );
    }
    isOver = true;
    await Promise.all(load);
    await until('no call is open', async () => (await callsInFlight()) === 0);
    const times = await timesOf([...told.keys()]);
    const wrong = [...told.values()].filter((ending, index) => {
      if (ending === 'OK') return times[index] !== 1;
      if (ending.endsWith('14 quittance/OUTCOME_UNKNOWN')) return false;
      if (ending.endsWith('4 quittance/DEADLINE_EXCEEDED')) return times[index] !== 0;
      // grpc-js ends a call at its deadline by itself, and says nothing of what became of it.
      return ending !== 'grpc 4 ';
    });
    expect(wrong).toEqual([]);
    expect([...told.values()].filter((ending) => ending !== 'OK').length).toBeGreaterThan(0);
  });

  // The executor forgets that it commits before it has answered: a race in carryOut().
  test('whoever leaves after his command was committed and before he was answered is not told that nothing changed', async () => {
    const database = await createTestDatabase();
    let lookedUp = (): void => undefined;
    let isSlow = false;
    let isLookingUp = false;
    const process = await CommandProcess.start(database, {
      wrapLog: (log) => ({
        ...log,
        requests: async (keys) => {
          if (isSlow) {
            isLookingUp = true;
            await new Promise<void>((resolve) => (lookedUp = resolve));
          }
          return await log.requests(keys);
        },
      }),
    });
    try {
      await openLedger(process, 'l', ['alice']);
      isSlow = true;
      const requestId = randomUUID();
      const { call, leave } = aLeavingCall();
      const committed = process.send({ case: 'deposit', value: depositTo('l', 'alice', requestId) }, call);
      // In the same flush, and refused: its id is looked up before that is answered, which takes as long as it takes.
      const refused = process.send({ case: 'deposit', value: depositTo('l', 'nobody', randomUUID()) });
      committed.catch(() => undefined);
      refused.catch(() => undefined);
      await until(
        'it is in the log',
        async () => (await timesInLog(database.config, 'l', [requestId]))[0] === 1,
      );
      await until('the other id is looked up', () => isLookingUp);
      leave(fail(ErrorReason.DEADLINE_EXCEEDED, 'the deadline has passed'));
      isSlow = false;
      lookedUp();
      const ending = await committed.then(
        () => 'OK',
        (error: unknown) => (error instanceof CallError ? ErrorReason[error.reason] : String(error)),
      );
      expect(['OK', 'OUTCOME_UNKNOWN']).toContain(ending);
      await expect(refused).rejects.toMatchObject({ reason: ErrorReason.ACCOUNT_NOT_FOUND });
    } finally {
      lookedUp();
      await process.stop();
      await database.drop();
    }
  });
});

function aLeavingCall() {
  const controller = new AbortController();
  const listeners: ((reason: CallError) => void)[] = [];
  let aborted: CallError | undefined;
  const call = aCall({
    signal: controller.signal,
    onAbort: (listener) => {
      listeners.push(listener);
      return () => undefined;
    },
  });
  const leave = (reason: CallError) => {
    aborted = reason;
    controller.abort(reason);
    for (const listener of listeners) listener(reason);
  };
  return { call: Object.defineProperty({ ...call }, 'aborted', { get: () => aborted }), leave };
}

describe('watches', () => {
  test('200 at once each see everything, in order; a reader that does not read holds up nobody', async () => {
    const payments = 15;
    const stop = new AbortController();
    const { signal } = stop;
    // Each of the clients listens to it.
    setMaxListeners(0, signal);
    const asleep = new Client(platform.grpcAddress, credentials.createInsecure());
    const bytes = (value: Buffer): Buffer => value;
    const request = toBinary(
      EventQueryService.method.watchEvents.input,
      create(EventQueryService.method.watchEvents.input, {
        ledgerId: LEDGER,
        start: { case: 'startPosition', value: 0n },
      }),
    );
    const path = `/${EventQueryService.typeName}/WatchEvents`;
    // Nobody listens to its data: it is paused from the first message on.
    const sleeping = asleep.makeServerStreamRequest(path, bytes, bytes, Buffer.from(request));
    sleeping.on('error', () => undefined);
    const ready: Promise<void>[] = [];
    const seen = Array.from({ length: 200 }, async (_, index) => {
      let isReady = (): void => undefined;
      ready.push(new Promise((resolve) => (isReady = resolve)));
      const positions: bigint[] = [];
      const messages =
        index % 2 === 0
          ? platform.grpc(EventQueryService).watchEvents({ ledgerId: LEDGER }, { signal })
          : platform.grpc(TransactionQueryService).watchTransactions({ ledgerId: LEDGER }, { signal });
      for await (const message of messages) {
        isReady();
        const position =
          'event' in message ? message.event?.event?.position : 'position' in message ? message.position : 0n;
        if (position !== undefined && position > 0n) positions.push(position);
        if (positions.length === payments) return positions;
      }
      throw new Error('the watch ended');
    });
    await Promise.all(ready);
    const made = await Promise.all(
      Array.from({ length: payments }, (_, index) =>
        client.unary(submitPayment, paymentOf(LEDGER, accountOf(index), accountOf(index + 7))),
      ),
    );
    const positions = made.map(({ position }) => position).sort((a, b) => (a < b ? -1 : 1));
    for (const each of await Promise.all(seen)) expect(each).toEqual(positions);
    stop.abort();
    sleeping.cancel();
    asleep.close();
    await until('no call is open', async () => (await callsInFlight()) === 0);
  }, 120_000);

  test('a reader of balances that wakes up gets the latest state, not the way there', async () => {
    const stop = new AbortController();
    const watch = platform
      .grpc(AccountQueryService)
      .watchBalances({ ledgerId: LEDGER, accountIds: ['a2'] }, { signal: stop.signal })
      [Symbol.asyncIterator]();
    await watch.next();
    const last = await Promise.all(
      Array.from({ length: 500 }, () => client.unary(deposit, depositTo(LEDGER, 'a2', randomUUID()))),
    );
    const newest = last.reduce((most, { position }) => (position > most ? position : most), 0n);
    let messages = 0;
    for (;;) {
      const { value } = await watch.next();
      messages += 1;
      const [balance] = value?.balances ?? [];
      if (balance?.position === newest) break;
      expect(messages).toBeLessThan(500);
    }
    stop.abort();
  });
});

test('after all this the books are proved', async () => {
  await proveBooks(platform.grpcAddress, LEDGER);
}, 120_000);

describe('draining', () => {
  test('what was accepted is answered and in the log; what comes later is refused', async () => {
    const draining = await startPlatform();
    const early = patientClient(draining.grpcAddress);
    const [payer = '', payee = ''] = await openBooks(early, LEDGER, 2);
    const ids = Array.from({ length: 500 }, () => randomUUID());
    const endings = ids.map((id) =>
      endingOf(early.unary(submitPayment, paymentOf(LEDGER, payer, payee, id))),
    );
    const late = rawClient(draining.grpcAddress, draining.connectUrl);
    const balances = { ledgerId: LEDGER, accountId: payer };
    await late.json('connect json', AccountQueryService.method.getBalance, balances);
    const json = { ledgerId: LEDGER, accountId: payer, amount: { currency: 'EUR', minorUnits: '1' } };
    const drained = draining.standalone.drain();
    const refusedId = randomUUID();
    const refused = await late
      .json('connect json', deposit, { ...json, requestId: refusedId })
      .catch(() => ({ code: 14, reasons: ['quittance/NOT_SERVING'] }));
    expect(refused).toMatchObject({ code: 14, reasons: ['quittance/NOT_SERVING'] });
    const told = await Promise.all(endings);
    await drained;
    const times = await timesInLog(draining.database.config, LEDGER, [...ids, refusedId]);
    expect(times.pop()).toBe(0);
    expect(times).toEqual(told.map((ending) => (ending === 'OK' ? 1 : 0)));
    // What the door did not take any more was never sent, or was refused.
    expect(told.filter((ending) => !['OK', 'NOT_SERVING', 'code 14'].includes(ending))).toEqual([]);
    early.close();
    late.close();
    await draining.standalone.close();
    await draining.database.drop();
  });

  test('a stream of commands that is idle is ended, and does not hold up the drain', async () => {
    const draining = await startPlatform();
    const early = patientClient(draining.grpcAddress);
    await openBooks(early, LEDGER, 2);
    const call = early.duplex(streamCommands);
    const value = depositTo(LEDGER, 'a0', randomUUID());
    const answered = new Promise((resolve) => call.once('data', resolve));
    const ended = new Promise<never>((_, reject) => call.once('error', reject));
    ended.catch(() => undefined);
    call.write(create(StreamCommandsRequestSchema, { command: { command: { case: 'deposit', value } } }));
    await answered;
    const limit = new Promise((_, reject) => {
      setTimeout(reject, 20_000, new Error('the drain waits for a stream that nobody ends')).unref();
    });
    try {
      await Promise.race([draining.standalone.drain(), limit]);
      expect(await endingOf(ended)).toBe('NOT_SERVING');
    } finally {
      call.cancel();
      early.close();
      await draining.standalone.close();
      await draining.database.drop();
    }
  });
});
