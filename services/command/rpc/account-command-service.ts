import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import type { CommandContext } from './submit.js';
import { unary } from './unary.js';

/** quittance.command.v1.AccountCommandService */
export function accountCommandService(context: CommandContext): Service {
  return implement(AccountCommandService, {
    openAccount: unary(context, 'openAccount'),
    updateAccount: unary(context, 'updateAccount'),
    freezeAccount: unary(context, 'freezeAccount'),
    unfreezeAccount: unary(context, 'unfreezeAccount'),
    closeAccount: unary(context, 'closeAccount'),
  });
}
