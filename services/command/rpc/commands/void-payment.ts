/** VoidPayment. */
import { holdAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { commonOf } from '../request-parts.js';

export const voidPayment = movement<'voidPayment'>({
  named: (value) => ({ case: 'voidPayment', value }),
  toCommand: (request) => ({ type: 'VoidPayment', ...commonOf(request), paymentId: request.paymentId }),
  answer: (decided) => ({
    case: 'voidPayment',
    value: { $typeName: 'quittance.command.v1.VoidPaymentResponse', ...holdAnswer(decided) },
  }),
});
