/** What the API shows of a currency that a ledger uses. */
import type { Asset } from '../../gen/quittance/common/v1/money_pb.js';
import { codeOf, isAssetUnit, knownExponent } from '../base/currency.js';
import { timestampOf } from '../base/time.js';
import { settlementAccountOf } from './settlement-account.js';

/** What is known of it. */
export interface KnownAsset {
  readonly ledgerId: string;
  readonly unit: string;
  /** Of the settlement account. */
  readonly name: string;
  /** UTC microseconds. */
  readonly createTime: bigint;
  readonly position: bigint;
}

/** The asset, or the currency of ISO 4217. */
export function assetOf({ ledgerId, unit, name, createTime, position }: KnownAsset): Asset {
  const code = codeOf(unit);
  const registered = isAssetUnit(unit);
  return {
    $typeName: 'quittance.common.v1.Asset',
    ledgerId,
    code,
    exponent: knownExponent(unit),
    // The settlement account of a currency of ISO 4217 has a name of ours, which says nothing of the currency.
    name: registered ? name : '',
    registered,
    settlementAccountId: settlementAccountOf(code),
    createTime: timestampOf(createTime),
    position,
  };
}
