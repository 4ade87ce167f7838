/**
 * The rows that the fold expects in the history view, written by hand: fields in the order of their names, as
 * the canonical form has them.
 */
import { LimitKind } from '../../../gen/quittance/common/v1/account_pb.js';
import {
  DeclineReason,
  Direction,
  FeePayer,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { AccountState } from '../../../gen/quittance/event/v1/event_pb.js';
import { currencyExponent } from '../../../lib/base/currency.js';
import type { AccountFacts, EntryFacts, PaymentFacts, TransactionFacts } from '../fold/facts.js';
import { limitsText } from '../fold/limits-fold.js';
import { enumName, int64, list, map, plain, timestamp } from './json-text.js';

/** Whether a row is made by one event and never changed. */
export function isFixedHistoryRow(key: string): boolean {
  return key.startsWith('entry ') || key.startsWith('version ') || key.startsWith('ledger ');
}

const padded = (position: bigint): string => String(position).padStart(19, '0');

export const historyKey = {
  ledger: (ledgerId: string) => `ledger ${ledgerId}`,
  account: (ledgerId: string, accountId: string) => `account ${ledgerId} ${accountId}`,
  version: (ledgerId: string, accountId: string, position: bigint) =>
    `version ${ledgerId} ${accountId} ${padded(position)}`,
  transaction: (ledgerId: string, position: bigint) => `transaction ${ledgerId} ${padded(position)}`,
  entry: (ledgerId: string, position: bigint, index: number) =>
    `entry ${ledgerId} ${padded(position)} ${String(index).padStart(3, '0')}`,
};

/** A ledger as its creation left it. */
export interface LedgerFacts {
  readonly ledgerId: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly position: bigint;
  /** UTC microseconds. */
  readonly createTime: bigint;
}

export function ledgerContent({
  ledgerId,
  description,
  metadata,
  position,
  createTime,
}: LedgerFacts): string {
  return JSON.stringify({
    createTime: timestamp(createTime),
    description: plain(description),
    ledgerId,
    metadata: map(metadata),
    position: int64(position),
  });
}

export function accountContent(account: AccountFacts): string {
  const { type, currency, status, freezeScope, openedPosition, openedTime } = account;
  const own = [type, currency, status, freezeScope, String(openedPosition), String(openedTime)];
  const profile = {
    metadata: map(account.metadata),
    name: plain(account.name),
    ownerReference: plain(account.ownerReference),
    profileVersion: int64(account.profileVersion),
  };
  return `${JSON.stringify(own)} ${JSON.stringify(profile)}`;
}

export function versionContent(state: AccountState): string {
  const { version, credits, debits, held, overdraftLimit } = state;
  const limits = state.limits === undefined ? '' : `,${String(limitsText(state.limits))}`;
  return `["${version}","${credits}","${debits}","${held}","${overdraftLimit}"${limits}]`;
}

export function entryContent(entry: EntryFacts, effectiveTime: bigint): string {
  const { accountId, direction, amount, version, postedAfter } = entry;
  return `[${JSON.stringify(accountId)},${direction},"${amount}","${version}","${postedAfter}","${effectiveTime}"]`;
}

export function transactionContent(ledgerId: string, facts: TransactionFacts): string {
  const { payment, batch, currency, fees, entries } = facts;
  return JSON.stringify({
    actor: plain(facts.actor),
    amount: money(currency, facts.amount),
    batch:
      batch === undefined
        ? undefined
        : { batchId: batch.batchId, index: plain(batch.index), size: plain(batch.size) },
    declineReason: enumName('DECLINE_REASON', DeclineReason[facts.declineReason]),
    declinedAccountId: plain(facts.declinedAccountId),
    description: plain(facts.description),
    effectiveTime: timestamp(facts.effectiveTime),
    entries: list(entries.map(entryJson)),
    exceededLimit: enumName('LIMIT_KIND', LimitKind[facts.exceededLimit]),
    fees: list(
      fees.map(({ paidBy, toAccountId, amount }) => ({
        minorUnits: int64(amount),
        paidBy: enumName('FEE_PAYER', FeePayer[paidBy]),
        toAccountId: plain(toAccountId),
      })),
    ),
    forced: plain(facts.forced),
    kind: enumName('TRANSACTION_KIND', TransactionKind[facts.kind]),
    ledgerId,
    metadata: map(facts.metadata),
    payment: payment === undefined ? undefined : paymentJson(facts, payment),
    paymentId: plain(facts.paymentId),
    position: int64(facts.position),
    recordedTime: timestamp(facts.recordedTime),
    reference: plain(facts.reference),
    reversedByTransactionId: plain(facts.reversedBy),
    reversesTransactionId: plain(facts.reverses),
    status: enumName('TRANSACTION_STATUS', TransactionStatus[facts.status]),
    transactionId: facts.transactionId,
    version: int64(facts.version),
  });
}

/** An asset's unit names its exponent: `BTC#8`. */
function shownAs(currency: string) {
  const [code = '', digits] = currency.split('#');
  return { code, exponent: digits === undefined ? currencyExponent(code) : Number(digits) };
}

function money(currency: string, amount: bigint) {
  const { code, exponent } = shownAs(currency);
  return { currency: plain(code), exponent, minorUnits: int64(amount) };
}

function entryJson(
  { accountId, version, amount, currency, direction, postedAfter }: EntryFacts,
  index: number,
) {
  return {
    accountId,
    accountVersion: int64(version),
    amount: money(currency, amount),
    direction: enumName('DIRECTION', Direction[direction]),
    index: plain(index),
    postedAfter: int64(postedAfter),
  };
}

function paymentJson({ transactionId, version }: TransactionFacts, payment: PaymentFacts) {
  return {
    authorized: int64(payment.authorized),
    captured: int64(payment.captured),
    currency: plain(shownAs(payment.currency).code),
    expireTime: payment.expireTime === 0n ? undefined : timestamp(payment.expireTime),
    expired: int64(payment.expired),
    exponent: plain(shownAs(payment.currency).exponent ?? 0),
    fees: list(
      payment.fees.map(({ charged, paidBy, refunded, toAccountId }) => ({
        charged: int64(charged),
        paidBy: enumName('FEE_PAYER', FeePayer[paidBy]),
        refunded: int64(refunded),
        toAccountId: plain(toAccountId),
      })),
    ),
    payeeAccountId: plain(payment.payeeAccountId),
    payerAccountId: plain(payment.payerAccountId),
    paymentId: transactionId,
    refunded: int64(payment.refunded),
    reversed: int64(payment.reversed),
    version: int64(version),
    voided: int64(payment.voided),
  };
}
