/**
 * A page of a statement with its balances. Entries do not change: all up to a position are there once the
 * checkpoint is.
 */
import type { Collection, Filter } from 'mongodb';
import type { EntryDocument, HistoryCollections } from './documents.js';
import { throughOf, upTo, validAt } from './lists.js';
import { type PositionRange, recordedPositions } from './recorded.js';
import { entryOf } from './values.js';
import type { StatementPage, StatementQuery } from '../view.js';

type Entries = Filter<EntryDocument>;

/** Undefined if the account does not exist at the query's end. */
export async function readStatement(
  { accounts, entries, transactions }: HistoryCollections,
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
  const { currency } = opened;
  const of = { ledger, account };
  if (basis === 'effective') {
    const own: Entries = { ...of, position: upTo(through) };
    const lines = await entries
      .find({ ...own, ...effectiveLines(query) })
      .sort({ effective: 1, position: 1, index: 1 })
      .limit(query.limit)
      .toArray();
    return { ...(await byEffective(entries, own, query)), lines: lines.map(entryOf), currency };
  }
  const recorded = await recordedPositions(transactions, ledger, range, through);
  const lines = await entries
    .find({ ...of, ...recordedLines(recorded, query) })
    .sort({ position: 1, index: 1 })
    .limit(query.limit)
    .toArray();
  return {
    ...(await byRecorded(entries, of, recorded, { through, after: query.after })),
    lines: lines.map(entryOf),
    currency,
  };
}

const FIRST = -(2n ** 63n);
const LAST = 2n ** 63n - 1n;

/** The bound of the time alone is for the index; the rest for the lines of one time. */
function effectiveLines({ range, after }: StatementQuery): Entries {
  const from = range.from ?? FIRST;
  const $lt = range.to ?? LAST;
  if (after === null) return { effective: { $gte: from, $lt } };
  const { time } = after;
  return {
    effective: { $gte: time > from ? time : from, $lt },
    $or: [{ effective: { $gt: time } }, { effective: time, ...beyond(after) }],
  };
}

/** The bound of the position alone is for the index; the rest for the entries of one event. */
function recordedLines({ from, to }: PositionRange, { after }: StatementQuery): Entries {
  if (after === null) return { position: { $gte: from, $lt: to } };
  const { position } = after;
  return { position: { $gte: position > from ? position : from, $lt: to }, ...beyond(after) };
}

function beyond({ position, index }: NonNullable<StatementQuery['after']>): Entries {
  return { $or: [{ position: { $gt: position } }, { position, index: { $gt: index } }] };
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
  of: Entries,
  { from, to }: PositionRange,
  { through, after }: { readonly through: bigint; readonly after: StatementQuery['after'] },
): Promise<Balances> {
  const end = to < from ? from : to;
  const [opening, closing] = await Promise.all([
    postedAfter(entries, { ...of, position: { $lt: from } }),
    postedAfter(entries, { ...of, position: { $lt: end } }),
  ]);
  if (after === null) return { opening, closing, broughtForward: opening };
  const { position, index } = after;
  const last = await lastOf(entries, {
    ...of,
    position: upTo(position < through ? position : through),
    $or: [{ position: { $lt: position } }, { position, index: { $lte: index } }],
  });
  const isBeyond = last !== null && last.position >= from;
  return { opening, closing, broughtForward: isBeyond ? last.postedAfter : opening };
}

async function postedAfter(entries: Collection<EntryDocument>, filter: Entries): Promise<bigint> {
  return (await lastOf(entries, filter))?.postedAfter ?? 0n;
}

function lastOf(entries: Collection<EntryDocument>, filter: Entries): Promise<EntryDocument | null> {
  return entries.find(filter).sort({ position: -1, index: -1 }).limit(1).next();
}
