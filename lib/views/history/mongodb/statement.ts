/**
 * A page of a statement with its balances. Entries do not change: all up to a position are there once the
 * checkpoint is.
 */
import type { Collection, Filter } from 'mongodb';
import type { EntryDocument, HistoryCollections } from './documents.js';
import { throughOf, upTo, validAt } from './lists.js';
import { entryOf } from './values.js';
import type { StatementPage, StatementQuery } from '../view.js';

type Entries = Filter<EntryDocument>;

/** Undefined if the account does not exist at the query's end. */
export async function readStatement(
  { accounts, entries }: HistoryCollections,
  query: StatementQuery,
  at: bigint,
): Promise<StatementPage | undefined> {
  const { ledgerId: ledger, accountId: account, range, basis } = query;
  const through = throughOf(query.through, at);
  const opened = await accounts.findOne({
    ledger,
    account,
    openedPosition: upTo(through),
    ...validAt(at),
  });
  if (opened === null) return undefined;
  const own: Entries = { ledger, account, position: upTo(through) };
  const lines = await entries
    .find({ ...own, [basis]: timesIn(range.from, range.to), ...afterKey(query) })
    .sort(basis === 'effective' ? { effective: 1, position: 1, index: 1 } : { position: 1, index: 1 })
    .limit(query.limit)
    .toArray();
  const balances =
    basis === 'effective' ? await byEffective(entries, own, query) : await byRecorded(entries, own, query);
  return { ...balances, lines: lines.map(entryOf), currency: opened.currency };
}

const FIRST = -(2n ** 63n);
const LAST = 2n ** 63n - 1n;

function timesIn(from: bigint | null, to: bigint | null): { $gte: bigint; $lt: bigint } {
  return { $gte: from ?? FIRST, $lt: to ?? LAST };
}

function afterKey({ basis, after }: StatementQuery): Entries {
  if (after === null) return {};
  const { time, position, index } = after;
  const inEvent = { $or: [{ position: { $gt: position } }, { position, index: { $gt: index } }] };
  if (basis === 'recorded') return inEvent;
  return { $or: [{ effective: { $gt: time } }, { effective: time, ...inEvent }] };
}

type Balances = Pick<StatementPage, 'opening' | 'closing' | 'broughtForward'>;

/** Sums over the covering index. */
async function byEffective(
  entries: Collection<EntryDocument>,
  own: Entries,
  { range, after }: StatementQuery,
): Promise<Balances> {
  const { from, to } = range;
  const end = from !== null && (to ?? LAST) < from ? from : (to ?? LAST);
  const before: Entries = { ...own, effective: { $lt: from ?? FIRST } };
  const [opening, closing, paged] = await Promise.all([
    from === null ? 0n : sumOf(entries, before),
    sumOf(entries, { ...own, effective: { $lt: end } }),
    after === null ? 0n : sumOf(entries, { ...own, ...throughKey(after) }),
  ]);
  const isBeyond = after !== null && after.time >= (from ?? FIRST);
  return { opening, closing, broughtForward: isBeyond ? paged : opening };
}

function throughKey({ time, position, index }: NonNullable<StatementQuery['after']>): Entries {
  return {
    $or: [
      { effective: { $lt: time } },
      { effective: time, $or: [{ position: { $lt: position } }, { position, index: { $lte: index } }] },
    ],
  };
}

async function sumOf(entries: Collection<EntryDocument>, filter: Entries): Promise<bigint> {
  const [sum] = await entries
    .aggregate<{ signed: bigint | number }>([
      { $match: filter },
      { $group: { _id: null, signed: { $sum: '$signed' } } },
    ])
    .toArray();
  return BigInt(sum?.signed ?? 0n);
}

/** Looked up: each entry says what was posted after it. */
async function byRecorded(
  entries: Collection<EntryDocument>,
  own: Entries,
  { range, after }: StatementQuery,
): Promise<Balances> {
  const { from, to } = range;
  const end = from !== null && (to ?? LAST) < from ? from : (to ?? LAST);
  const [opening, closing] = await Promise.all([
    from === null ? 0n : postedAfter(entries, { ...own, recorded: { $lt: from } }),
    postedAfter(entries, { ...own, recorded: { $lt: end } }),
  ]);
  if (after === null) return { opening, closing, broughtForward: opening };
  const { position, index } = after;
  const read: Entries = {
    $and: [own, { $or: [{ position: { $lt: position } }, { position, index: { $lte: index } }] }],
  };
  const last = await lastOf(entries, read);
  const isBeyond = last !== null && last.recorded >= (from ?? FIRST);
  return { opening, closing, broughtForward: isBeyond ? last.postedAfter : opening };
}

async function postedAfter(entries: Collection<EntryDocument>, filter: Entries): Promise<bigint> {
  return (await lastOf(entries, filter))?.postedAfter ?? 0n;
}

function lastOf(entries: Collection<EntryDocument>, filter: Entries): Promise<EntryDocument | null> {
  return entries.find(filter).sort({ position: -1, index: -1 }).limit(1).next();
}
