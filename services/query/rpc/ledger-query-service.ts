/** quittance.query.v1.LedgerQueryService, for the doors to mount. */
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import { getLedger } from './get-ledger.js';
import { listAssets } from './list-assets.js';
import { type LedgersContext, listLedgers } from './list-ledgers.js';

/** The service over the history view. */
export function ledgerQueryService(context: LedgersContext): Service {
  return implement(LedgerQueryService, {
    listLedgers: listLedgers(context),
    getLedger: getLedger(context),
    listAssets: listAssets(context),
  });
}
