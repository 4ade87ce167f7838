import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  BatchGetBalancesRequestSchema,
  GetAccountRequestSchema,
  GetBalanceRequestSchema,
  ListAccountsRequestSchema,
} from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import {
  GetLedgerRequestSchema,
  ListLedgersRequestSchema,
} from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import { batchGetBalances } from '../rpc/batch-get-balances.js';
import { getAccount } from '../rpc/get-account.js';
import { getBalance } from '../rpc/get-balance.js';
import { getLedger } from '../rpc/get-ledger.js';
import { listAccounts } from '../rpc/list-accounts.js';
import { listLedgers } from '../rpc/list-ledgers.js';
import { callOf, deposit, failureOf, opened, openWorld, pay, type World } from './fixture.js';

let world: World;

const balanceAt = (at: MessageInitShape<typeof GetBalanceRequestSchema>, left_ms?: number) =>
  getBalance(world.context)(
    create(GetBalanceRequestSchema, { ledgerId: 'main', accountId: 'alice', ...at }),
    callOf(left_ms),
  );

const page = (at: MessageInitShape<typeof ListAccountsRequestSchema>) =>
  listAccounts(world.context)(create(ListAccountsRequestSchema, { ledgerId: 'main', ...at }), callOf());

beforeAll(async () => {
  world = await openWorld();
  await world.settle(...opened(world, 'main', 'alice', 'bob'), ...opened(world, 'other', 'alice'));
});

afterAll(() => world.close());

describe('GetBalance now', () => {
  test('answers posted, held and available with currency exponent, as of the view', async () => {
    await world.settle(deposit(world, 'alice', 1_000n));
    const hold = { ledgerId: 'main', payerAccountId: 'alice', payeeAccountId: 'bob' };
    const amount = { currency: 'EUR', minorUnits: 300n };
    const [held] = await world.settle({
      case: 'authorizePayment',
      value: { ...hold, amount, requestId: world.id() },
    });
    const answer = await balanceAt({});
    expect(answer.balance).toMatchObject({ posted: 1_000n, held: 300n, available: 700n, exponent: 2 });
    expect(answer.balance?.position).toBe(held?.position);
    expect(answer.asOf).toMatchObject({ position: held?.position, final: false });
  });

  test('tells an unknown account from an unknown ledger', async () => {
    expect(await failureOf(balanceAt({ accountId: 'nobody' }))).toMatchObject({
      reason: ErrorReason.ACCOUNT_NOT_FOUND,
      details: { resource: { type: 'account', name: 'nobody' } },
    });
    expect(await failureOf(balanceAt({ ledgerId: 'nowhere' }))).toMatchObject({
      reason: ErrorReason.LEDGER_NOT_FOUND,
      details: { resource: { type: 'ledger', name: 'nowhere' } },
    });
  });

  test('a fully consistent read waits until the view has applied what was committed', async () => {
    const before = await balanceAt({});
    world.run(deposit(world, 'alice', 5n));
    const reading = balanceAt({ consistency: { requirement: { case: 'fullyConsistent', value: true } } });
    await world.apply();
    expect((await reading).balance?.posted).toBe((before.balance?.posted ?? 0n) + 5n);
  });

  test('a read with a token of a later answer fails READ_MODEL_BEHIND before its deadline while the view stands', async () => {
    const [event] = world.run(deposit(world, 'alice', 5n));
    const position = event?.position ?? 0n;
    const { asOf } = await balanceAt({});
    expect(asOf?.position).toBeLessThan(position);
    const waits = balanceAt({ at: { case: 'position', value: position } }, 150);
    const fully = balanceAt({ consistency: { requirement: { case: 'fullyConsistent', value: true } } }, 150);
    expect((await failureOf(waits)).reason).toBe(ErrorReason.READ_MODEL_BEHIND);
    expect((await failureOf(fully)).reason).toBe(ErrorReason.READ_MODEL_BEHIND);
    await world.apply();
    const token = (await balanceAt({})).asOf?.consistencyToken ?? '';
    const again = await balanceAt({ consistency: { requirement: { case: 'atLeastAsFresh', value: token } } });
    expect(again.asOf?.position).toBe(position);
  });
});

