/**
 * Pages of canonical rows of the history view in MongoDB: of each kind, ledger by ledger, each as of its own
 * checkpoint.
 */
import { create, fromBinary } from '@bufbuild/protobuf';
import { LedgerSchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountProfileSchema, AccountStateSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import { limitsIn } from '../../../log/limits-of.js';
import type { RowPage, ViewRow } from '../../view.js';
import {
  accountRow,
  entryRow,
  ledgerRow,
  parseRowKey,
  ROW_KINDS,
  type RowKey,
  type RowKind,
  transactionRow,
  versionRow,
} from '../canonical.js';
import type { HistoryCollections } from './documents.js';
import { upTo, validAt } from './lists.js';
import { transactionValue } from './values.js';

/** Where the partition of a ledger stands. */
export type PositionOf = (ledgerId: string) => Promise<bigint>;

export async function readRows(
  collections: HistoryCollections,
  positionOf: PositionOf,
  page: RowPage,
): Promise<readonly ViewRow[]> {
  const after = page.afterKey === null ? undefined : parseRowKey(page.afterKey);
  const first = after === undefined ? 0 : ROW_KINDS.indexOf(after.kind);
  const rows: ViewRow[] = [];
  for (const kind of ROW_KINDS.slice(first)) {
    const begin = after?.kind === kind ? after : undefined;
    let ledger = page.ledgerId ?? (await nextLedger(collections, begin?.ledgerId ?? '', true));
    while (ledger !== undefined && rows.length < page.limit) {
      const from = begin?.ledgerId === ledger ? begin : undefined;
      const at = await positionOf(ledger);
      rows.push(...(await READERS[kind]({ collections, ledger, at, limit: page.limit - rows.length }, from)));
      ledger = page.ledgerId === null ? await nextLedger(collections, ledger, false) : undefined;
    }
    if (rows.length >= page.limit) break;
  }
  return rows;
}

async function nextLedger(
  { ledgers }: HistoryCollections,
  from: string,
  itself: boolean,
): Promise<string | undefined> {
  const bound = itself ? { $gte: from } : { $gt: from };
  const found = await ledgers.find({ _id: bound }).sort({ _id: 1 }).limit(1).next();
  return found?._id;
}

interface Reading {
  readonly collections: HistoryCollections;
  readonly ledger: string;
  readonly at: bigint;
  readonly limit: number;
}

type Reader = (reading: Reading, after: RowKey | undefined) => Promise<ViewRow[]>;

const READERS: Readonly<Record<RowKind, Reader>> = {
  account: async ({ collections, ledger, at, limit }, after) => {
    const found = await collections.accounts
      .find({ ledger, account: { $gt: after?.accountId ?? '' }, ...validAt(at) })
      .sort({ account: 1 })
      .limit(limit)
      .toArray();
    return found.map((one) =>
      accountRow({
        ledgerId: ledger,
        state: create(AccountStateSchema, {
          accountId: one.account,
          type: one.type,
          currency: one.currency,
          status: one.status,
          freezeScope: one.freezeScope,
        }),
        profile: fromBinary(AccountProfileSchema, one.profile),
        openedPosition: one.openedPosition,
        openedTime: one.openedTime,
        position: one.from,
      }),
    );
  },
  entry: async ({ collections, ledger, at, limit }, after) => {
    const { position = -1n, index = -1 } = after ?? {};
    const found = await collections.entries
      .find({
        ledger,
        position: { $gte: position, ...upTo(at) },
        $or: [{ position: { $gt: position } }, { position, index: { $gt: index } }],
      })
      .sort({ position: 1, index: 1 })
      .limit(limit)
      .toArray();
    return found.map((one) =>
      entryRow({ ...one, ledgerId: ledger, accountId: one.account, effectiveTime: one.effective }),
    );
  },
  ledger: async ({ collections, ledger, at }, after) => {
    if (after !== undefined) return [];
    const found = await collections.ledgers.findOne({ _id: ledger, position: upTo(at) });
    return found === null ? [] : [ledgerRow(fromBinary(LedgerSchema, found.document))];
  },
  transaction: async ({ collections, ledger, at, limit }, after) => {
    const found = await collections.transactions
      .find({ ledger, position: { $gt: after?.position ?? -1n, ...upTo(at) }, ...validAt(at) })
      .sort({ position: 1 })
      .limit(limit)
      .toArray();
    return found.map((one) => transactionRow(transactionValue(one), one.from));
  },
  version: async ({ collections, ledger, at, limit }, after) => {
    const { accountId: account = '', position = -1n } = after ?? {};
    const found = await collections.versions
      .find({
        ledger,
        account: { $gte: account },
        position: upTo(at),
        $or: [{ account: { $gt: account } }, { account, position: { $gt: position } }],
      })
      .sort({ account: 1, position: 1 })
      .limit(limit)
      .toArray();
    return found.map((one) =>
      versionRow(ledger, { ...one, accountId: one.account }, limitsIn(one.limits ?? null), one.position),
    );
  },
};
