/**
 * Writes what a batch of events says to the history view into MongoDB: unordered bulks of inserts under ids
 * that the log gives, so that what comes twice is there already. Of what changes, each version is inserted,
 * and its predecessor gets the position where it ends; a version that a crash or another process left out is
 * filled in whenever its events come again.
 */
import { toBinary } from '@bufbuild/protobuf';
import type { AnyBulkWriteOperation, Collection, Document } from 'mongodb';
import {
  Direction,
  LedgerSchema,
  TransactionKind,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountProfileSchema, TransactionStateSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import { limitsBytes } from '../../../log/limits-of.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { uuidFromBytes } from '../../../base/uuid.js';
import { isOnlyDuplicates } from '../../stores/mongodb/client.js';
import {
  type AccountFact,
  type ChangeFact,
  historyFacts,
  type HistoryFacts,
  holdExpiry,
  type TransactionFact,
} from '../fold.js';
import {
  type AccountDocument,
  type EntryDocument,
  type HistoryCollections,
  type HoldDocument,
  LAST,
  type LedgerDocument,
  type TransactionDocument,
  type VersionDocument,
} from './documents.js';

/** Writes events that the view has not seen, in order. */
export async function writeHistory(
  collections: HistoryCollections,
  partition: number,
  events: readonly RecordedEvent[],
): Promise<void> {
  // One by one: every version counts, not only the last of a batch, since another process may have cut it
  // otherwise.
  const each = events.map((event) => ({ event, facts: historyFacts([event]) }));
  const all = each.map(({ facts }) => facts);
  const { ledgers, versions, entries } = collections;
  await Promise.all([
    insertAll(
      ledgers,
      all.flatMap((facts) => ledgersIn(facts, partition)),
    ),
    insertAll(versions, all.flatMap(versionsIn)),
    insertAll(
      entries,
      each.flatMap(({ event, facts }) => entriesIn(event, facts)),
    ),
    writeTransactions(collections, all),
    writeAccounts(collections.accounts, all),
  ]);
}

async function insertAll<D extends Document>(
  collection: Collection<D>,
  documents: readonly D[],
): Promise<void> {
  if (documents.length === 0) return;
  await run(
    collection,
    documents.map((document) => ({ insertOne: { document } })) as AnyBulkWriteOperation<D>[],
  );
}

async function run<D extends Document>(
  collection: Collection<D>,
  operations: readonly AnyBulkWriteOperation<D>[],
): Promise<void> {
  if (operations.length === 0) return;
  try {
    await collection.bulkWrite([...operations], { ordered: false });
  } catch (error) {
    if (!isOnlyDuplicates(error)) throw error;
  }
}

function ledgersIn({ ledgers }: HistoryFacts, partition: number): LedgerDocument[] {
  return ledgers.map((ledger) => ({
    _id: ledger.ledgerId,
    partition,
    position: ledger.position,
    document: Buffer.from(toBinary(LedgerSchema, ledger)),
  }));
}

function versionsIn({ versions }: HistoryFacts): VersionDocument[] {
  return versions.map(({ ledgerId: ledger, position, state }) => {
    const { accountId: account, version, credits, debits, held, overdraftLimit } = state;
    const limits = limitsBytes(state.limits);
    const document: VersionDocument = {
      _id: `${ledger} ${account} ${String(position)}`,
      ledger,
      account,
      position,
      version,
      credits,
      debits,
      held,
      overdraftLimit,
    };
    // A copy: the bytes may lie in a larger buffer.
    return limits === undefined ? document : { ...document, limits: Buffer.from(limits) };
  });
}

function entriesIn({ event }: RecordedEvent, { entries, transactions }: HistoryFacts): EntryDocument[] {
  const [made] = transactions;
  if (made === undefined || event.payload.case !== 'transactionPosted') return [];
  const currencies = new Map(
    event.payload.value.accounts.map(({ accountId, currency }) => [accountId, currency]),
  );
  const common = {
    transaction: uuidFromBytes(made.transactionId),
    kind: made.kind,
    ledger: made.ledgerId,
    effective: made.effectiveTime,
    recorded: made.recordedTime,
    position: made.position,
  };
  return entries.map(({ index, accountId: account, direction, amount, version, postedAfter }) => ({
    _id: `${String(made.position)} ${String(index)}`,
    ...common,
    index,
    account,
    direction,
    amount,
    version,
    postedAfter,
    currency: currencies.get(account) ?? '',
    signed: direction === Direction.DEBIT ? -amount : amount,
  }));
}

/** A version of a thing, in the order of its life. */
interface Version {
  readonly _id: string;
  readonly from: bigint;
  readonly until: bigint;
}

/** A version with where it ends. */
interface Link<D extends Version> {
  readonly version: D;
  /** Whether it is written now; else it is stored. */
  readonly isAdded: boolean;
}

/** The life of a thing, each version with where it ends. `known` are those of the same thing that are stored. */
function linked<D extends Version>(known: readonly D[], added: readonly D[]): Link<D>[] {
  const ids = new Set(added.map(({ _id }) => _id));
  const life = [...known.filter(({ _id }) => !ids.has(_id)), ...added].sort((one, other) =>
    one.from < other.from ? -1 : 1,
  );
  return life.map((version, index) => ({
    version: { ...version, until: life[index + 1]?.from ?? LAST },
    isAdded: ids.has(version._id),
  }));
}

/** Inserts what is added, and writes into each version where it ends. */
function chained<D extends Version>(links: readonly Link<D>[]): AnyBulkWriteOperation<D>[] {
  return links.flatMap(({ version, isAdded }) => {
    const { _id, until } = version;
    const operations: unknown[] = [];
    if (isAdded) operations.push({ insertOne: { document: version } });
    // One that is stored may not know yet of the one that comes after it.
    if (until !== LAST) operations.push({ updateOne: { filter: { _id }, update: { $min: { until } } } });
    return operations as AnyBulkWriteOperation<D>[];
  });
}

/** The versions in which a hold is open, as the collection of holds has them. */
function holdsIn(links: readonly Link<TransactionDocument>[]): Link<HoldDocument>[] {
  return links.flatMap(({ version, isAdded }) => {
    const { _id, ledger, position, from, until, expire } = version;
    return expire === null ? [] : [{ version: { _id, ledger, position, from, until, expire }, isAdded }];
  });
}

async function writeTransactions(
  { transactions: collection, holds }: HistoryCollections,
  all: readonly HistoryFacts[],
): Promise<void> {
  const lives = new Map<string, TransactionDocument[]>();
  const made = all.flatMap(({ transactions, named, entries }) =>
    transactions.map((fact) =>
      transactionDocument(fact, [...new Set([...named, ...entries].map(({ accountId }) => accountId))]),
    ),
  );
  for (const document of made) lives.set(keyOf(document), [document]);
  const changes = all.flatMap((facts) => facts.changes);
  const stored = await storedOf(collection, changes);
  for (const change of changes) {
    const key = `${change.ledgerId} ${uuidFromBytes(change.state.transactionId)}`;
    const base = lives.get(key)?.[0] ?? stored.get(key)?.[0];
    if (base === undefined) throw new Error('a transaction is changed that was never made');
    lives.set(key, [...(lives.get(key) ?? []), changedDocument(base, change)]);
  }
  const links = [...lives].flatMap(([key, added]) => linked(stored.get(key) ?? [], added));
  await Promise.all([inOrder(collection, chained(links)), inOrder(holds, chained(holdsIn(links)))]);
}

/** All stored versions of the transactions that are changed. */
async function storedOf(
  collection: Collection<TransactionDocument>,
  changes: readonly ChangeFact[],
): Promise<Map<string, TransactionDocument[]>> {
  const wanted = new Map<string, Set<string>>();
  for (const { ledgerId, state } of changes) {
    const id = uuidFromBytes(state.transactionId);
    wanted.set(ledgerId, (wanted.get(ledgerId) ?? new Set()).add(id));
  }
  const found = await Promise.all(
    [...wanted].map(([ledger, ids]) => collection.find({ ledger, id: { $in: [...ids] } }).toArray()),
  );
  return grouped(found.flat(), keyOf);
}

function transactionDocument(fact: TransactionFact, names: readonly string[]): TransactionDocument {
  const id = uuidFromBytes(fact.transactionId);
  const isRoot = fact.kind === TransactionKind.PAYMENT || fact.kind === TransactionKind.AUTHORIZATION;
  const payment = fact.paymentId === undefined ? (isRoot ? id : '') : uuidFromBytes(fact.paymentId);
  const { ledgerId: ledger, position, version, kind, status, reference } = fact;
  return {
    _id: `${String(position)} ${String(version)}`,
    ledger,
    position,
    version,
    from: position,
    until: LAST,
    id,
    kind,
    status,
    reference,
    payment,
    names,
    effective: fact.effectiveTime,
    recorded: fact.recordedTime,
    expire: fact.holdExpiry ?? null,
    event: Buffer.from(fact.bytes),
    change: null,
  };
}

function changedDocument(base: TransactionDocument, { state, position }: ChangeFact): TransactionDocument {
  const { version, status } = state;
  return {
    ...base,
    _id: `${String(base.position)} ${String(version)}`,
    version,
    status,
    from: position,
    until: LAST,
    expire: holdExpiry(state) ?? null,
    change: Buffer.from(toBinary(TransactionStateSchema, state)),
  };
}

async function writeAccounts(
  collection: Collection<AccountDocument>,
  all: readonly HistoryFacts[],
): Promise<void> {
  const facts = all.flatMap(({ accounts }) => accounts);
  if (facts.length === 0) return;
  const opened = new Set(facts.filter((fact) => fact.opened !== undefined).map(accountKey));
  const changed = facts.filter((fact) => !opened.has(accountKey(fact)));
  const found = await Promise.all(
    [...grouped(changed, ({ ledgerId }) => ledgerId)].map(([ledger, own]) => {
      const ids = [...new Set(own.map(({ accountId }) => accountId))];
      return collection.find({ ledger, account: { $in: ids } }).toArray();
    }),
  );
  const stored = grouped(found.flat(), ({ ledger, account }) => `${ledger} ${account}`);
  const lives = new Map<string, AccountDocument[]>();
  for (const fact of facts) {
    const key = accountKey(fact);
    const before = lives.get(key)?.at(-1) ?? lastBefore(stored.get(key) ?? [], fact.position);
    lives.set(key, [...(lives.get(key) ?? []), accountDocument(fact, before)]);
  }
  await inOrder(
    collection,
    [...lives].flatMap(([key, added]) => chained(linked(stored.get(key) ?? [], added))),
  );
}

function lastBefore(versions: readonly AccountDocument[], position: bigint): AccountDocument | undefined {
  const earlier = versions.filter(({ from }) => from < position);
  return earlier.reduce<AccountDocument | undefined>(
    (last, one) => (last === undefined || one.from > last.from ? one : last),
    undefined,
  );
}

function accountDocument(fact: AccountFact, before: AccountDocument | undefined): AccountDocument {
  const { ledgerId: ledger, accountId: account, state, profile, position } = fact;
  const openedPosition = fact.opened?.position ?? before?.openedPosition;
  const openedTime = fact.opened?.recordedTime ?? before?.openedTime;
  const bytes =
    profile === undefined ? before?.profile : Buffer.from(toBinary(AccountProfileSchema, profile));
  if (openedPosition === undefined || openedTime === undefined || bytes === undefined) {
    throw new Error('an account is changed that was never opened');
  }
  const { type, currency, status, freezeScope } = state;
  return {
    _id: `${ledger} ${account} ${String(position)}`,
    ledger,
    account,
    from: position,
    until: LAST,
    type,
    currency,
    status,
    freezeScope,
    owner: profile?.ownerReference ?? before?.owner ?? '',
    profile: bytes,
    openedPosition,
    openedTime,
  };
}

/** Inserts, then the ends: an end that comes before its version would be lost. */
async function inOrder<D extends Document>(
  collection: Collection<D>,
  operations: readonly AnyBulkWriteOperation<D>[],
): Promise<void> {
  await run(
    collection,
    operations.filter((operation) => 'insertOne' in operation),
  );
  await run(
    collection,
    operations.filter((operation) => !('insertOne' in operation)),
  );
}

function grouped<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group === undefined) groups.set(key(value), [value]);
    else group.push(value);
  }
  return groups;
}

function keyOf({ ledger, id }: TransactionDocument): string {
  return `${ledger} ${id}`;
}

function accountKey({ ledgerId, accountId }: AccountFact): string {
  return `${ledgerId} ${accountId}`;
}