describe('GetBalance of the past', () => {
  test('by position is what was known there, and final', async () => {
    const before = (await balanceAt({})).balance?.posted ?? 0n;
    const [first] = await world.settle(deposit(world, 'alice', 10n));
    await world.settle(pay(world, 'alice', 'bob', 7n));
    const position = first?.position ?? 0n;
    const answer = await balanceAt({ at: { case: 'position', value: position } });
    expect(answer.balance).toMatchObject({ posted: before + 10n, held: 300n, exponent: 2, position });
    expect(answer.asOf?.final).toBe(true);
    const earlier = await balanceAt({ at: { case: 'position', value: position - 1n } });
    expect(earlier.balance?.posted).toBe(before);
  });

  test('a position that the view has not reached is waited for; beyond the log it is refused', async () => {
    const [event] = world.run(deposit(world, 'alice', 1n));
    const position = event?.position ?? 0n;
    const reading = balanceAt({ at: { case: 'position', value: position } });
    await world.apply();
    expect((await reading).balance?.position).toBe(position);
    const beyond = await failureOf(balanceAt({ at: { case: 'position', value: position + 1n } }));
    expect(beyond.reason).toBe(ErrorReason.POSITION_OUT_OF_RANGE);
  });

  test('before the account was opened there is none', async () => {
    expect((await failureOf(balanceAt({ at: { case: 'position', value: 1n } }))).reason).toBe(
      ErrorReason.ACCOUNT_NOT_FOUND,
    );
    const start = world.fixture.point(0n).recordedTime;
    for (const time of [start, start - 1n]) {
      const asked = balanceAt({ at: { case: 'recordedTime', value: timestampOf(time) } });
      expect((await failureOf(asked)).reason).toBe(ErrorReason.ACCOUNT_NOT_FOUND);
    }
  });

  test('by recorded time is inclusive to the microsecond, and final before as_of.time only', async () => {
    const before = (await balanceAt({})).balance?.posted ?? 0n;
    const [event] = await world.settle(deposit(world, 'alice', 10n));
    const time = event?.event.recordedTimeMicros ?? 0n;
    const at = (micros: bigint) => balanceAt({ at: { case: 'recordedTime', value: timestampOf(micros) } });
    const [earlier, then] = [await at(time - 1n), await at(time)];
    expect([earlier.balance?.posted, earlier.asOf?.final]).toEqual([before, true]);
    expect([then.balance?.posted, then.asOf?.final]).toEqual([before + 10n, false]);
    await world.settle(deposit(world, 'bob', 1n));
    expect((await at(time)).asOf?.final).toBe(true);
  });

  test('a recorded time after as_of waits for the head of the log; after now it is refused', async () => {
    const [event] = world.run(deposit(world, 'alice', 10n));
    const value = timestampOf(world.fixture.now);
    const reading = balanceAt({ at: { case: 'recordedTime', value } });
    await world.apply();
    expect((await reading).balance?.position).toBe(event?.position);
    expect((await reading).asOf?.final).toBe(false);
    const future = { case: 'recordedTime', value: timestampOf(world.fixture.now + 1n) } as const;
    expect(await failureOf(balanceAt({ at: future }))).toMatchObject({
      reason: ErrorReason.TIME_OUT_OF_RANGE,
      details: { fields: [{ field: 'recorded_time' }] },
    });
  });

  test('by effective time counts entries dated by then, posted only, and is never final', async () => {
    const day = 86_400_000_000n;
    const long = world.fixture.now - 10n * day;
    const amount = { currency: 'EUR', minorUnits: 77n };
    const backdated = { ledgerId: 'other', accountId: 'alice', amount, effectiveTime: timestampOf(long) };
    await world.settle({ case: 'deposit', value: { ...backdated, requestId: world.id() } });
    const at = (micros: bigint) =>
      balanceAt({ ledgerId: 'other', at: { case: 'effectiveTime', value: timestampOf(micros) } });
    const then = await at(long);
    expect(then.balance).toMatchObject({ posted: 77n, version: 0n, exponent: 2 });
    expect([then.balance?.held, then.balance?.available]).toEqual([undefined, undefined]);
    expect(then.asOf?.final).toBe(false);
    expect((await at(world.fixture.now)).balance?.posted).toBe(77n);
  });

  test('by effective time before its first dated entry is 0, and an account that does not exist is not found', async () => {
    const at = (accountId: string, ledgerId = 'main') =>
      balanceAt({ ledgerId, accountId, at: { case: 'effectiveTime', value: timestampOf(1_000_000n) } });
    const { balance, asOf } = await at('alice');
    expect(balance).toMatchObject({ accountId: 'alice', currency: 'EUR', posted: 0n, version: 0n });
    expect([balance?.held, balance?.available, asOf?.final]).toEqual([undefined, undefined, false]);
    expect((await failureOf(at('nobody'))).reason).toBe(ErrorReason.ACCOUNT_NOT_FOUND);
    expect((await failureOf(at('alice', 'nowhere'))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
    // What was known then is another question: the account was not opened yet.
    const known = balanceAt({ at: { case: 'recordedTime', value: timestampOf(1_000_000n) } });
    expect((await failureOf(known)).reason).toBe(ErrorReason.ACCOUNT_NOT_FOUND);
    const there = balanceAt({ at: { case: 'position', value: 0n } });
    expect((await failureOf(there)).reason).toBe(ErrorReason.ACCOUNT_NOT_FOUND);
  });

  test('a time finer than a microsecond, or no time at all, is refused by its field', async () => {
    for (const value of [
      { seconds: 1n, nanos: 1 },
      { seconds: 10n ** 15n, nanos: 0 },
    ]) {
      expect(await failureOf(balanceAt({ at: { case: 'recordedTime', value } }))).toMatchObject({
        reason: ErrorReason.INVALID_FIELD,
        details: { fields: [{ field: 'recorded_time' }] },
      });
      expect(await failureOf(balanceAt({ at: { case: 'effectiveTime', value } }))).toMatchObject({
        reason: ErrorReason.INVALID_FIELD,
        details: { fields: [{ field: 'effective_time' }] },
      });
    }
  });
});

describe('BatchGetBalances', () => {
  const batch = (ledgerId: string, accountIds: string[]) =>
    batchGetBalances(world.context)(
      create(BatchGetBalancesRequestSchema, { ledgerId, accountIds }),
      callOf(),
    );

  test('keeps the order asked for and names unknown accounts', async () => {
    const answer = await batch('main', ['x', 'bob', 'y', 'alice']);
    expect(answer.balances?.map(({ accountId }) => accountId)).toEqual(['bob', 'alice']);
    expect(answer.unknownAccountIds).toEqual(['x', 'y']);
  });

  test('an unknown ledger is an error', async () => {
    expect((await batch('main', ['x'])).unknownAccountIds).toEqual(['x']);
    expect((await failureOf(batch('nowhere', ['x']))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
  });
});

describe('accounts and ledgers', () => {
  test('GetAccount answers profile and balance, and tells what is unknown', async () => {
    const get = (ledgerId: string, accountId: string) =>
      getAccount(world.context)(create(GetAccountRequestSchema, { ledgerId, accountId }), callOf());
    const { account } = await get('main', 'alice');
    expect(account).toMatchObject({ accountId: 'alice', profileVersion: 1n, balance: { exponent: 2 } });
    expect((await failureOf(get('main', 'x'))).reason).toBe(ErrorReason.ACCOUNT_NOT_FOUND);
    expect((await failureOf(get('nowhere', 'x'))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
  });

  test('the pages of a list are as of the first one, whatever is applied meanwhile', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `page-${String(index)}`);
    await world.settle(
      ...names.map((accountId) => ({
        case: 'openAccount' as const,
        value: { ledgerId: 'main', accountId, currency: 'EUR', requestId: world.id() },
      })),
    );
    const filter = { accountIdPrefix: 'page-', pageSize: 3 };
    const seen: string[] = [];
    let answer = await page(filter);
    const pinned = { ...answer.asOf, final: false };
    for (let index = 0; ; index++) {
      seen.push(...(answer.accounts ?? []).map(({ accountId }) => accountId ?? ''));
      expect(answer.asOf).toEqual(pinned);
      const pageToken = answer.nextPageToken ?? '';
      if (pageToken === '') break;
      const accountId = `page-later-${String(index)}`;
      await world.settle({
        case: 'openAccount',
        value: { ledgerId: 'main', accountId, currency: 'EUR', requestId: world.id() },
      });
      answer = await page({ ...filter, pageToken });
    }
    expect(seen).toEqual(names);
  });

  test('a page token serves its own query only', async () => {
    const { nextPageToken } = await page({ pageSize: 1 });
    const pageToken = nextPageToken ?? '';
    expect((await page({ pageSize: 2, pageToken })).accounts).toHaveLength(2);
    const foreign = [
      page({ pageToken, ledgerId: 'other' }),
      page({ pageToken, currency: 'EUR' }),
      page({ pageToken: `${pageToken}x` }),
      listLedgers(world.context)(create(ListLedgersRequestSchema, { pageToken }), callOf()),
    ];
    for (const work of foreign) {
      expect((await failureOf(work)).reason).toBe(ErrorReason.INVALID_PAGE_TOKEN);
    }
  });

  test('a list is empty in a ledger, and an error in none', async () => {
    expect((await page({ accountIdPrefix: 'zzz' })).accounts).toEqual([]);
    expect((await failureOf(page({ ledgerId: 'nowhere' }))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
  });

  test('ledgers are read and listed in order of creation, in pages', async () => {
    const get = (ledgerId: string) =>
      getLedger(world.context)(create(GetLedgerRequestSchema, { ledgerId }), callOf());
    expect((await get('main')).ledger).toMatchObject({ ledgerId: 'main', position: 1n });
    expect((await failureOf(get('nowhere'))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
    const list = (pageToken: string) =>
      listLedgers(world.context)(create(ListLedgersRequestSchema, { pageSize: 1, pageToken }), callOf());
    const first = await list('');
    expect(first.ledgers?.map(({ ledgerId }) => ledgerId)).toEqual(['main']);
    const second = await list(first.nextPageToken ?? '');
    expect(second.ledgers?.map(({ ledgerId }) => ledgerId)).toEqual(['other']);
    expect(second.nextPageToken).toBe('');
  });
});
