/** The reports by the book: one pass over all events, nothing remembered. What adapters are compared with. */
import { AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import type { Money } from '../../../../gen/quittance/common/v1/money_pb.js';
import type { TransactionKind } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import {
  Direction,
  type Transaction,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { transactionOf } from '../../../log/transaction-of.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { unitOf } from '../../../base/currency.js';
import { microsOf } from '../../../base/time.js';
import type {
  BucketQuery,
  CashFlowQuery,
  CashFlowRow,
  DeclineRow,
  RankedRow,
  RankQuery,
  TimeBasis,
  TrialBalance,
  TrialBalanceGroup,
  TrialBalanceQuery,
  TrialBalanceRow,
  VolumeRow,
} from '../view.js';

interface Dated {
  readonly effective: bigint;
  readonly recorded: bigint;
}

interface Movement extends Dated {
  readonly accountId: string;
  readonly type: AccountType;
  readonly currency: string;
  readonly kind: TransactionKind;
  readonly debit: bigint;
  readonly credit: bigint;
}

type Scope = Pick<BucketQuery, 'ledgerId' | 'through' | 'currency'>;

/** Reports know units. */
function unitIn(amount: Money | undefined): string {
  return amount?.exponent === undefined ? '' : unitOf(amount.currency, amount.exponent);
}

function transactionsOf(
  events: readonly RecordedEvent[],
  { ledgerId, through }: Scope,
  status: TransactionStatus,
): { transaction: Transaction; times: Dated; types: ReadonlyMap<string, AccountType> }[] {
  return events.flatMap(({ event, position }) => {
    if (event.ledgerId !== ledgerId || (through !== null && position > through)) return [];
    const transaction = transactionOf(event);
    const payload = event.payload.value;
    if (transaction?.status !== status || payload === undefined || !('accounts' in payload)) return [];
    const times = { effective: timeOf(transaction.effectiveTime), recorded: event.recordedTimeMicros };
    const types = new Map(payload.accounts.map((account) => [account.accountId, account.type]));
    return [{ transaction, times, types }];
  });
}

function movementsOf(events: readonly RecordedEvent[], scope: Scope): Movement[] {
  return transactionsOf(events, scope, TransactionStatus.POSTED).flatMap(({ transaction, times, types }) =>
    transaction.entries.flatMap(({ accountId, direction, amount }) => {
      const currency = unitIn(amount);
      if (scope.currency !== '' && scope.currency !== currency) return [];
      const units = amount?.minorUnits ?? 0n;
      const isDebit = direction === Direction.DEBIT;
      const type = types.get(accountId) ?? AccountType.UNSPECIFIED;
      const sides = { debit: isDebit ? units : 0n, credit: isDebit ? 0n : units };
      return [{ ...times, ...sides, accountId, type, currency, kind: transaction.kind }];
    }),
  );
}

function groupOf(
  { type, accountId }: Pick<Movement, 'type' | 'accountId'>,
  groupBy: TrialBalanceGroup,
): string {
  if (groupBy === 'type') return AccountType[type];
  if (groupBy === 'account') return accountId;
  return accountId.split(':').slice(0, groupBy.prefix).join(':');
}

export function naiveTrialBalance(events: readonly RecordedEvent[], query: TrialBalanceQuery): TrialBalance {
  const { basis, before, groupBy, after, limit } = query;
  const rows = new Map<string, TrialBalanceRow>();
  const totals = new Map<string, { currency: string; debits: bigint; credits: bigint }>();
  for (const move of movementsOf(events, query)) {
    if (before !== null && move[basis] >= before) continue;
    const key = groupOf(move, groupBy);
    const at = `${move.currency} ${key}`;
    const row = rows.get(at);
    rows.set(at, {
      currency: move.currency,
      key,
      type: row === undefined || row.type === move.type ? move.type : AccountType.UNSPECIFIED,
      debits: (row?.debits ?? 0n) + move.debit,
      credits: (row?.credits ?? 0n) + move.credit,
    });
    const total = totals.get(move.currency) ?? { currency: move.currency, debits: 0n, credits: 0n };
    total.debits += move.debit;
    total.credits += move.credit;
    totals.set(move.currency, total);
  }
  const first = after === null ? '' : `${after.currency} ${after.key}`;
  return {
    rows: sorted(rows)
      .filter(([at]) => at > first)
      .map(([, row]) => row)
      .slice(0, limit),
    totals: sorted(totals).map(([, total]) => total),
  };
}

export function naiveVolume(events: readonly RecordedEvent[], query: BucketQuery): VolumeRow[] {
  const rows = new Map<string, VolumeRow>();
  for (const { transaction, times } of transactionsOf(events, query, TransactionStatus.POSTED)) {
    const bucket = bucketOf(times, query.basis, query.bounds);
    if (bucket === undefined) continue;
    for (const [currency, principal] of principals(transaction)) {
      if (query.currency !== '' && query.currency !== currency) continue;
      const at = keyOf(bucket, currency, transaction.kind);
      const { count = 0n, volume = 0n } = rows.get(at) ?? {};
      rows.set(at, {
        bucket,
        currency,
        kind: transaction.kind,
        count: count + 1n,
        volume: volume + principal,
      });
    }
  }
  return sorted(rows).map(([, row]) => row);
}

/** By currency: the principal, and what a journal moved in its other currencies. */
function principals({ amount, entries }: Transaction): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const entry of entries) {
    const currency = unitIn(entry.amount);
    const debit = entry.direction === Direction.DEBIT ? (entry.amount?.minorUnits ?? 0n) : 0n;
    found.set(currency, (found.get(currency) ?? 0n) + debit);
  }
  if (amount !== undefined) found.set(unitIn(amount), amount.minorUnits);
  return found;
}

