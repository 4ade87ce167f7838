/** What events say to the reports: pure, and the same for every store. */
import type { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import {
  type DeclineReason,
  Direction,
  type TransactionKind,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import type * as log from '../../../gen/quittance/event/v1/event_pb.js';
import { effectiveTimeOf } from '../../log/effective-time.js';
import type { RecordedEvent } from '../../log/recorded-event.js';
import { knownEvents } from '../known-event.js';

/**
 * The width of a rollup's buckets of time, in microseconds: every offset of a zone in use today is a multiple
 * of it.
 */
export const ROLLUP_WIDTH = 900_000_000n;

/** One movement of an account. */
export interface EntryFact {
  readonly accountId: string;
  readonly type: AccountType;
  readonly currency: string;
  /** Minor units: above zero a credit, below zero a debit. */
  readonly amount: bigint;
}

/** What a transaction moved in one currency. */
export interface VolumeFact {
  readonly currency: string;
  /** Minor units; a journal's may be beyond int64. */
  readonly principal: bigint;
}

/** A POSTED transaction. */
export interface PostingFact {
  readonly position: bigint;
  readonly ledgerId: string;
  readonly kind: TransactionKind;
  /** UTC microseconds. */
  readonly effectiveTime: bigint;
  readonly recordedTime: bigint;
  readonly entries: readonly EntryFact[];
  /**
   * The principal in the currency of the first entry. Then, for a journal in several currencies and for its
   * reversal, the sum of debits in each of the others, in order of first use.
   */
  readonly volumes: readonly VolumeFact[];
}

/** A DECLINED transaction. */
export interface DeclineFact {
  readonly position: bigint;
  readonly ledgerId: string;
  readonly reason: DeclineReason;
  /** UTC microseconds. */
  readonly recordedTime: bigint;
  /** What was asked for; of a journal in several currencies that of the first. */
  readonly currency: string;
  readonly principal: bigint;
}

/** All that some events say to the reports, in order of position. */
export interface ReportFacts {
  readonly postings: readonly PostingFact[];
  readonly declines: readonly DeclineFact[];
}

/**
 * What events say to the reports.
 * @throws UnknownEventError on an event or an enum value that this program does not know, unless it is
 * ignorable.
 */
export function reportFacts(events: readonly RecordedEvent[]): ReportFacts {
  const postings: PostingFact[] = [];
  const declines: DeclineFact[] = [];
  for (const { event } of knownEvents(events)) {
    const { payload } = event;
    if (payload.case === 'transactionPosted') postings.push(postingOf(event, payload.value));
    else if (payload.case === 'transactionDeclined') declines.push(declineOf(event, payload.value));
  }
  return { postings, declines };
}

/** The part of an account id up to its first `:`, or the whole id where there is none. */
export function idPrefix(accountId: string): string {
  const colon = accountId.indexOf(':');
  return colon < 0 ? accountId : accountId.slice(0, colon);
}

/** What a posted transaction says to the reports. */
export function postingOf(event: log.Event, posted: log.TransactionPosted): PostingFact {
  const entries = posted.entries.map((entry): EntryFact => {
    const { accountId, type, currency } = accountOf(posted, entry);
    return {
      accountId,
      type,
      currency,
      amount: entry.direction === Direction.DEBIT ? -entry.amount : entry.amount,
    };
  });
  return {
    position: event.position,
    ledgerId: event.ledgerId,
    kind: posted.kind,
    effectiveTime: effectiveTimeOf(event),
    recordedTime: event.recordedTimeMicros,
    entries,
    volumes: volumesOf(entries, posted.amount),
  };
}

/** The account of an entry, as it is after the event. */
export function accountOf(posted: log.TransactionPosted, entry: log.Entry): log.AccountState {
  const account = posted.accounts[entry.account];
  if (account === undefined) throw new Error('an entry names an account that its event does not carry');
  return account;
}

function volumesOf(entries: readonly EntryFact[], principal: bigint): VolumeFact[] {
  const first = entries[0]?.currency ?? '';
  const volumes: VolumeFact[] = [{ currency: first, principal }];
  // Only journals and their reversals have a second currency.
  if (entries.every(({ currency }) => currency === first)) return volumes;
  const others = new Map<string, bigint>();
  for (const { currency, amount } of entries) {
    if (currency === first) continue;
    others.set(currency, (others.get(currency) ?? 0n) + (amount < 0n ? -amount : 0n));
  }
  for (const [currency, debits] of others) volumes.push({ currency, principal: debits });
  return volumes;
}

function declineOf(event: log.Event, declined: log.TransactionDeclined): DeclineFact {
  return {
    position: event.position,
    ledgerId: event.ledgerId,
    reason: declined.reason,
    recordedTime: event.recordedTimeMicros,
    currency: declined.currency,
    principal: declined.amount,
  };
}
