import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import { closePeriod } from './close-period.js';
import type { LedgerContext } from './submit.js';
import { unary } from './unary.js';

/** quittance.command.v1.LedgerCommandService */
export function ledgerCommandService(context: LedgerContext): Service {
  return implement(LedgerCommandService, {
    createLedger: unary(context, 'createLedger'),
    registerAsset: unary(context, 'registerAsset'),
    closePeriod: closePeriod(context),
    reopenPeriod: unary(context, 'reopenPeriod'),
  });
}
