/** What documents of the history say, in the words of every store. */
import { type AccountRecord, entryIn, transactionIn } from '../records.js';
import type { Transaction } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import type { AccountDocument, EntryDocument, TransactionDocument, VersionDocument } from './documents.js';
import type { EntryRow } from '../view.js';

/** An account with its money as of a version. */
export function accountRecord(account: AccountDocument, version: VersionDocument): AccountRecord {
  return {
    ledger_id: account.ledger,
    account_id: account.account,
    type: account.type,
    currency: account.currency,
    status: account.status,
    freeze_scope: account.freezeScope,
    profile: account.profile,
    opened_position: account.openedPosition,
    opened_time: account.openedTime,
    position: version.position,
    version: version.version,
    credits: version.credits,
    debits: version.debits,
    held: version.held,
    overdraft_limit: version.overdraftLimit,
    limits: version.limits ?? null,
  };
}

export function transactionValue({ position, from, event, change }: TransactionDocument): Transaction {
  return transactionIn({ position, changed_position: from, event, change });
}

export function entryOf(document: EntryDocument): EntryRow {
  return entryIn({
    position: document.position,
    entry: document.index,
    account_id: document.account,
    direction: document.direction,
    amount: document.amount,
    version: document.version,
    posted_after: document.postedAfter,
    effective_time: document.effective,
    currency: document.currency,
    transaction_id: document.transaction,
    kind: document.kind,
    recorded_time: document.recorded,
  });
}
