/** AuthorizePayment. */
import { movementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { amountOf, commonOf, descriptiveOf, timeOf } from '../request-parts.js';

export const authorizePayment = movement<'authorizePayment'>({
  named: (value) => ({ case: 'authorizePayment', value }),
  toCommand: (request) => ({
    type: 'AuthorizePayment',
    ...commonOf(request),
    ...descriptiveOf(request),
    payerAccountId: request.payerAccountId,
    payeeAccountId: request.payeeAccountId,
    amount: amountOf(request.amount, 'amount'),
    expireTime: timeOf(request.expireTime, 'expire_time'),
  }),
  answer: (decided) => ({
    case: 'authorizePayment',
    value: { $typeName: 'quittance.command.v1.AuthorizePaymentResponse', ...movementAnswer(decided) },
  }),
});
