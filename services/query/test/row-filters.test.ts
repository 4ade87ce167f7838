import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  DeclineReason,
  Direction,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import { ListAccountsRequestSchema } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import {
  ListEntriesRequestSchema,
  ListTransactionsRequestSchema,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { CommandInit } from '../../../test/ledger-fixture.js';
import { LOOKED_AT_MAX } from '../rpc/filtered-page.js';
import { listAccounts } from '../rpc/list-accounts.js';
import { listEntries } from '../rpc/list-entries.js';
import { listTransactions } from '../rpc/list-transactions.js';
import { callOf, deposit, failureOf, opened, openWorld, type World } from './fixture.js';

type TransactionsAsked = MessageInitShape<typeof ListTransactionsRequestSchema>;
type EntriesAsked = MessageInitShape<typeof ListEntriesRequestSchema>;
type AccountsAsked = MessageInitShape<typeof ListAccountsRequestSchema>;

let world: World;

const transactions = (request: TransactionsAsked) =>
  listTransactions(world.context)(
    create(ListTransactionsRequestSchema, { ledgerId: 'main', ...request }),
    callOf(),
  );
const entries = (request: EntriesAsked) =>
  listEntries(world.context)(create(ListEntriesRequestSchema, { ledgerId: 'main', ...request }), callOf());
const accounts = (request: AccountsAsked) =>
  listAccounts(world.context)(create(ListAccountsRequestSchema, { ledgerId: 'main', ...request }), callOf());

/** The references of all pages of transactions. */
async function references(request: TransactionsAsked) {
  const all: (string | undefined)[] = [];
  let pageToken = '';
  do {
    const page = await transactions({ ...request, pageToken });
    all.push(...(page.transactions ?? []).map(({ reference }) => reference));
    pageToken = page.nextPageToken ?? '';
  } while (pageToken !== '');
  return all;
}

/** Position and index of the entries of all pages. */
async function entryKeys(request: EntriesAsked) {
  const all: string[] = [];
  let pageToken = '';
  do {
    const page = await entries({ ...request, pageToken });
    all.push(
      ...(page.entries ?? []).map(({ position, entry }) => `${String(position)} ${String(entry?.index)}`),
    );
    pageToken = page.nextPageToken ?? '';
  } while (pageToken !== '');
  return all;
}

const open = (accountId: string, currency: string, metadata: Record<string, string> = {}): CommandInit => ({
  case: 'openAccount',
  value: { ledgerId: 'main', requestId: world.id(), accountId, currency, metadata },
});

interface Booked {
  readonly reference: string;
  readonly minorUnits: bigint;
  readonly metadata?: Record<string, string>;
}

function booked({ reference, minorUnits, metadata = {} }: Booked, currency = 'EUR') {
  const amount = { currency, minorUnits };
  return { ledgerId: 'main', requestId: world.id(), reference, metadata, amount };
}

const into = (accountId: string, what: Booked, currency?: string): CommandInit => ({
  case: 'deposit',
  value: { ...booked(what, currency), accountId },
});

const paid = (payerAccountId: string, payeeAccountId: string, what: Booked): CommandInit => ({
  case: 'submitPayment',
  value: { ...booked(what), payerAccountId, payeeAccountId },
});

/** A journal of two parts from alice to bob, beyond what alice has. */
function forcedJournal(reference: string): CommandInit {
  const [whole, part] = [80_000n, 40_000n].map((minorUnits) => ({ currency: 'EUR', minorUnits }));
  if (whole === undefined || part === undefined) throw new Error('two amounts');
  return {
    case: 'postTransaction',
    value: {
      ledgerId: 'main',
      requestId: world.id(),
      reference,
      force: true,
      entries: [
        { accountId: 'alice', direction: Direction.DEBIT, amount: whole },
        { accountId: 'bob', direction: Direction.CREDIT, amount: part },
        { accountId: 'bob', direction: Direction.CREDIT, amount: part },
      ],
    },
  };
}

beforeAll(async () => {
  world = await openWorld();
  await world.settle(
    ...opened(world, 'main'),
    open('alice', 'EUR', { tier: 'gold', region: 'north' }),
    open('bob', 'EUR', { tier: 'silver' }),
    open('yen', 'JPY'),
    into('alice', { reference: 'first', minorUnits: 1_000n, metadata: { order: '17', batch: 'a' } }),
    into('yen', { reference: 'yen', minorUnits: 700n }, 'JPY'),
    paid('alice', 'bob', { reference: 'small', minorUnits: 300n, metadata: { order: '17' } }),
    paid('alice', 'bob', { reference: 'refused', minorUnits: 9_999n, metadata: { order: '18' } }),
    forcedJournal('forced'),
    { case: 'freezeAccount', value: { ledgerId: 'main', requestId: world.id(), accountId: 'bob' } },
    paid('bob', 'alice', { reference: 'frozen', minorUnits: 1n }),
  );
});

afterAll(() => world.close());

const ALL = ['first', 'yen', 'small', 'refused', 'forced', 'frozen'];

describe('transactions', () => {
  test.each<[string, TransactionsAsked, string[]]>([
    ['nothing asked for', {}, ALL],
    ['a currency', { currency: 'JPY' }, ['yen']],
    ['an amount or more', { minAmount: 700n }, ['first', 'yen', 'refused', 'forced']],
    ['an amount or less', { maxAmount: 300n }, ['small', 'frozen']],
    [
      'a range of amounts of a currency',
      { currency: 'EUR', minAmount: 300n, maxAmount: 1_000n },
      ['first', 'small'],
    ],
    ['two kinds', { kinds: [TransactionKind.DEPOSIT, TransactionKind.JOURNAL] }, ['first', 'yen', 'forced']],
    ['a kind and an amount', { kinds: [TransactionKind.DEPOSIT], minAmount: 701n }, ['first']],
    ['a decline reason', { declineReason: DeclineReason.INSUFFICIENT_FUNDS }, ['refused']],
    ['another decline reason', { declineReason: DeclineReason.ACCOUNT_FROZEN }, ['frozen']],
    [
      'a reason of what was not declined',
      { declineReason: DeclineReason.ACCOUNT_FROZEN, status: TransactionStatus.POSTED },
      [],
    ],
    ['what was forced', { forced: true }, ['forced']],
    ['callers without a credential', { actor: 'anonymous' }, ALL],
    ['another caller', { actor: 'someone' }, []],
    ['a key of metadata', { metadata: [{ key: 'order' }] }, ['first', 'small', 'refused']],
    ['a pair of metadata', { metadata: [{ key: 'order', value: '17' }] }, ['first', 'small']],
    ['two pairs of metadata', { metadata: [{ key: 'order', value: '17' }, { key: 'batch' }] }, ['first']],
    ['a value that is empty', { metadata: [{ key: 'order', value: '' }] }, []],
    ['a key of no object', { metadata: [{ key: 'constructor' }] }, []],
    ['an account and an amount', { accountId: 'bob', minAmount: 300n }, ['small', 'refused', 'forced']],
  ])('by %s', async (_, request, expected) => {
    expect(await references(request)).toEqual(expected);
    expect(await references({ ...request, pageSize: 1 })).toEqual(expected);
    expect(await references({ ...request, pageSize: 1, descending: true })).toEqual([...expected].reverse());
  });

  test('metadata are those that a transaction has now', async () => {
    const [made] = await world.settle(
      into('alice', { reference: 'changed', minorUnits: 2n, metadata: { old: '1' } }),
    );
    const transactionId =
      (await transactions({ reference: 'changed' })).transactions?.[0]?.transactionId ?? '';
    await world.settle({
      case: 'updateTransaction',
      value: {
        ledgerId: 'main',
        requestId: world.id(),
        transactionId,
        updateMask: { paths: ['metadata'] },
        metadata: { new: '1' },
      },
    });
    expect(made).toBeDefined();
    expect(await references({ metadata: [{ key: 'old' }] })).toEqual([]);
    expect(await references({ metadata: [{ key: 'new' }] })).toEqual(['changed']);
  });

  test('a range that is upside down is refused by its field, and so is a currency that is none', async () => {
    expect(await failureOf(transactions({ minAmount: 2n, maxAmount: 1n }))).toMatchObject({
      reason: ErrorReason.INVALID_FIELD,
      details: { fields: [{ field: 'max_amount' }] },
    });
    expect((await failureOf(transactions({ currency: 'XXZ' }))).reason).toBe(ErrorReason.UNKNOWN_CURRENCY);
    expect((await failureOf(entries({ currency: 'XXZ' }))).reason).toBe(ErrorReason.UNKNOWN_CURRENCY);
    expect((await failureOf(transactions({ ledgerId: 'nowhere', forced: true }))).reason).toBe(
      ErrorReason.LEDGER_NOT_FOUND,
    );
  });
});

describe('entries', () => {
  /** What the filter of the transactions leaves, entry by entry. */
  async function expected(
    ofTransactions: TransactionsAsked,
    isAsked: (minorUnits: bigint, accountId: string) => boolean,
  ) {
    const all =
      (await transactions({ ...ofTransactions, status: TransactionStatus.POSTED })).transactions ?? [];
    return all.flatMap(({ position, entries: made }) =>
      (made ?? [])
        .filter(({ amount, accountId }) => isAsked(amount?.minorUnits ?? 0n, accountId ?? ''))
        .map(({ index }) => `${String(position)} ${String(index)}`),
    );
  }

  test('by what they say and by what their transactions say, either way round, in pages', async () => {
    const any = () => true;
    const ofBob = (_: bigint, accountId: string) => accountId === 'bob';
    const cases: [EntriesAsked, string[]][] = [
      [{ currency: 'JPY' }, await expected({ currency: 'JPY' }, any)],
      [{ minAmount: 40_000n }, await expected({}, (units) => units >= 40_000n)],
      [{ maxAmount: 300n, minAmount: 300n }, await expected({}, (units) => units === 300n)],
      [{ forced: true }, await expected({ forced: true }, any)],
      [{ forced: true, accountId: 'bob' }, await expected({ forced: true }, ofBob)],
      [{ forced: true, maxAmount: 40_000n }, await expected({ forced: true }, (units) => units <= 40_000n)],
      [{ metadata: [{ key: 'order' }] }, await expected({ metadata: [{ key: 'order' }] }, any)],
      [
        { metadata: [{ key: 'order' }], kinds: [TransactionKind.PAYMENT] },
        await expected({ metadata: [{ key: 'order' }], kinds: [TransactionKind.PAYMENT] }, any),
      ],
      [{ actor: 'anonymous' }, await expected({}, any)],
      [{ actor: 'someone' }, []],
    ];
    for (const [request, keys] of cases) {
      expect(await entryKeys(request)).toEqual(keys);
      expect(await entryKeys({ ...request, pageSize: 1 })).toEqual(keys);
      expect(await entryKeys({ ...request, pageSize: 2, descending: true })).toEqual([...keys].reverse());
    }
    expect(cases.filter(([, keys]) => keys.length > 1).length).toBeGreaterThan(6);
  });

  test('of one transaction by what it says, on one side', async () => {
    const made = (await transactions({ forced: true })).transactions?.[0];
    const transactionId = made?.transactionId ?? '';
    const position = String(made?.position);
    const credits = { transactionId, direction: Direction.CREDIT };
    expect(await entryKeys({ ...credits, forced: true, pageSize: 1 })).toEqual([
      `${position} 1`,
      `${position} 2`,
    ]);
    expect(await entryKeys({ ...credits, actor: 'someone' })).toEqual([]);
    const before = made?.recordedTime;
    if (before === undefined) throw new Error('it was recorded');
    expect(await entryKeys({ ...credits, forced: true, endRecordedTime: before })).toEqual([]);
  });
});

describe('accounts', () => {
  const ids = async (request: AccountsAsked) =>
    ((await accounts(request)).accounts ?? []).map(({ accountId }) => accountId);

  test('by what is posted and by metadata', async () => {
    expect(await ids({ maxPosted: -1n, currency: 'EUR', accountIdPrefix: 'a' })).toEqual(['alice']);
    expect(await ids({ minPosted: 80_300n })).toEqual(['bob']);
    expect(await ids({ minPosted: 700n, maxPosted: 700n })).toEqual(['yen']);
    expect(await ids({ minPosted: 0n, maxPosted: 0n })).toEqual([]);
    expect(await ids({ metadata: [{ key: 'tier' }] })).toEqual(['alice', 'bob']);
    expect(await ids({ metadata: [{ key: 'tier', value: 'gold' }, { key: 'region' }] })).toEqual(['alice']);
    expect(await failureOf(accounts({ minPosted: 1n, maxPosted: 0n }))).toMatchObject({
      reason: ErrorReason.INVALID_FIELD,
      details: { fields: [{ field: 'max_posted' }] },
    });
    const page = await accounts({ metadata: [{ key: 'tier' }], pageSize: 1 });
    expect(page.nextPageToken).not.toBe('');
    expect(
      await ids({ metadata: [{ key: 'tier' }], pageSize: 1, pageToken: page.nextPageToken ?? '' }),
    ).toEqual(['bob']);
  });
});

test('a page looks at a bounded part of a ledger, and its token goes on', async () => {
  await world.settle(...Array.from({ length: LOOKED_AT_MAX }, () => deposit(world, 'alice', 1n)));
  await world.settle(into('alice', { reference: 'rare', minorUnits: 5n, metadata: { rare: 'yes' } }));
  const metadata = [{ key: 'rare' }];
  for (const first of [await transactions({ metadata }), await entries({ metadata })])
    expect(first).toMatchObject({ nextPageToken: expect.stringMatching(/./) });
  expect((await transactions({ metadata })).transactions).toEqual([]);
  expect(await references({ metadata })).toEqual(['rare']);
  expect(await entryKeys({ metadata })).toHaveLength(2);
  expect(await entryKeys({ metadata, descending: true })).toHaveLength(2);
});
