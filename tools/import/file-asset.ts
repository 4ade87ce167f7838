/** Where `--currency` names an asset of the ledger in place of a currency of ISO 4217. */
import { create } from '@bufbuild/protobuf';
import { ConsistencySchema } from '../../gen/quittance/common/v1/consistency_pb.js';
import { LedgerQueryService } from '../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { currencyExponent, unitOf } from '../../lib/base/currency.js';
import { UsageError } from '../../lib/process/command-line.js';
import { callErrorOf, sentenceOfCall } from '../client/errors.js';
import type { GrpcClient } from '../client/grpc-client.js';
import { SendError } from './send.js';
import type { ReadSettings } from './settings.js';

const PAGE_SIZE = 1000;
const FRESH = create(ConsistencySchema, { requirement: { case: 'fullyConsistent', value: true } });

/**
 * The settings with the unit of the asset, which the ledger says; as they are for a currency of ISO 4217, or none.
 * @throws UsageError if the ledger has no such asset; SendError if it cannot be asked
 */
export async function withFileAsset(
  settings: ReadSettings,
  { client, address }: { readonly client: GrpcClient; readonly address: string },
  ledgerId: string,
): Promise<ReadSettings> {
  const { currency } = settings;
  if (currency === undefined || currencyExponent(currency) !== undefined) return settings;
  const exponent = await exponentIn(client, address, ledgerId, currency);
  if (exponent !== undefined) return { ...settings, currency: unitOf(currency, exponent) };
  throw new UsageError(
    `--currency ${currency} is no currency of ISO 4217, and no asset of ledger ${ledgerId}; write it as CZK or EUR, or register the asset`,
  );
}

async function exponentIn(
  client: GrpcClient,
  address: string,
  ledgerId: string,
  code: string,
): Promise<number | undefined> {
  let pageToken = '';
  try {
    do {
      const request = { ledgerId, consistency: FRESH, pageSize: PAGE_SIZE, pageToken };
      const page = await client.unary(LedgerQueryService.method.listAssets, request);
      const found = page.assets.find((asset) => asset.code === code);
      if (found !== undefined) return found.exponent;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return undefined;
  } catch (error) {
    if (callErrorOf(error).reason === 'LEDGER_NOT_FOUND') return undefined;
    throw new SendError(sentenceOfCall(error, address));
  }
}
