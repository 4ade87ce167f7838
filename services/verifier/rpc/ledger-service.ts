/** quittance.ops.v1.LedgerService, for the doors to mount. */
import { LedgerService } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import type { ProofMetrics } from '../metrics.js';
import type { VerifyDeps } from '../verify.js';
import { verifyLedger } from './verify-ledger.js';

/** The service over log, state tables and views. */
export function ledgerService(deps: VerifyDeps, proofs?: ProofMetrics): Service {
  return implement(LedgerService, { verifyLedger: verifyLedger(deps, proofs) });
}
