/** The decision: one command against one ledger. */
import { withUnits } from './assets.js';
import type { Command } from './command.js';
import {
  decideCloseAccount,
  decideFreezeAccount,
  decideOpenAccount,
  decideUnfreezeAccount,
  decideUpdateAccount,
} from './decide-account.js';
import { decideCash } from './decide-cash.js';
import { decideCapturePayment, decideExpirePayment, decideVoidPayment } from './decide-hold.js';
import { decideJournal } from './decide-journal.js';
import { decideCreateLedger, decideRegisterAsset } from './decide-ledger.js';
import { decideAdjustAuthorization } from './decide-adjustment.js';
import { decideAuthorizePayment, decideSubmitPayment } from './decide-payment.js';
import { decideClosePeriod, decideReopenPeriod } from './decide-period.js';
import { decideRefundPayment } from './decide-refund.js';
import { decideReverseTransaction } from './decide-reversal.js';
import { decideUpdateTransaction } from './decide-transaction.js';
import { type Decision, type LedgerReader, refuse } from './decision.js';
import { findMissing } from './existence.js';
import { unreachable } from './invariant.js';

/**
 * Decides a command whose shape is right and which was not decided before. `now` is the recorded time of its first
 * event, UTC microseconds; a second event has now + 1. Order of checks: existence, expected version, errors of state,
 * declines. Changes nothing; what the reader throws passes through.
 * @throws Error if an invariant is broken, which no command may achieve.
 */
export function decide(command: Command, ledger: LedgerReader, now: bigint): Decision {
  const missing = findMissing(command, ledger);
  if (missing !== null) return refuse(missing);
  return decideFound(withUnits(command, ledger), ledger, now);
}

/** What the command names exists, and its amounts are in units. */
function decideFound(command: Command, ledger: LedgerReader, now: bigint): Decision {
  switch (command.type) {
    case 'CreateLedger':
      return decideCreateLedger(command, ledger);
    case 'RegisterAsset':
      return decideRegisterAsset(command, ledger);
    case 'ClosePeriod':
      return decideClosePeriod(command, ledger, now);
    case 'ReopenPeriod':
      return decideReopenPeriod(command, ledger);
    case 'OpenAccount':
      return decideOpenAccount(command, ledger);
    case 'UpdateAccount':
      return decideUpdateAccount(command, ledger);
    case 'FreezeAccount':
      return decideFreezeAccount(command, ledger);
    case 'UnfreezeAccount':
      return decideUnfreezeAccount(command, ledger);
    case 'CloseAccount':
      return decideCloseAccount(command, ledger);
    case 'Deposit':
    case 'Withdraw':
      return decideCash(command, ledger, now);
    case 'SubmitPayment':
      return decideSubmitPayment(command, ledger, now);
    case 'AuthorizePayment':
      return decideAuthorizePayment(command, ledger, now);
    case 'AdjustAuthorization':
      return decideAdjustAuthorization(command, ledger, now);
    case 'CapturePayment':
      return decideCapturePayment(command, ledger, now);
    case 'VoidPayment':
      return decideVoidPayment(command, ledger, now);
    case 'ExpirePayment':
      return decideExpirePayment(command, ledger, now);
    case 'RefundPayment':
      return decideRefundPayment(command, ledger, now);
    case 'PostTransaction':
      return decideJournal(command, ledger, now);
    case 'ReverseTransaction':
      return decideReverseTransaction(command, ledger, now);
    case 'UpdateTransaction':
      return decideUpdateTransaction(command, ledger);
    default:
      return unreachable(command);
  }
}
