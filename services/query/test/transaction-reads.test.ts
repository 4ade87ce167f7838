import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { TransactionKind, TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  GetStatementRequestSchema,
  GetTransactionRequestSchema,
  ListEntriesRequestSchema,
  ListTransactionsRequestSchema,
  TimeBasis,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import type { CommandInit } from '../../../test/ledger-fixture.js';
import { getStatement } from '../rpc/get-statement.js';
import { getTransaction } from '../rpc/get-transaction.js';
import { listEntries } from '../rpc/list-entries.js';
import { listTransactions } from '../rpc/list-transactions.js';
import { callOf, deposit, failureOf, opened, openWorld, pay, type World } from './fixture.js';

let world: World;
/** UTC microseconds before everything. */
let long: bigint;

const DAY = 86_400_000_000n;

const list = (request: MessageInitShape<typeof ListTransactionsRequestSchema>) =>
  listTransactions(world.context)(
    create(ListTransactionsRequestSchema, { ledgerId: 'main', ...request }),
    callOf(),
  );
const entries = (request: MessageInitShape<typeof ListEntriesRequestSchema>) =>
  listEntries(world.context)(create(ListEntriesRequestSchema, { ledgerId: 'main', ...request }), callOf());
const statement = (request: MessageInitShape<typeof GetStatementRequestSchema>) =>
  getStatement(world.context)(
    create(GetStatementRequestSchema, { ledgerId: 'main', accountId: 'alice', ...request }),
    callOf(150),
  );

/** A deposit dated some days after `long`. */
function dated(accountId: string, minorUnits: bigint, days: bigint): CommandInit {
  const amount = { currency: 'EUR', minorUnits };
  const effectiveTime = timestampOf(long + days * DAY);
  return {
    case: 'deposit',
    value: { ledgerId: 'main', accountId, amount, effectiveTime, requestId: world.id() },
  };
}

beforeAll(async () => {
  world = await openWorld();
  long = world.fixture.now - 100n * DAY;
  await world.settle(...opened(world, 'main', 'alice', 'bob'), ...opened(world, 'other', 'alice'));
  await world.settle(deposit(world, 'alice', 1_000n), pay(world, 'alice', 'bob', 10n));
  await world.settle(pay(world, 'alice', 'bob', 20n), pay(world, 'bob', 'alice', 5n));
});

afterAll(() => world.close());

describe('transactions', () => {
  test('GetTransaction answers the transaction, and tells what is unknown', async () => {
    const [event] = await world.settle(pay(world, 'alice', 'bob', 30n));
    const transactionId = Buffer.from(event?.event.requestId ?? []).toString('hex');
    const dashed = transactionId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    const get = (ledgerId: string, id: string) =>
      getTransaction(world.context)(
        create(GetTransactionRequestSchema, { ledgerId, transactionId: id }),
        callOf(),
      );
    const { transaction } = await get('main', dashed);
    expect(transaction).toMatchObject({
      kind: TransactionKind.PAYMENT,
      status: TransactionStatus.POSTED,
      amount: { minorUnits: 30n, exponent: 2 },
      position: event?.position,
    });
    expect(await failureOf(get('other', dashed))).toMatchObject({
      reason: ErrorReason.TRANSACTION_NOT_FOUND,
      details: { resource: { type: 'transaction', name: dashed } },
    });
    expect((await failureOf(get('nowhere', dashed))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
  });

  test('the pages of a list, either way round, hold each transaction once while others are made', async () => {
    for (const descending of [false, true]) {
      const all = (await list({ descending, pageSize: 1000 })).transactions?.map(({ position }) => position);
      const seen: (bigint | undefined)[] = [];
      let pageToken = '';
      do {
        const answer = await list({ descending, pageSize: 2, pageToken });
        seen.push(...(answer.transactions ?? []).map(({ position }) => position));
        pageToken = answer.nextPageToken ?? '';
        await world.settle(pay(world, 'alice', 'bob', 1n));
      } while (pageToken !== '');
      expect(seen).toEqual(all);
    }
  });

  test('filters are joined by AND; a token of one filter is no token of another', async () => {
    const payments = await list({ accountId: 'bob', kinds: [TransactionKind.PAYMENT], pageSize: 1 });
    expect(payments.transactions).toHaveLength(1);
    const pageToken = payments.nextPageToken ?? '';
    const other = list({ accountId: 'alice', kinds: [TransactionKind.PAYMENT], pageSize: 1, pageToken });
    expect((await failureOf(other)).reason).toBe(ErrorReason.INVALID_PAGE_TOKEN);
    const entryList = entries({ accountId: 'bob', kinds: [TransactionKind.PAYMENT], pageToken });
    expect((await failureOf(entryList)).reason).toBe(ErrorReason.INVALID_PAGE_TOKEN);
    expect((await list({ kinds: [TransactionKind.REVERSAL] })).transactions).toEqual([]);
    expect((await failureOf(list({ ledgerId: 'nowhere' }))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
  });

  test('ranges that are empty or finer than a microsecond are refused by their field', async () => {
    const at = timestampOf(long);
    const fine = { seconds: 5n, nanos: 10 };
    const refused: [string, ReturnType<typeof list>][] = [
      ['end_recorded_time', list({ startRecordedTime: at, endRecordedTime: at })],
      ['end_effective_time', list({ startEffectiveTime: at, endEffectiveTime: timestampOf(long - 1n) })],
      ['start_recorded_time', list({ startRecordedTime: fine })],
      ['end_effective_time', list({ endEffectiveTime: fine })],
    ];
    for (const [field, work] of refused) {
      expect(await failureOf(work)).toMatchObject({
        reason: ErrorReason.INVALID_FIELD,
        details: { fields: [{ field }] },
      });
    }
    const ofEntries = entries({ startEffectiveTime: at, endEffectiveTime: at });
    expect((await failureOf(ofEntries)).details.fields?.[0]?.field).toBe('end_effective_time');
    const ofStatement = statement({ startTime: at, endTime: at });
    expect((await failureOf(ofStatement)).details.fields?.[0]?.field).toBe('end_time');
  });
});

describe('entries', () => {
  test('come in order of position and index, with running balance, a page ending inside a transaction', async () => {
    const all = await entries({ pageSize: 1000 });
    const keys = (all.entries ?? []).map(({ position, entry }) => [position, entry?.index]);
    const seen: unknown[] = [];
    let pageToken = '';
    do {
      const answer = await entries({ pageSize: 3, pageToken });
      seen.push(...(answer.entries ?? []).map(({ position, entry }) => [position, entry?.index]));
      pageToken = answer.nextPageToken ?? '';
      await world.settle(pay(world, 'alice', 'bob', 1n));
    } while (pageToken !== '');
    expect(seen).toEqual(keys);
    const [first] = (await entries({ accountId: 'alice' })).entries ?? [];
    expect(first).toMatchObject({
      kind: TransactionKind.DEPOSIT,
      entry: { postedAfter: 1_000n, amount: { minorUnits: 1_000n, exponent: 2 } },
    });
  });
});

describe('GetStatement', () => {
  test('runs from opening to closing balance in order of effective time', async () => {
    await world.settle(dated('bob', 3n, 3n), dated('bob', 1n, 1n), dated('bob', 2n, 2n));
    const range = { startTime: timestampOf(long + 2n * DAY), endTime: timestampOf(long + 4n * DAY) };
    const answer = await statement({ accountId: 'bob', ...range });
    expect(answer.openingBalance).toMatchObject({ currency: 'EUR', minorUnits: 1n, exponent: 2 });
    expect(answer.lines?.map(({ balance }) => balance)).toEqual([3n, 6n]);
    expect(answer.lines?.map((line) => line.entry?.effectiveTime)).toEqual([
      timestampOf(long + 2n * DAY),
      timestampOf(long + 3n * DAY),
    ]);
    expect(answer.closingBalance).toMatchObject({ minorUnits: 6n });
    expect(answer.asOf?.final).toBe(false);
  });

  test('its pages are pinned: what is backdated meanwhile is in a new statement only', async () => {
    const whole = await statement({ pageSize: 1000 });
    const lines: unknown[] = [];
    let pageToken = '';
    do {
      const answer = await statement({ pageSize: 2, pageToken });
      expect(answer.asOf?.position).toBe(whole.asOf?.position);
      expect(answer.openingBalance).toEqual(whole.openingBalance);
      expect(answer.closingBalance).toEqual(whole.closingBalance);
      lines.push(...(answer.lines ?? []));
      pageToken = answer.nextPageToken ?? '';
      await world.settle(dated('alice', 9n, 1n));
    } while (pageToken !== '');
    expect(lines).toEqual(whole.lines);
    expect((await statement({ pageSize: 1000 })).lines?.length).toBeGreaterThan(lines.length);
  });

  test('an earlier answer is reproduced by its position', async () => {
    const earlier = await statement({});
    await world.settle(dated('alice', 4n, 2n));
    const position = earlier.asOf?.position ?? 0n;
    const again = await statement({ position });
    expect({ ...again, asOf: undefined }).toEqual({ ...earlier, asOf: undefined });
    expect(again.asOf).toMatchObject({ position, time: earlier.asOf?.time });
  });

  test('a position that the view lacks is waited for, beyond the log refused; before the account there is none', async () => {
    const [event] = world.run(deposit(world, 'alice', 1n));
    const position = event?.position ?? 0n;
    const beyond = await failureOf(statement({ position: position + 1n }));
    expect(beyond.reason).toBe(ErrorReason.POSITION_OUT_OF_RANGE);
    const waiting = statement({ position });
    await world.apply();
    expect((await waiting).asOf?.position).toBe(position);
    expect((await failureOf(statement({ position: 1n }))).reason).toBe(ErrorReason.ACCOUNT_NOT_FOUND);
    expect((await failureOf(statement({ ledgerId: 'nowhere' }))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
  });

  test('by recorded time it is final once the range has ended before as_of.time', async () => {
    const timeBasis = TimeBasis.RECORDED_TIME;
    const [event] = await world.settle(deposit(world, 'alice', 2n));
    const endTime = timestampOf((event?.event.recordedTimeMicros ?? 0n) + 1n);
    expect((await statement({ timeBasis, endTime })).asOf?.final).toBe(false);
    await world.settle(deposit(world, 'alice', 3n));
    const answer = await statement({ timeBasis, endTime, pageSize: 1000 });
    expect(answer.asOf?.final).toBe(true);
    expect(answer.lines?.at(-1)?.entry?.position).toBe(event?.position);
    expect(answer.lines?.at(-1)?.balance).toBe(answer.closingBalance?.minorUnits);
  });
});
