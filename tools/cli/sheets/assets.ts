/** How assets are shown. */
import { type Asset, AssetSchema } from '../../../gen/quittance/common/v1/money_pb.js';
import { jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';

export const ASSETS: Sheet<Asset> = {
  columns: [
    { name: 'code', of: ({ code }) => code },
    { name: 'exponent', of: ({ exponent }) => String(exponent), isRight: true },
    { name: 'name', of: ({ name }) => name },
    { name: 'registered', of: ({ registered }) => (registered ? 'yes' : 'no') },
    { name: 'settlement', of: ({ settlementAccountId }) => settlementAccountId },
    {
      name: 'since',
      of: ({ createTime }) => isoOf(createTime),
      brief: ({ createTime }) => briefOf(createTime),
      isWide: true,
    },
  ],
  id: ({ code }) => code,
  json: (asset) => jsonOf(AssetSchema, asset),
};
