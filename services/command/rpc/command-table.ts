/** Every kind of command that the API takes, under the name of its case. To add one: docs/add-a-command.md. */
import type { CommandMethod, Kind, RequestOf } from './command-method.js';
import { adjustAuthorization } from './commands/adjust-authorization.js';
import { authorizePayment } from './commands/authorize-payment.js';
import { capturePayment } from './commands/capture-payment.js';
import { closeAccount } from './commands/close-account.js';
import { closePeriod } from './commands/close-period.js';
import { createLedger } from './commands/create-ledger.js';
import { deposit } from './commands/deposit.js';
import { freezeAccount } from './commands/freeze-account.js';
import { openAccount } from './commands/open-account.js';
import { postTransaction } from './commands/post-transaction.js';
import { registerAsset } from './commands/register-asset.js';
import { refundPayment } from './commands/refund-payment.js';
import { reopenPeriod } from './commands/reopen-period.js';
import { reverseTransaction } from './commands/reverse-transaction.js';
import { submitPayment } from './commands/submit-payment.js';
import { unfreezeAccount } from './commands/unfreeze-account.js';
import { updateAccount } from './commands/update-account.js';
import { updateTransaction } from './commands/update-transaction.js';
import { voidPayment } from './commands/void-payment.js';
import { withdraw } from './commands/withdraw.js';
import type { Command, MovementCommand } from '../domain/command.js';

type CommandTable = { readonly [K in Kind]: CommandMethod<K> };

export const COMMANDS: CommandTable = {
  createLedger,
  registerAsset,
  closePeriod,
  reopenPeriod,
  openAccount,
  updateAccount,
  freezeAccount,
  unfreezeAccount,
  closeAccount,
  deposit,
  withdraw,
  submitPayment,
  authorizePayment,
  adjustAuthorization,
  capturePayment,
  voidPayment,
  refundPayment,
  postTransaction,
  reverseTransaction,
  updateTransaction,
};

/** The command of a request whose contract rules were checked. @throws CallError for what the message alone shows */
export function toCommand<K extends Kind>(kind: K, request: RequestOf<K>): Command {
  return COMMANDS[kind].toCommand(request);
}

/** The same for a command that an ATOMIC batch takes; undefined if it takes no such command. */
export function toMovement<K extends Kind>(kind: K, request: RequestOf<K>): MovementCommand | undefined {
  return COMMANDS[kind].toMovement?.(request);
}
