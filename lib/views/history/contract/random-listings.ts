/** Queries with random filters, out of what a log holds. */
import { AccountStatus, AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import {
  Direction,
  type Transaction,
  type TransactionKind,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import type {
  AccountListing,
  EntryListing,
  OpenHoldListing,
  StatementQuery,
  TimeRange,
  TransactionListing,
} from '../view.js';
import {
  accountListing,
  entryListing,
  holdListing,
  OPEN,
  statementQuery,
  transactionListing,
} from './listings.js';
import { ACCOUNTS, COIN, LEDGERS, OWNERS, pick, type Random, REFERENCES } from './scenario.js';
import { holdKeyOf, type NaiveHistory } from './naive-history.js';

const TYPES = [AccountType.LIABILITY, AccountType.ASSET, AccountType.REVENUE];

const ACCOUNT_STATUSES = [AccountStatus.OPEN, AccountStatus.FROZEN, AccountStatus.CLOSED];

const SIDES = [Direction.DEBIT, Direction.CREDIT];

/** One in `chance` times. */
function sometimes<T>(random: Random, chance: number, value: () => T, otherwise: T): T {
  return random(chance) === 0 ? value() : otherwise;
}

function randomRange(random: Random, events: readonly RecordedEvent[]): TimeRange {
  const time = () => pick(random, events).event.recordedTimeMicros + BigInt(random(3) - 1);
  return { from: sometimes(random, 2, time, null), to: sometimes(random, 2, time, null) };
}

function randomThrough(random: Random, events: readonly RecordedEvent[]): bigint | null {
  return sometimes(random, 3, () => pick(random, events).position, null);
}

export function randomAccountListing(random: Random, events: readonly RecordedEvent[]): AccountListing {
  return {
    ...accountListing(pick(random, LEDGERS)),
    idPrefix: sometimes(random, 3, () => pick(random, ['a', 'alice', 'alice-', '@', 'B', 'zz']), ''),
    currency: sometimes(random, 3, () => pick(random, ['EUR', 'USD', COIN]), ''),
    type: sometimes(random, 3, () => pick(random, TYPES), AccountType.UNSPECIFIED),
    status: sometimes(random, 3, () => pick(random, ACCOUNT_STATUSES), AccountStatus.UNSPECIFIED),
    ownerReference: sometimes(random, 3, () => pick(random, OWNERS), ''),
    through: randomThrough(random, events),
    limit: 1 + random(5),
  };
}

export function randomTransactionListing(
  random: Random,
  events: readonly RecordedEvent[],
  history: NaiveHistory,
): TransactionListing {
  const ledgerId = pick(random, LEDGERS);
  const some = () => pick(random, history.allTransactions(ledgerId));
  return {
    ...transactionListing(ledgerId),
    accountId: sometimes(random, 2, () => pick(random, [...ACCOUNTS, '@settlement:EUR']), ''),
    kinds: sometimes(random, 4, () => someKinds(random, history.allTransactions(ledgerId)), []),
    status: sometimes(random, 4, () => some().status, TransactionStatus.UNSPECIFIED),
    reference: sometimes(random, 5, () => pick(random, REFERENCES), ''),
    paymentId: sometimes(random, 5, () => pick(random, [some().paymentId, some().transactionId]), ''),
    recorded: sometimes(random, 3, () => randomRange(random, events), OPEN),
    effective: sometimes(random, 3, () => randomRange(random, events), OPEN),
    descending: random(2) === 0,
    through: randomThrough(random, events),
    limit: 1 + random(20),
  };
}

/** One kind, or several, of those that occur. */
function someKinds(random: Random, made: readonly Transaction[]): readonly TransactionKind[] {
  const kinds = Array.from({ length: 1 + random(3) }, () => pick(random, made).kind);
  return [...new Set(kinds)];
}

export function randomHoldListing(
  random: Random,
  events: readonly RecordedEvent[],
  history: NaiveHistory,
): OpenHoldListing {
  const ledgerId = pick(random, LEDGERS);
  const open = history.openHolds(holdListing(ledgerId));
  const time = () => holdKeyOf(pick(random, open)).expireTime + BigInt(random(3) - 1);
  const bound = () => (open.length === 0 ? null : sometimes(random, 3, time, null));
  return {
    ...holdListing(ledgerId),
    expire: { from: bound(), to: bound() },
    descending: random(2) === 0,
    through: randomThrough(random, events),
    limit: 1 + random(5),
  };
}

export function randomEntryListing(
  random: Random,
  events: readonly RecordedEvent[],
  history: NaiveHistory,
): EntryListing {
  const ledgerId = pick(random, LEDGERS);
  const some = () => pick(random, history.allTransactions(ledgerId));
  return {
    ...entryListing(ledgerId),
    accountId: sometimes(random, 2, () => pick(random, [...ACCOUNTS, '@settlement:EUR']), ''),
    kinds: sometimes(random, 4, () => someKinds(random, history.allTransactions(ledgerId)), []),
    direction: sometimes(random, 4, () => pick(random, SIDES), Direction.UNSPECIFIED),
    transactionId: sometimes(random, 6, () => some().transactionId, ''),
    recorded: sometimes(random, 3, () => randomRange(random, events), OPEN),
    effective: sometimes(random, 3, () => randomRange(random, events), OPEN),
    descending: random(2) === 0,
    through: randomThrough(random, events),
    limit: 1 + random(20),
  };
}

export function randomStatementQuery(random: Random, events: readonly RecordedEvent[]): StatementQuery {
  const { from, to } = randomRange(random, events);
  return {
    ...statementQuery(pick(random, LEDGERS), pick(random, [...ACCOUNTS, '@settlement:EUR'])),
    basis: random(2) === 0 ? 'effective' : 'recorded',
    range: from !== null && to !== null && to < from ? { from: to, to: from } : { from, to },
    through: randomThrough(random, events),
    limit: 1 + random(15),
  };
}
