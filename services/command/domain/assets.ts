/**
 * Assets of a ledger beside the currencies of ISO 4217. The settlement account of an asset is opened when it is registered, and
 * its currency is the unit: whether there is such an account says whether there is the asset.
 */
import { assetExponent, settlementAccountId } from './account.js';
import type { Amount, Command, MovementCommand, OpenAccount } from './command.js';
import { type LedgerReader, type Refusal, refusal } from './decision.js';
import { invariant } from './invariant.js';

interface NamedAsset {
  readonly code: string;
  /** The exponent that the caller gave; null: none. */
  readonly exponent: number | null;
  /** The field that names it, in snake_case. */
  readonly field: string;
}

const NONE: readonly NamedAsset[] = [];

/** The codes that a command gives as a currency and that ISO 4217 does not list. */
function assetsNamed(command: Command): readonly NamedAsset[] {
  switch (command.type) {
    case 'OpenAccount':
      return command.asset === undefined
        ? NONE
        : [{ code: command.currency, exponent: command.asset.exponent, field: 'currency' }];
    case 'Deposit':
    case 'Withdraw':
    case 'SubmitPayment':
    case 'AuthorizePayment':
      return command.amount.asset === undefined ? NONE : named(command.amount, 'amount');
    case 'AdjustAuthorization':
    case 'CapturePayment':
    case 'RefundPayment':
      return command.amount?.asset === undefined ? NONE : named(command.amount, 'amount');
    case 'PostTransaction':
      return command.entries.some(({ amount }) => amount.asset !== undefined)
        ? command.entries.flatMap(({ amount }, i) => named(amount, `entries[${i}].amount`))
        : NONE;
    default:
      return NONE;
  }
}

function named({ currency: code, asset }: Amount, field: string): readonly NamedAsset[] {
  return asset === undefined ? NONE : [{ code, exponent: asset.exponent, field }];
}

/** The settlement accounts that say what the assets are that a command names. */
export function assetAccounts(command: Command): readonly string[] {
  const assets = assetsNamed(command);
  return assets.length === 0 ? [] : assets.map(({ code }) => settlementAccountId(code));
}

/** An asset that the ledger has not registered, or has with another exponent than the caller gives. */
export function findUnknownAsset(command: Command, ledger: LedgerReader): Refusal | null {
  for (const { code, exponent: stated, field } of assetsNamed(command)) {
    const unit = ledger.account(settlementAccountId(code))?.state.currency;
    if (unit === undefined) {
      const message = `${code} is neither a currency of ISO 4217 nor an asset of the ledger.`;
      return refusal('UNKNOWN_CURRENCY', message, {
        field: field === 'currency' ? field : `${field}.currency`,
      });
    }
    const exponent = assetExponent(unit);
    if (stated !== null && stated !== exponent) {
      const message = `The exponent of ${code} is ${exponent}; leave it out.`;
      return refusal('INVALID_FIELD', message, { field: `${field}.exponent` });
    }
  }
  return null;
}

/** The command with the unit of each asset in place of its code. Each was found by `findUnknownAsset`. */
export function withUnits(command: MovementCommand, ledger: LedgerReader): MovementCommand;
export function withUnits(command: Command, ledger: LedgerReader): Command;
export function withUnits(command: Command, ledger: LedgerReader): Command {
  if (assetsNamed(command).length === 0) return command;
  switch (command.type) {
    case 'OpenAccount':
      return openedIn(unitIn(command.currency, ledger), command);
    case 'Deposit':
    case 'Withdraw':
    case 'SubmitPayment':
    case 'AuthorizePayment':
      return { ...command, amount: inUnits(command.amount, ledger) };
    case 'AdjustAuthorization':
    case 'CapturePayment':
    case 'RefundPayment':
      return { ...command, amount: command.amount === null ? null : inUnits(command.amount, ledger) };
    case 'PostTransaction': {
      const entries = command.entries.map(({ accountId, direction, amount }) => ({
        accountId,
        direction,
        amount: inUnits(amount, ledger),
      }));
      return { ...command, entries };
    }
    default:
      return command;
  }
}

function openedIn(currency: string, { asset, ...command }: OpenAccount): OpenAccount {
  return asset === undefined ? command : { ...command, currency };
}

function inUnits(amount: Amount, ledger: LedgerReader): Amount {
  if (amount.asset === undefined) return amount;
  return { currency: unitIn(amount.currency, ledger), minorUnits: amount.minorUnits };
}

function unitIn(code: string, ledger: LedgerReader): string {
  const settlement = ledger.account(settlementAccountId(code));
  invariant(settlement !== undefined, `asset ${code} is registered`);
  return settlement.state.currency;
}
