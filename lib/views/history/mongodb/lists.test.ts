/**
 * Each filter of a list goes by an index that has its rows in the order of the list, from where the page begins: MongoDB then reads
 * what the page shows, and what else is asked for passes over.
 */
import type { Document } from 'mongodb';
import { describe, expect, test } from '@jest/globals';
import { AccountStatus, AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import {
  Direction,
  TransactionKind,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { accountListing, entryListing, transactionListing } from '../contract/listings.js';
import type { AccountListing, EntryListing, TransactionListing } from '../view.js';
import { type HistoryCollections, INDEXES } from './documents.js';
import { accountFilter, entryFilter, postedFilter, transactionFilter } from './lists.js';

const AT = 1_000n;
/** Positions of what was recorded in the range asked for. */
const RECORDED = { from: 200n, to: 900n };

/** Whether a condition names one value, or several that an index has in order one after the other. */
const isEquality = (condition: unknown) =>
  typeof condition !== 'object' || condition === null || '$in' in condition;

/** The fields of the filter that an index has before those of the order; undefined if it does not have the rows in that order. */
function equalities(
  index: Readonly<Record<string, 1 | -1>>,
  filter: Document,
  order: readonly string[],
): readonly string[] | undefined {
  const keys = Object.keys(index);
  const before = keys.slice(0, keys.indexOf(order[0] ?? ''));
  const isInOrder = order.every((name, place) => keys[before.length + place] === name);
  return isInOrder && before.every((name) => isEquality(filter[name])) ? before : undefined;
}

/** What the best index of a collection answers of a filter. */
function answered(
  collection: keyof HistoryCollections,
  filter: Document,
  order: readonly string[],
): readonly string[] {
  const found = INDEXES[collection].flatMap((index) => equalities(index, filter, order) ?? []);
  return [...new Set(found)].filter((name) => name in filter);
}

const transactions: Readonly<Record<string, [string, Partial<TransactionListing>]>> = {
  nothing: ['ledger', {}],
  'an account': ['names', { accountId: 'alice' }],
  'two kinds': ['kind', { kinds: [TransactionKind.PAYMENT, TransactionKind.REVERSAL] }],
  'a status': ['status', { status: TransactionStatus.DECLINED }],
  'a reference': ['reference', { reference: 'order-1' }],
  'a payment': ['payment', { paymentId: 'p' }],
};

describe.each([
  ['from the first on', false],
  ['from the last back', true],
])('a list %s', (_, descending) => {
  const bounds = descending ? { $gte: 200n, $lt: 500n } : { $gte: 501n, $lt: 900n };

  test.each(Object.entries(transactions))(
    'of transactions by %s reads an index between positions',
    (__, [name, asked]) => {
      const listing = { ...transactionListing('main'), ...asked, after: 500n, descending };
      const filter = transactionFilter(listing, RECORDED, AT);
      expect(filter.position).toEqual(bounds);
      expect(answered('transactions', filter, ['position'])).toContain(name);
      // A time of recording is a position: no index has it.
      expect(filter).not.toHaveProperty('recorded');
    },
  );

  const entries: Readonly<Record<string, Partial<EntryListing>>> = {
    nothing: {},
    'a direction': { direction: Direction.DEBIT },
    'a kind': { kinds: [TransactionKind.REVERSAL] },
  };

  test.each(Object.entries(entries))('of an account’s entries by %s reads an index', (__, asked) => {
    const after = { position: 500n, index: 1 };
    const listing = { ...entryListing('main'), ...asked, accountId: 'alice', after, descending };
    const filter = entryFilter(listing, RECORDED);
    expect(filter.position).toEqual(descending ? { $gte: 200n, $lt: 501n } : { $gte: 500n, $lt: 900n });
    expect(answered('entries', filter, ['position', 'index'])).toEqual(['ledger', 'account']);
  });

  test('of a ledger’s entries reads its posted transactions', () => {
    const after = { position: 500n, index: 1 };
    const filter = postedFilter({ ...entryListing('main'), after, descending }, RECORDED, AT);
    expect(filter.position).toEqual(descending ? { $gte: 200n, $lt: 501n } : { $gte: 500n, $lt: 900n });
    expect(answered('transactions', filter, ['position'])).toContain('status');
  });
});

const accounts: Readonly<Record<string, [string, Partial<AccountListing>]>> = {
  nothing: ['ledger', {}],
  'a currency': ['currency', { currency: 'EUR' }],
  'a type': ['type', { type: AccountType.ASSET }],
  'a status': ['status', { status: AccountStatus.CLOSED }],
  'an owner': ['owner', { ownerReference: 'o' }],
};

test.each(Object.entries(accounts))('a list of accounts by %s reads an index', (_, [name, asked]) => {
  const filter = accountFilter({ ...accountListing('main'), ...asked, after: 500n }, AT);
  expect(answered('accounts', filter, ['openedPosition'])).toContain(name);
});
