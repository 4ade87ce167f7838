/** VoidPayment. */
import { voidAnswer } from '../answer-parts.js';
import type { CommandMethod } from '../command-method.js';
import { commonOf } from '../request-parts.js';

export const voidPayment: CommandMethod<'voidPayment'> = {
  named: (value) => ({ case: 'voidPayment', value }),
  toCommand: (request) => ({ type: 'VoidPayment', ...commonOf(request), paymentId: request.paymentId }),
  toMovement: null,
  answer: (decided) => ({
    case: 'voidPayment',
    value: { $typeName: 'quittance.command.v1.VoidPaymentResponse', ...voidAnswer(decided) },
  }),
};
