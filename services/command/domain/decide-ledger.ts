/** Ledgers, and the assets that they have beside the currencies of ISO 4217. */
import { assetExponent, assetUnit, settlementAccountId } from './account.js';
import type { CreateLedger, RegisterAsset } from './command.js';
import { openState } from './decide-account.js';
import { type Decision, happened, type LedgerReader, refusal, refuse } from './decision.js';

/** Creates a ledger, once. */
export function decideCreateLedger(command: CreateLedger, ledger: LedgerReader): Decision {
  const { ledgerId, description, metadata } = command;
  if (ledger.exists()) {
    const at = { field: 'ledger_id', resourceId: ledgerId };
    return refuse(refusal('LEDGER_ALREADY_EXISTS', `Ledger ${ledgerId} exists already.`, at));
  }
  return happened({ type: 'LedgerCreated', ledgerId, description, metadata });
}

/** Registers an asset, once and for ever, by opening its settlement account. */
export function decideRegisterAsset(command: RegisterAsset, ledger: LedgerReader): Decision {
  const { code, exponent, name } = command;
  const accountId = settlementAccountId(code);
  const registered = ledger.account(accountId);
  if (registered !== undefined) {
    const { state, profile } = registered;
    const before = assetExponent(state.currency);
    const is = `Asset ${code} is registered with exponent ${before} as ${JSON.stringify(profile.name)}`;
    const at = { field: 'code', resourceId: code };
    return refuse(
      before === exponent && profile.name === name
        ? refusal('ASSET_ALREADY_EXISTS', `${is} already.`, at)
        : refusal('ASSET_DIFFERS', `${is}, which cannot be changed.`, at),
    );
  }
  const currency = assetUnit(code, exponent);
  const state = openState({ accountId, type: 'ASSET', currency, overdraftLimit: 0n, limits: null });
  const profile = { name, ownerReference: '', metadata: {}, profileVersion: 1n };
  return happened({ type: 'AssetRegistered', account: { state, profile } });
}
