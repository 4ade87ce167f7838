/** What the answers to the import's own commands say. */
import type { Account } from '../../gen/quittance/common/v1/account_pb.js';
import { AccountStatus, AccountType, FreezeScope } from '../../gen/quittance/common/v1/account_pb.js';
import { DeclineReason, TransactionStatus } from '../../gen/quittance/common/v1/transaction_pb.js';
import { type ServerError, serverErrorOf } from '../client/errors.js';
import type { Answer } from './send.js';

/** What came of one attempt at a movement. */
export type Outcome =
  | {
      readonly kind: 'posted';
      /** The account's balance right after it, in minor units. */
      readonly posted: bigint | undefined;
      /** What the account could still pay right after it; undefined: without limit. */
      readonly available: bigint | undefined;
      readonly replayed: boolean;
    }
  | {
      readonly kind: 'declined';
      readonly reason: DeclineReason;
      readonly available: bigint | undefined;
      readonly replayed: boolean;
    }
  | { readonly kind: 'refused'; readonly error: ServerError };

/** Reads the answer to a Deposit or Withdraw of an account. */
export function outcomeOf(accountId: string, answer: Answer): Outcome {
  if (answer.case === 'error') return { kind: 'refused', error: serverErrorOf(answer.value) };
  if (answer.case !== 'deposit' && answer.case !== 'withdraw') throw unexpected(answer);
  const { transaction, accounts, replayed } = answer.value;
  const balance = accounts.find((touched) => touched.accountId === accountId)?.balance;
  const available = balance?.available;
  if (transaction?.status === TransactionStatus.DECLINED)
    return { kind: 'declined', reason: transaction.declineReason, available, replayed };
  return { kind: 'posted', posted: balance?.posted, available, replayed };
}

/** An account of the ledger as the import needs to know it. */
export interface LedgerAccount {
  readonly currency: string;
  readonly posted: bigint;
  readonly held: bigint;
  /** Whether `available` has a floor at all. */
  readonly hasFloor: boolean;
  readonly overdraftLimit: bigint;
  readonly version: bigint;
  /** Whether nothing has ever been booked on it. */
  readonly isUntouched: boolean;
  /** Why movements of it are declined now; empty if they are not. */
  readonly obstacle: string;
}

/** Reads the answer to `readAccountCommand`; the error where there is none. */
export function accountOf(answer: Answer): LedgerAccount | ServerError {
  if (answer.case === 'error') return serverErrorOf(answer.value);
  if (answer.case !== 'updateAccount') throw unexpected(answer);
  const { account } = answer.value;
  if (account?.balance === undefined) throw unexpected(answer);
  const { currency, balance, overdraftLimit, type } = account;
  return {
    currency,
    posted: balance.posted,
    held: balance.held ?? 0n,
    hasFloor: type === AccountType.LIABILITY,
    overdraftLimit,
    // The answer is of the account as the change would leave it, one version on.
    version: balance.version - 1n,
    isUntouched: balance.credits === 0n && balance.debits === 0n,
    obstacle: obstacleOf(account),
  };
}

function obstacleOf({ status, freezeScope }: Account): string {
  if (status !== AccountStatus.FROZEN) return '';
  return freezeScope === FreezeScope.ALL ? 'it is frozen' : 'it is frozen for debits';
}

/** What an operator can do about a decline. */
export function remedyOf(reason: DeclineReason): string {
  switch (reason) {
    case DeclineReason.INSUFFICIENT_FUNDS:
      return 'others took money out of it during the import; the next run raises its overdraft limit to what is needed then';
    case DeclineReason.LIMIT_EXCEEDED:
      return 'raise or remove its limits (UpdateAccount)';
    case DeclineReason.ACCOUNT_FROZEN:
      return 'unfreeze it (UnfreezeAccount)';
    case DeclineReason.ACCOUNT_CLOSED:
      return 'it is closed for ever; take its later movements out of the file';
    default:
      return 'see to its cause';
  }
}

/** An answer that the contracts do not allow. */
function unexpected(answer: Answer): Error {
  return new Error(`the server gave an answer of another kind (${String(answer.case)})`);
}
