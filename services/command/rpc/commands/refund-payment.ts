/** RefundPayment. */
import type { RefundPaymentRequest } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { paymentMovementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import {
  amountOrAll,
  checkFeeAccounts,
  commonOf,
  descriptiveOf,
  invalidField,
  returnedFeesOf,
} from '../request-parts.js';

export const refundPayment = movement<'refundPayment'>({
  named: (value) => ({ case: 'refundPayment', value }),
  toCommand: (request) => {
    const amount = amountOrAll(request);
    const fees = amount === null ? [] : returnedFeesOf(request.fees, amount);
    const { fromAccountId, toAccountId } = standInsOf(request);
    checkFeeAccounts(fees, [fromAccountId, toAccountId], 'must be neither from_account_id nor to_account_id');
    return {
      type: 'RefundPayment',
      ...commonOf(request),
      ...descriptiveOf(request),
      paymentId: request.paymentId,
      amount,
      fees,
      fromAccountId,
      toAccountId,
      force: request.force,
    };
  },
  answer: (decided) => ({
    case: 'refundPayment',
    value: { $typeName: 'quittance.command.v1.RefundPaymentResponse', ...paymentMovementAnswer(decided) },
  }),
});

/** The accounts that take the places of payee and payer; null: the payment's own. */
function standInsOf({ fromAccountId, toAccountId }: RefundPaymentRequest) {
  if (fromAccountId !== '' && fromAccountId === toAccountId) {
    throw invalidField('to_account_id', 'must differ from from_account_id');
  }
  return {
    fromAccountId: fromAccountId === '' ? null : fromAccountId,
    toAccountId: toAccountId === '' ? null : toAccountId,
  };
}
