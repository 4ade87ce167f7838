/**
 * The rows of the history view in a form that no store changes: what rebuilds and VerifyLedger compare. A
 * space stands between the parts of a key: it sorts before every character of an id, so that keys sort by
 * code units as their parts do.
 */
import {
  type Ledger,
  LedgerSchema,
  type Transaction,
  TransactionSchema,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type AccountLimits,
  type AccountProfile,
  AccountProfileSchema,
  type AccountState,
} from '../../../gen/quittance/event/v1/event_pb.js';
import { limitsText } from '../../log/limits-of.js';
import type { ViewRow } from '../view.js';
import { canonicalJson } from './canonical-json.js';

/** The kinds of rows, in the order of their keys. */
export const ROW_KINDS = ['account', 'entry', 'ledger', 'transaction', 'version'] as const;

/** The kind of a row: what its key begins with. */
export type RowKind = (typeof ROW_KINDS)[number];

/** The parts of a row's key. Only those that its kind has are set. */
export interface RowKey {
  readonly kind: RowKind;
  readonly ledgerId: string;
  /** Of accounts and versions. */
  readonly accountId?: string | undefined;
  /** Of entries, transactions and versions. */
  readonly position?: bigint;
  /** Of entries. */
  readonly index?: number | undefined;
}

const POSITION_DIGITS = 19;
const INDEX_DIGITS = 3;

/** The parts of a key as one text. */
export function formatRowKey({ kind, ledgerId, accountId, position, index }: RowKey): string {
  const parts: string[] = [kind, ledgerId];
  if (accountId !== undefined) parts.push(accountId);
  if (position !== undefined) parts.push(position.toString().padStart(POSITION_DIGITS, '0'));
  if (index !== undefined) parts.push(index.toString().padStart(INDEX_DIGITS, '0'));
  return parts.join(' ');
}

/** The parts of a key that formatRowKey made. @throws RangeError of anything else. */
export function parseRowKey(key: string): RowKey {
  const [kind, ledgerId, third, fourth] = key.split(' ');
  if (ledgerId === undefined || third === undefined) {
    if (kind === 'ledger' && ledgerId !== undefined) return { kind, ledgerId };
  } else if (kind === 'account') {
    return { kind, ledgerId, accountId: third };
  } else if (kind === 'transaction') {
    return { kind, ledgerId, position: BigInt(third) };
  } else if (fourth !== undefined) {
    if (kind === 'entry') return { kind, ledgerId, position: BigInt(third), index: Number(fourth) };
    if (kind === 'version') return { kind, ledgerId, accountId: third, position: BigInt(fourth) };
  }
  throw new RangeError('not the key of a row of the history view');
}

/** A ledger. */
export function ledgerRow(ledger: Ledger): ViewRow {
  const { ledgerId, position } = ledger;
  return {
    key: formatRowKey({ kind: 'ledger', ledgerId }),
    position,
    content: canonicalJson(LedgerSchema, ledger),
  };
}

/** What an account's own events say of it; its money is in its versions. */
export interface AccountRow {
  readonly ledgerId: string;
  /** Its overdraft limit, limits and money are not read: they are the versions'. */
  readonly state: AccountState;
  readonly profile: AccountProfile;
  readonly openedPosition: bigint;
  /** UTC microseconds. */
  readonly openedTime: bigint;
  /** Of the last account event. */
  readonly position: bigint;
}

/** An account, without its money. */
export function accountRow({
  ledgerId,
  state,
  profile,
  openedPosition,
  openedTime,
  position,
}: AccountRow): ViewRow {
  const { accountId, type, currency, status, freezeScope } = state;
  const own = [type, currency, status, freezeScope, String(openedPosition), String(openedTime)];
  return {
    key: formatRowKey({ kind: 'account', ledgerId, accountId }),
    position,
    content: `${JSON.stringify(own)} ${canonicalJson(AccountProfileSchema, profile)}`,
  };
}

/** The money of an account after an event. */
export function versionRow(
  ledgerId: string,
  state: Pick<AccountState, 'accountId' | 'version' | 'credits' | 'debits' | 'held' | 'overdraftLimit'>,
  limits: AccountLimits | undefined,
  position: bigint,
): ViewRow {
  const { accountId, version, credits, debits, held, overdraftLimit } = state;
  const ofLimits = limits === undefined ? '' : `,${String(limitsText(limits))}`;
  return {
    key: formatRowKey({ kind: 'version', ledgerId, accountId, position }),
    position,
    content: `["${version}","${credits}","${debits}","${held}","${overdraftLimit}"${ofLimits}]`,
  };
}

/** A transaction as the event at `changedPosition` left it. */
export function transactionRow(transaction: Transaction, changedPosition: bigint): ViewRow {
  const { ledgerId, position } = transaction;
  return {
    key: formatRowKey({ kind: 'transaction', ledgerId, position }),
    position: changedPosition,
    content: canonicalJson(TransactionSchema, transaction),
  };
}

/** What the row of an entry says. */
export interface CanonicalEntry {
  readonly ledgerId: string;
  readonly position: bigint;
  readonly index: number;
  readonly accountId: string;
  readonly direction: number;
  readonly amount: bigint;
  readonly version: bigint;
  readonly postedAfter: bigint;
  readonly effectiveTime: bigint;
}

/** A posted entry; what is its transaction's is in the transaction's row. */
export function entryRow(entry: CanonicalEntry): ViewRow {
  const { ledgerId, position, index, accountId, direction, amount, version, postedAfter } = entry;
  // A template takes half of what JSON.stringify of a list takes, and there are many entries.
  const numbers = `"${amount}","${version}","${postedAfter}","${entry.effectiveTime}"`;
  return {
    key: formatRowKey({ kind: 'entry', ledgerId, position, index }),
    position,
    content: `[${JSON.stringify(accountId)},${direction},${numbers}]`,
  };
}
