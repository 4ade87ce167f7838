/** What events say to the history view: pure, the same for every store, a batch at a time. */
import { create, fromBinary } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import {
  type Direction,
  type Ledger,
  LedgerSchema,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import type * as log from '../../../gen/quittance/event/v1/event_pb.js';
import type { LedgerCreated } from '../../../gen/quittance/event/v2/event_pb.js';
import { accountsChangedBy, profileOf } from '../../log/account-of.js';
import { type CommandCase, commandTypeOf, requestSchema } from '../../log/canonical-body.js';
import { accountsNamedBy, transactionOf, transactionStatesIn } from '../../log/transaction-of.js';
import type { RecordedEvent } from '../../log/recorded-event.js';
import { microsOf, timestampOf } from '../../base/time.js';

/** An account as its own events left it. Its money is in its versions. */
export interface AccountFact {
  readonly ledgerId: string;
  readonly accountId: string;
  /** Of its AccountOpened; undefined if it was opened before these events. */
  readonly opened: { readonly position: bigint; readonly recordedTime: bigint } | undefined;
  /** As the last account event left it. */
  readonly state: log.AccountState;
  /** Undefined if these events say nothing of it. */
  readonly profile: log.AccountProfile | undefined;
  /** Of the last account event. */
  readonly position: bigint;
}

/** An account after an event that changed it. */
export interface VersionFact {
  readonly ledgerId: string;
  readonly position: bigint;
  readonly state: log.AccountState;
}

/** A transaction that an event made. What it is in full, `transactionOf` reads from the event. */
export interface TransactionFact {
  readonly ledgerId: string;
  readonly position: bigint;
  /** 16 bytes. */
  readonly transactionId: Uint8Array;
  readonly kind: TransactionKind;
  status: TransactionStatus;
  readonly reference: string;
  /** 16 bytes; undefined outside payments and on the root of one. */
  readonly paymentId: Uint8Array | undefined;
  /** UTC microseconds. */
  readonly effectiveTime: bigint;
  readonly recordedTime: bigint;
  version: bigint;
  /** When its hold expires, UTC microseconds; undefined: no hold is open. */
  holdExpiry: bigint | undefined;
  /** The event, as encoded once. */
  readonly bytes: Uint8Array;
  /** The last change by a later one of these events. */
  change: log.TransactionState | undefined;
  /** Of the last event that made or changed it. */
  changedPosition: bigint;
}

/** The last change of a transaction that was made before these events. */
export interface ChangeFact {
  readonly ledgerId: string;
  readonly state: log.TransactionState;
  readonly position: bigint;
}

/** A transaction names an account without an entry: a declined one, or an authorization. */
export interface NamedFact {
  readonly ledgerId: string;
  readonly accountId: string;
  readonly position: bigint;
  /** UTC microseconds. */
  readonly effectiveTime: bigint;
}

/** A posted entry. */
export interface EntryFact {
  readonly ledgerId: string;
  readonly position: bigint;
  readonly index: number;
  readonly accountId: string;
  readonly direction: Direction;
  /** Minor units. */
  readonly amount: bigint;
  /** The account's version that it made. */
  readonly version: bigint;
  readonly postedAfter: bigint;
  /** UTC microseconds. */
  readonly effectiveTime: bigint;
}

/**
 * All that some events say to the history view, each list in order of position but `accounts` and `changes`.
 */
export interface HistoryFacts {
  readonly ledgers: Ledger[];
  readonly accounts: AccountFact[];
  readonly versions: VersionFact[];
  readonly entries: EntryFact[];
  readonly transactions: TransactionFact[];
  readonly changes: ChangeFact[];
  readonly named: NamedFact[];
}

/**
 * Folds events that are in order and known; an entity's later changes are joined with its making where both
 * are here.
 */
export function historyFacts(events: readonly RecordedEvent[]): HistoryFacts {
  const facts: HistoryFacts = {
    ledgers: [],
    accounts: [],
    versions: [],
    entries: [],
    transactions: [],
    changes: [],
    named: [],
  };
  const accounts = new Map<string, AccountFact>();
  const made = new Map<string, TransactionFact>();
  const changes = new Map<string, ChangeFact>();
  for (const recorded of events) {
    const { event, position } = recorded;
    for (const state of accountsChangedBy(event))
      facts.versions.push({ ledgerId: event.ledgerId, position, state });
    foldAccount(accounts, event);
    foldChanges(made, changes, event);
    foldMaking(facts, made, recorded);
    const { payload } = event;
    if (payload.case === 'ledgerCreatedV2') facts.ledgers.push(ledgerOf(event, payload.value));
  }
  facts.accounts.push(...accounts.values());
  facts.changes.push(...changes.values());
  return facts;
}

/** The ledger that a LedgerCreated made. */
export function ledgerOf(
  { ledgerId, recordedTimeMicros, position }: log.Event,
  { description, metadata }: LedgerCreated,
): Ledger {
  const createTime = timestampOf(recordedTimeMicros);
  return create(LedgerSchema, { ledgerId, description, metadata, createTime, position });
}

/** Folds an event of an account into what is known of that account, by ledger and id. */
export function foldAccount(accounts: Map<string, AccountFact>, event: log.Event): void {
  switch (event.payload.case) {
    case 'assetRegistered':
    case 'accountOpened':
    case 'accountUpdated':
    case 'accountFrozen':
    case 'accountUnfrozen':
    case 'accountClosed':
      break;
    default:
      return;
  }
  const { ledgerId, position, payload } = event;
  const state = payload.value.account;
  if (state === undefined) throw new Error('an account event carries the account');
  const { accountId } = state;
  const key = `${ledgerId} ${accountId}`;
  const before = accounts.get(key);
  const isOpened = payload.case === 'accountOpened' || payload.case === 'assetRegistered';
  const opened = isOpened ? { position, recordedTime: event.recordedTimeMicros } : before?.opened;
  const profile = profileOf(event) ?? before?.profile;
  accounts.set(key, { ledgerId, accountId, opened, state, profile, position });
}

function foldChanges(
  made: ReadonlyMap<string, TransactionFact>,
  changes: Map<string, ChangeFact>,
  event: log.Event,
): void {
  const { ledgerId, position } = event;
  for (const state of transactionStatesIn(event)) {
    if (isOwn(state)) continue;
    const key = transactionKey(ledgerId, state.transactionId);
    const fact = made.get(key);
    if (fact === undefined) {
      const before = changes.get(key);
      if (before === undefined || before.state.version < state.version)
        changes.set(key, { ledgerId, state, position });
    } else if (fact.version < state.version) {
      fact.status = state.status;
      fact.version = state.version;
      fact.holdExpiry = holdExpiry(state);
      fact.change = state;
      fact.changedPosition = position;
    }
  }
}

/** The last change of each transaction that some events change after its making, by transactionKey. */
export function changesIn(events: readonly RecordedEvent[]): Map<string, ChangeFact> {
  const changes = new Map<string, ChangeFact>();
  for (const { event } of events) {
    for (const state of transactionStatesIn(event)) {
      if (isOwn(state)) continue;
      const key = transactionKey(event.ledgerId, state.transactionId);
      const before = changes.get(key);
      if (before === undefined || before.state.version < state.version)
        changes.set(key, { ledgerId: event.ledgerId, state, position: event.position });
    }
  }
  return changes;
}

function foldMaking(facts: HistoryFacts, made: Map<string, TransactionFact>, recorded: RecordedEvent): void {
  const fact = transactionFactOf(recorded);
  if (fact === undefined) return;
  facts.transactions.push(fact);
  made.set(transactionKey(fact.ledgerId, fact.transactionId), fact);
  const { ledgerId, position, effectiveTime } = fact;
  const { event } = recorded;
  if (event.payload.case !== 'transactionPosted') {
    facts.named.push(...namedBy(event, effectiveTime));
    return;
  }
  const { entries, accounts } = event.payload.value;
  let index = 0;
  for (const { account, direction, amount, version, postedAfter } of entries) {
    const accountId = accounts[account]?.accountId;
    if (accountId === undefined) throw new Error('an entry names an account that its event does not carry');
    facts.entries.push({
      ledgerId,
      position,
      index: index++,
      accountId,
      direction,
      amount,
      version,
      postedAfter,
      effectiveTime,
    });
  }
}

/**
 * The accounts that a transaction names, of an event without entries. (A posted transaction names the accounts of its entries, all of which it
 * changes.)
 */
function namedBy(event: log.Event, effectiveTime: bigint): NamedFact[] {
  const transaction = transactionOf(event);
  if (transaction === undefined) return [];
  const { ledgerId, position } = event;
  return accountsNamedBy(transaction).map((accountId) => ({ ledgerId, accountId, position, effectiveTime }));
}

/** The transaction that an event made, as much of it as a store looks up; undefined if it made none. */
function transactionFactOf({ event, bytes, position }: RecordedEvent): TransactionFact | undefined {
  const heading = headingOf(event);
  if (heading === undefined) return undefined;
  const { reference, effectiveTime } = describedBy(event);
  const own = transactionStatesIn(event).find(isOwn);
  return {
    ledgerId: event.ledgerId,
    position,
    transactionId: event.requestId,
    kind: heading.kind,
    status: heading.status,
    reference: textOf(reference),
    paymentId: heading.paymentId.length === 0 ? undefined : heading.paymentId,
    effectiveTime: effectiveTime ?? event.recordedTimeMicros,
    recordedTime: event.recordedTimeMicros,
    version: own?.version ?? 1n,
    holdExpiry: own && holdExpiry(own),
    bytes,
    change: undefined,
    changedPosition: position,
  };
}

/** What of a request a store looks up. */
export interface Description {
  /** In UTF-8; empty if there is none. */
  reference: Uint8Array;
  /** UTC microseconds; undefined: recorded_time. */
  effectiveTime: bigint | undefined;
}

/**
 * What of a request a store looks up. Read from the bytes of its canonical body field by field: to decode all
 * of it took half of the fold.
 */
export function describedBy({ commandType, canonicalBody }: log.Event): Description {
  const numbers = FIELDS.get(commandType);
  if (numbers === undefined) throw new Error('an event that makes a transaction carries its command');
  const found: Description = { reference: NO_BYTES, effectiveTime: undefined };
  const reader = new BinaryReader(canonicalBody);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === numbers.reference) found.reference = reader.bytes();
    else if (field === numbers.effectiveTime)
      found.effectiveTime = microsOf(fromBinary(TimestampSchema, reader.bytes()));
    else reader.skip(wireType, field);
  }
  return found;
}

