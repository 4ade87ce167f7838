/** AdjustAuthorization. */
import { holdAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { amountOf, commonOf, invalidField, timeOf } from '../request-parts.js';

export const adjustAuthorization = movement<'adjustAuthorization'>({
  named: (value) => ({ case: 'adjustAuthorization', value }),
  toCommand: (request) => {
    if (request.amount === undefined && request.expireTime === undefined)
      throw invalidField('amount', 'is required unless expire_time is given');
    return {
      type: 'AdjustAuthorization',
      ...commonOf(request),
      paymentId: request.paymentId,
      amount: request.amount === undefined ? null : amountOf(request.amount, 'amount'),
      expireTime: timeOf(request.expireTime, 'expire_time'),
    };
  },
  answer: (decided) => ({
    case: 'adjustAuthorization',
    value: { $typeName: 'quittance.command.v1.AdjustAuthorizationResponse', ...holdAnswer(decided) },
  }),
});
