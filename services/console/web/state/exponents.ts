/** The digits of currencies: those of ISO 4217, and of the assets that the open ledger has registered. */
import { skipToken } from '@connectrpc/connect-query';
import { LedgerQueryService } from '../../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { currencyExponent } from '../../../../lib/base/currency.js';
import type { ExponentOf } from '../actions/form-values.js';
import { useFreshness, useRead } from './reads.js';
import { useRoute } from './route.js';

export function useExponents(): ExponentOf {
  const { ledger } = useRoute();
  const consistency = useFreshness();
  const request = ledger === '' ? skipToken : { ledgerId: ledger, pageSize: 1000, consistency };
  const { data } = useRead(LedgerQueryService.method.listAssets, request, false);
  const assets = new Map(data?.assets.map(({ code, exponent }) => [code, exponent]));
  return (code) => assets.get(code) ?? currencyExponent(code);
}
