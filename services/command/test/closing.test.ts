/** Closes while the ledger is busy: each states exactly what the log before it comes to, wherever the state tables are. */
import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ClosePeriodRequestSchema } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { SECOND, systemClock, timestampOf } from '../../../lib/base/time.js';
import { createPool, KEYED_PLANS } from '../../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../../lib/log/postgres-log-reader.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import { Wakeups } from '../../../lib/log/wakeups.js';
import { fail } from '../../../lib/rpc/errors.js';
import { aCall, CommandProcess, openLedger, payment } from '../../../test/command-process.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { madeBy } from '../../verifier/fold/made-by.js';
import { PeriodFold } from '../../verifier/fold/periods.js';
import { closePeriod } from '../rpc/close-period.js';

let database: TestDatabase;
let process: CommandProcess;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await process.stop();
  await database.drop();
});

async function logOf(): Promise<readonly RecordedEvent[]> {
  const pool = createPool(database.config, { max: 1, name: 'test', options: KEYED_PLANS });
  try {
    const reader = postgresLogReader(pool, new Wakeups());
    const page = { after: -1n, through: null, limit: 100_000, ledgerId: null, streamId: null };
    return await reader.page(page);
  } finally {
    await pool.end();
  }
}

/** What a fold of the whole log finds wrong with the periods of a ledger. */
async function findings(ledgerId: string): Promise<string[]> {
  const log = (await logOf()).filter(({ event }) => event.ledgerId === ledgerId);
  const ends = log.flatMap(({ event: { payload } }) =>
    payload.case === 'periodClosed' ? [payload.value.closedThroughMicros] : [],
  );
  const fold = new PeriodFold(ends);
  const found: string[] = [];
  for (const { position, event } of log) {
    const complain = (entity: string, expected: string, actual: string) => {
      found.push(`${String(position)} ${entity}: ${expected}, not ${actual}`);
    };
    const made = madeBy({ position, event });
    if (made !== undefined) fold.made(made, complain);
    fold.apply(event, complain);
  }
  return found;
}

function close(ledgerId: string, through: bigint, call = aCall(), requestId = randomUUID()) {
  const closedThrough = timestampOf(through);
  const request = create(ClosePeriodRequestSchema, { ledgerId, requestId, closedThrough });
  return closePeriod(process.part.context)(request, call);
}

const paid = (ledgerId: string, effectiveTime: bigint) => {
  const { value } = payment(ledgerId, 'alice', 'bob', 1n);
  return { case: 'submitPayment' as const, value: { ...value, effectiveTime: timestampOf(effectiveTime) } };
};

describe.each([
  ['are written all the time', 1],
  ['are never written', 600_000],
])('while the state tables %s', (_, stateInterval_ms) => {
  test('closes under load are exact, and later ones of another ledger are not mixed up with them', async () => {
    process = await CommandProcess.start(database, { stateInterval_ms });
    const ledgers = ['one', 'two'];
    for (const ledgerId of ledgers) await openLedger(process, ledgerId, ['alice', 'bob'], 100_000n);
    let isOver = false;
    const paying = ledgers.flatMap((ledgerId) =>
      Array.from({ length: 6 }, async (_each, caller) => {
        for (let turn = 0; !isOver; turn += 1) {
          // Some of these are dated where it is closed by then.
          const back = turn % 3 === 0 ? 0n : BigInt((turn + caller) % 7) * 2_000n;
          await process.send(paid(ledgerId, systemClock() - back - 1_000n)).catch((error: unknown) => {
            expect(error).toMatchObject({ reason: ErrorReason.PERIOD_CLOSED });
          });
        }
      }),
    );
    let lastPosition = 0n;
    for (let round = 0; round < 15; round += 1) {
      const through = systemClock() - 5_000n;
      const answers = await Promise.all(ledgers.map((ledgerId) => close(ledgerId, through)));
      for (const { position } of answers) {
        expect(position).toBeGreaterThan(lastPosition);
      }
      lastPosition = answers.map(({ position }) => position ?? 0n).reduce((a, b) => (a < b ? a : b));
    }
    isOver = true;
    await Promise.all(paying);
    for (const ledgerId of ledgers) expect(await findings(ledgerId)).toEqual([]);
  }, 120_000);
});

test('a caller who leaves finds the trial balance when it comes back, and a preview closes nothing', async () => {
  process = await CommandProcess.start(database);
  await openLedger(process, 'main', ['alice', 'bob'], 500n);
  const through = systemClock() - SECOND;
  const reason = fail(ErrorReason.CANCELLED, 'the caller has left');
  const gone = aCall({
    onAbort: (listener) => {
      listener(reason);
      return () => undefined;
    },
  });
  await expect(close('main', through, gone)).rejects.toBe(reason);
  const requestId = randomUUID();
  const first = await close('main', through, aCall(), requestId);
  expect(first.period?.totals).toEqual([]);
  const again = await close('main', through, aCall(), requestId);
  expect(again).toMatchObject({ position: first.position, replayed: true });
  await expect(close('main', through)).rejects.toMatchObject({ reason: ErrorReason.PERIOD_ALREADY_CLOSED });
});

test('what is closed outlives the process, from the log and from the state tables', async () => {
  process = await CommandProcess.start(database, { stateInterval_ms: 600_000 });
  await openLedger(process, 'main', ['alice', 'bob'], 500n);
  const through = systemClock() - SECOND;
  await close('main', through);
  for (const stateInterval_ms of [600_000, 1]) {
    await process.stop();
    process = await CommandProcess.start(database, { stateInterval_ms });
    await expect(process.send(paid('main', through))).rejects.toMatchObject({
      reason: ErrorReason.PERIOD_CLOSED,
    });
    await process.send(paid('main', through + 1n));
  }
  expect(await findings('main')).toEqual([]);
});