const DESCRIBED: readonly CommandCase['case'][] = [
  'deposit',
  'withdraw',
  'submitPayment',
  'authorizePayment',
  'adjustAuthorization',
  'capturePayment',
  'voidPayment',
  'refundPayment',
  'postTransaction',
  'reverseTransaction',
];

/**
 * The numbers of the fields in each request that makes a transaction; requests on a hold, which make one where they are declined,
 * have neither.
 */
const FIELDS: ReadonlyMap<
  log.CommandType,
  { readonly reference: number | undefined; readonly effectiveTime: number | undefined }
> = new Map(
  DESCRIBED.map((name) => {
    const { reference, effectiveTime } = requestSchema(name).field;
    const numbers = { reference: reference?.number, effectiveTime: effectiveTime?.number };
    return [commandTypeOf(name), numbers] as const;
  }),
);

/** What the payload of an event says of the transaction that it makes. */
export interface Heading {
  readonly kind: TransactionKind;
  readonly status: TransactionStatus;
  readonly paymentId: Uint8Array;
}

/** Undefined if the event makes no transaction. */
export function headingOf({ payload }: log.Event): Heading | undefined {
  switch (payload.case) {
    case 'transactionPosted': {
      const { kind, paymentId } = payload.value;
      return { kind, status: TransactionStatus.POSTED, paymentId };
    }
    case 'transactionDeclined': {
      const { kind, paymentId } = payload.value;
      return { kind, status: TransactionStatus.DECLINED, paymentId };
    }
    case 'paymentAuthorized':
      return {
        kind: TransactionKind.AUTHORIZATION,
        status: TransactionStatus.AUTHORIZED,
        paymentId: NO_BYTES,
      };
    default:
      return undefined;
  }
}

const NO_BYTES = new Uint8Array(0);

function textOf(utf8: Uint8Array): string {
  return Buffer.from(utf8.buffer, utf8.byteOffset, utf8.length).toString();
}

/** When the open hold of an authorization expires, UTC microseconds; undefined if the state has none. */
export function holdExpiry({ status, payment }: log.TransactionState): bigint | undefined {
  return status === TransactionStatus.AUTHORIZED ? payment?.expireTimeMicros : undefined;
}

const isOwn = (state: log.TransactionState): boolean => state.transactionId.length === 0;

/** The key of a transaction in the maps of a batch. */
export function transactionKey(ledgerId: string, id: Uint8Array): string {
  return `${ledgerId} ${Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')}`;
}
