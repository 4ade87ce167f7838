/** The lists of the history view as filters of MongoDB: keyset pages in order of position. */
import type { Filter } from 'mongodb';
import { AccountStatus, AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import { Direction, TransactionStatus } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import type {
  AccountDocument,
  EntryDocument,
  HoldDocument,
  LedgerDocument,
  TransactionDocument,
} from './documents.js';
import type { PositionRange } from './recorded.js';
import type {
  AccountListing,
  EntryListing,
  HoldKey,
  LedgerListing,
  OpenHoldListing,
  TimeRange,
  TransactionListing,
} from '../view.js';

/** Ids are ASCII below this, so that the ids with a prefix are a range. */
const AFTER_IDS = '\x7f';

interface Range {
  $gt?: bigint;
  $gte?: bigint;
  $lt?: bigint;
  $lte?: bigint;
}

/** Of what has versions: the one that is valid at a position. */
export function validAt(at: bigint): { from: { $lt: bigint }; until: { $gt: bigint } } {
  return { from: upTo(at), until: { $gt: at } };
}

/**
 * Positions up to one. Said as `less than the next`: the server that stands in for MongoDB where there is
 * none begins a descending scan of a compound index one entry too low at `less than or equal`; to MongoDB
 * both are the same.
 */
export function upTo(position: bigint): { $lt: bigint } {
  return { $lt: position + 1n };
}

/** The end of a listing: what it asks for, and never beyond the checkpoint. */
export function throughOf(through: bigint | null, at: bigint): bigint {
  return through === null || through > at ? at : through;
}

function prefixed(prefix: string): { $gte: string; $lt: string } {
  return { $gte: prefix, $lt: prefix + AFTER_IDS };
}

function dated({ from, to }: TimeRange): Range | undefined {
  if (from === null && to === null) return undefined;
  return { ...(from === null ? {} : { $gte: from }), ...(to === null ? {} : { $lt: to }) };
}

export function ledgerFilter(listing: LedgerListing, at: bigint): Filter<LedgerDocument> {
  const { partition, idPrefix, after, through } = listing;
  return {
    partition,
    position: { ...upTo(throughOf(through, at)), ...(after === null ? {} : { $gt: after }) },
    ...(idPrefix === '' ? {} : { _id: prefixed(idPrefix) }),
  };
}

export function accountFilter(listing: AccountListing, at: bigint): Filter<AccountDocument> {
  const { ledgerId: ledger, idPrefix, currency, type, status, ownerReference: owner, after } = listing;
  return {
    ledger,
    openedPosition: { ...upTo(throughOf(listing.through, at)), ...(after === null ? {} : { $gt: after }) },
    ...validAt(at),
    ...(idPrefix === '' ? {} : { account: prefixed(idPrefix) }),
    ...(currency === '' ? {} : { currency }),
    ...(type === AccountType.UNSPECIFIED ? {} : { type }),
    ...(status === AccountStatus.UNSPECIFIED ? {} : { status }),
    ...(owner === '' ? {} : { owner }),
  };
}

/** What a filter looks at: between the positions of what was recorded in the range asked for, and beyond the key of the page before. */
function positions(
  { from, to }: PositionRange,
  after: { readonly first: bigint; readonly last: bigint } | null,
  descending: boolean,
): { $gte: bigint; $lt: bigint } {
  if (after === null) return { $gte: from, $lt: to };
  const { first, last } = after;
  return descending
    ? { $gte: from, $lt: last + 1n < to ? last + 1n : to }
    : { $gte: first > from ? first : from, $lt: to };
}

/** `recorded`: between which positions the transactions are that the listing asks for by time and end. */
export function transactionFilter(
  listing: TransactionListing,
  recorded: PositionRange,
  at: bigint,
): Filter<TransactionDocument> {
  const { ledgerId: ledger, accountId, kinds, status, reference, paymentId: payment } = listing;
  const { after, descending } = listing;
  const effective = dated(listing.effective);
  const beyond = after === null ? null : { first: after + 1n, last: after - 1n };
  return {
    ledger,
    position: positions(recorded, beyond, descending),
    ...validAt(at),
    ...(accountId === '' ? {} : { names: accountId }),
    ...(payment === '' ? {} : { payment }),
    ...(kinds.length === 0 ? {} : { kind: { $in: [...kinds] } }),
    ...(status === TransactionStatus.UNSPECIFIED ? {} : { status }),
    ...(reference === '' ? {} : { reference }),
    ...(effective === undefined ? {} : { effective }),
  };
}

/** Of an account's entries, between positions: see `transactionFilter`. */
export function entryFilter(listing: EntryListing, recorded: PositionRange): Filter<EntryDocument> {
  const { ledgerId: ledger, accountId: account, kinds, direction } = listing;
  const effective = dated(listing.effective);
  return {
    ledger,
    account,
    position: positions(recorded, eventOf(listing), listing.descending),
    ...(kinds.length === 0 ? {} : { kind: { $in: [...kinds] } }),
    ...(direction === Direction.UNSPECIFIED ? {} : { direction }),
    ...(effective === undefined ? {} : { effective }),
    ...beyondEntry(listing),
  };
}

/** The transactions that hold a page of a ledger's entries, between positions: see `transactionFilter`. */
export function postedFilter(
  listing: EntryListing,
  recorded: PositionRange,
  at: bigint,
): Filter<TransactionDocument> {
  const { ledgerId: ledger, kinds, transactionId: id } = listing;
  const effective = dated(listing.effective);
  return {
    ledger,
    position: positions(recorded, eventOf(listing), listing.descending),
    ...validAt(at),
    status: TransactionStatus.POSTED,
    ...(kinds.length === 0 ? {} : { kind: { $in: [...kinds] } }),
    ...(id === '' ? {} : { id }),
    ...(effective === undefined ? {} : { effective }),
  };
}

/**
 * Open holds that are the last word on their authorization, or not any more: those that end after `at`, where
 * the writer is ahead of the checkpoint.
 */
export function holdFilter(
  { ledgerId: ledger, expire, after, descending, through }: OpenHoldListing,
  at: bigint,
  until: HoldDocument['until'] | { $gt: bigint; $lt: bigint },
): Filter<HoldDocument> {
  const expires = dated(expire);
  return {
    ledger,
    until,
    from: upTo(at),
    position: upTo(throughOf(through, at)),
    ...(expires === undefined ? {} : { expire: expires }),
    ...(after === null ? {} : beyondHold(after, descending)),
  };
}

function beyondHold({ expireTime, position }: HoldKey, descending: boolean): Filter<HoldDocument> {
  return descending
    ? { $or: [{ expire: { $lt: expireTime } }, { expire: expireTime, position: { $lt: position } }] }
    : { $or: [{ expire: { $gt: expireTime } }, { expire: expireTime, position: { $gt: position } }] };
}

/** The event in which the page before ended: entries of it may be on the next page. */
function eventOf({ after }: EntryListing): { readonly first: bigint; readonly last: bigint } | null {
  return after === null ? null : { first: after.position, last: after.position };
}

/** The bound of the position alone is for the index; this is for the entries of one event. */
function beyondEntry({ after, descending }: EntryListing): Filter<EntryDocument> {
  if (after === null) return {};
  const { position, index } = after;
  return descending
    ? { $or: [{ position: { $lt: position } }, { position, index: { $lt: index } }] }
    : { $or: [{ position: { $gt: position } }, { position, index: { $gt: index } }] };
}
