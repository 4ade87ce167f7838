/** Which stream an event belongs to: a chain of transactions stays in one. */
import type { DomainEvent } from './event.js';
import { invariant, unreachable } from './invariant.js';

/** No account has such an id, so that all in the stream are periods: the last one says what is closed. */
const PERIODS = '@periods';

/**
 * The account for account events, the ledger for its creation, one stream for all its periods; for transactions the root: the payment if there is one, for
 * the reversal of anything else the reversed transaction, else the transaction itself.
 */
export function streamOf(event: DomainEvent): string {
  switch (event.type) {
    case 'LedgerCreated':
      return event.ledgerId;
    case 'PeriodClosed':
    case 'PeriodReopened':
      return PERIODS;
    case 'AssetRegistered':
    case 'AccountOpened':
    case 'AccountUpdated':
    case 'AccountFrozen':
    case 'AccountUnfrozen':
    case 'AccountClosed':
      return event.account.state.accountId;
    case 'TransactionPosted':
    case 'TransactionDeclined':
    case 'TransactionUpdated':
    case 'PaymentAuthorized':
    case 'PaymentAdjusted':
    case 'PaymentVoided':
    case 'PaymentExpired': {
      const own = event.transactions[0];
      invariant(own !== undefined, `${event.type} carries its transaction`);
      return own.paymentId ?? own.reverses ?? own.transactionId;
    }
    default:
      return unreachable(event);
  }
}
