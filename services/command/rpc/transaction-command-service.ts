import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import { executeBatch } from './execute-batch.js';
import { streamCommands } from './stream-commands.js';
import type { CommandContext } from './submit.js';
import { unary } from './unary.js';

/** quittance.command.v1.TransactionCommandService */
export function transactionCommandService(context: CommandContext): Service {
  return implement(TransactionCommandService, {
    deposit: unary(context, 'deposit'),
    withdraw: unary(context, 'withdraw'),
    submitPayment: unary(context, 'submitPayment'),
    authorizePayment: unary(context, 'authorizePayment'),
    adjustAuthorization: unary(context, 'adjustAuthorization'),
    capturePayment: unary(context, 'capturePayment'),
    voidPayment: unary(context, 'voidPayment'),
    refundPayment: unary(context, 'refundPayment'),
    postTransaction: unary(context, 'postTransaction'),
    reverseTransaction: unary(context, 'reverseTransaction'),
    updateTransaction: unary(context, 'updateTransaction'),
    executeBatch: executeBatch(context),
    streamCommands: streamCommands(context),
  });
}