export function naiveDeclines(events: readonly RecordedEvent[], query: BucketQuery): DeclineRow[] {
  const rows = new Map<string, DeclineRow>();
  for (const { transaction, times } of transactionsOf(events, query, TransactionStatus.DECLINED)) {
    const bucket = bucketOf(times, 'recorded', query.bounds);
    const currency = unitIn(transaction.amount);
    const minorUnits = transaction.amount?.minorUnits ?? 0n;
    if (bucket === undefined || (query.currency !== '' && query.currency !== currency)) continue;
    const reason = transaction.declineReason;
    const at = keyOf(bucket, currency, reason);
    const { count = 0n, volume = 0n } = rows.get(at) ?? {};
    rows.set(at, { bucket, currency, reason, count: count + 1n, volume: volume + minorUnits });
  }
  return sorted(rows).map(([, row]) => row);
}

export function naiveCashFlow(events: readonly RecordedEvent[], query: CashFlowQuery): CashFlowRow[] {
  const rows = new Map<string, CashFlowRow>();
  for (const move of movementsOf(events, query)) {
    const bucket = bucketOf(move, query.basis, query.bounds);
    const isWanted =
      query.accountId === null ? move.type === AccountType.ASSET : move.accountId === query.accountId;
    if (bucket === undefined || !isWanted) continue;
    const at = keyOf(bucket, move.currency, move.kind);
    const { debits = 0n, credits = 0n } = rows.get(at) ?? {};
    rows.set(at, {
      bucket,
      currency: move.currency,
      kind: move.kind,
      debits: debits + move.debit,
      credits: credits + move.credit,
    });
  }
  return sorted(rows).map(([, row]) => row);
}

export function naiveRank(events: readonly RecordedEvent[], query: RankQuery): RankedRow[] {
  const rows = new Map<string, RankedRow>();
  for (const move of movementsOf(events, query)) {
    const time = move[query.basis];
    if (move.type !== AccountType.LIABILITY) continue;
    if ((query.from !== null && time < query.from) || (query.to !== null && time >= query.to)) continue;
    const { debits = 0n, credits = 0n, count = 0n } = rows.get(move.accountId) ?? {};
    rows.set(move.accountId, {
      accountId: move.accountId,
      debits: debits + move.debit,
      credits: credits + move.credit,
      count: count + 1n,
    });
  }
  const figure = (row: RankedRow) => (query.by === 'posted' ? row.credits - row.debits : row[query.by]);
  return sorted(rows)
    .map(([, row]) => row)
    .sort((a, b) => (figure(a) === figure(b) ? 0 : figure(a) > figure(b) ? -1 : 1))
    .slice(0, query.limit);
}

function bucketOf(times: Dated, basis: TimeBasis, bounds: readonly bigint[]): number | undefined {
  const time = times[basis];
  const at = bounds.findIndex((bound, index) => bound <= time && time < (bounds[index + 1] ?? bound));
  return at < 0 ? undefined : at;
}

function keyOf(bucket: number, currency: string, kind: number): string {
  return `${String(bucket).padStart(4, '0')} ${currency} ${String(kind)}`;
}

function sorted<T>(rows: ReadonlyMap<string, T>): [string, T][] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}

function timeOf(timestamp: Transaction['effectiveTime']): bigint {
  if (timestamp === undefined) throw new Error('a transaction has its time');
  return microsOf(timestamp);
}
