/** RegisterAsset. */
import type { Asset } from '../../../../gen/quittance/common/v1/money_pb.js';
import { ErrorReason } from '../../../../gen/quittance/common/v1/error_reason_pb.js';
import { currencyExponent } from '../../../../lib/base/currency.js';
import { assetOf } from '../../../../lib/log/asset-of.js';
import { fail } from '../../../../lib/rpc/errors.js';
import type { Answering, CommandMethod } from '../command-method.js';
import { commonOf, textOf } from '../request-parts.js';

export const registerAsset: CommandMethod<'registerAsset'> = {
  named: (value) => ({ case: 'registerAsset', value }),
  toCommand: (request) => ({
    type: 'RegisterAsset',
    ...commonOf(request),
    code: freeCode(request.code),
    exponent: request.exponent,
    name: textOf(request.name, 'name'),
  }),
  toMovement: null,
  answer: (decided) => ({
    case: 'registerAsset',
    value: {
      $typeName: 'quittance.command.v1.RegisterAssetResponse',
      asset: registered(decided),
      position: decided.receipt.position,
      consistencyToken: decided.receipt.consistencyToken,
      replayed: decided.receipt.replayed,
    },
  }),
};

function freeCode(code: string): string {
  if (currencyExponent(code) === undefined) return code;
  const [field, description] = ['code', `${code} is a code of ISO 4217, which needs no registration`];
  throw fail(ErrorReason.ASSET_CODE_RESERVED, `${field}: ${description}`, {
    fields: [{ field, description }],
  });
}

function registered({ event, isAbbreviated }: Answering): Asset {
  const { payload, ledgerId, recordedTimeMicros: createTime, position } = event;
  if (payload.case !== 'assetRegistered') throw new Error('RegisterAsset comes to AssetRegistered');
  const { account, profile } = payload.value;
  if (account === undefined || profile === undefined)
    throw new Error('AssetRegistered says what the asset is');
  const name = isAbbreviated ? '' : profile.name;
  return assetOf({ ledgerId, unit: account.currency, name, createTime, position });
}
