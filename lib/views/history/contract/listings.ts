/** Queries without filters, to which a test adds its own. */
import { AccountStatus, AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import { Direction, TransactionStatus } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import type {
  AccountListing,
  EntryListing,
  OpenHoldListing,
  StatementQuery,
  TimeRange,
  TransactionListing,
} from '../view.js';

export const OPEN: TimeRange = { from: null, to: null };

export function accountListing(ledgerId: string): AccountListing {
  return {
    partition: 0,
    ledgerId,
    idPrefix: '',
    currency: '',
    type: AccountType.UNSPECIFIED,
    status: AccountStatus.UNSPECIFIED,
    ownerReference: '',
    after: null,
    through: null,
    limit: 1000,
  };
}

export function transactionListing(ledgerId: string): TransactionListing {
  return {
    partition: 0,
    ledgerId,
    accountId: '',
    kinds: [],
    status: TransactionStatus.UNSPECIFIED,
    reference: '',
    paymentId: '',
    recorded: OPEN,
    effective: OPEN,
    descending: false,
    after: null,
    through: null,
    limit: 1000,
  };
}

export function holdListing(ledgerId: string): OpenHoldListing {
  return {
    partition: 0,
    ledgerId,
    expire: OPEN,
    descending: false,
    after: null,
    through: null,
    limit: 1000,
  };
}

export function entryListing(ledgerId: string): EntryListing {
  return {
    partition: 0,
    ledgerId,
    accountId: '',
    kinds: [],
    direction: Direction.UNSPECIFIED,
    transactionId: '',
    recorded: OPEN,
    effective: OPEN,
    descending: false,
    after: null,
    through: null,
    limit: 1000,
  };
}

export function statementQuery(ledgerId: string, accountId: string): StatementQuery {
  return {
    partition: 0,
    ledgerId,
    accountId,
    basis: 'effective',
    range: OPEN,
    through: null,
    after: null,
    limit: 1000,
  };
}
