/** SubmitPayment. */
import { movementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { amountOf, checkFeeAccounts, commonOf, descriptiveOf, feesOf } from '../request-parts.js';

export const submitPayment = movement<'submitPayment'>({
  named: (value) => ({ case: 'submitPayment', value }),
  toCommand: (request) => {
    const { payerAccountId, payeeAccountId } = request;
    const amount = amountOf(request.amount, 'amount');
    const fees = feesOf(request.fees, amount);
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
