/** SubmitPayment. */
import { movementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import {
  amountOf,
  checkFeeAccounts,
  commonOf,
  descriptiveOf,
  feesOf,
  invalidField,
} from '../request-parts.js';

export const submitPayment = movement<'submitPayment'>({
  named: (value) => ({ case: 'submitPayment', value }),
  toCommand: (request) => {
    const { payerAccountId, payeeAccountId } = request;
    const amount = amountOf(request.amount, 'amount');
    const fees = feesOf(request.fees, amount);
    if (request.upTo && fees.length > 0) throw invalidField('fees', 'are for an amount that is named');
    checkFeeAccounts(fees, [payerAccountId, payeeAccountId], 'must be neither payer nor payee');
    return {
      type: 'SubmitPayment',
      ...commonOf(request),
      ...descriptiveOf(request),
      payerAccountId,
      payeeAccountId,
      amount,
      fees,
      upTo: request.upTo,
    };
  },
  answer: (decided) => ({
    case: 'submitPayment',
    value: { $typeName: 'quittance.command.v1.SubmitPaymentResponse', ...movementAnswer(decided) },
  }),
});
