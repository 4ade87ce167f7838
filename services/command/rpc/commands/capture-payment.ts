/** CapturePayment. */
import { paymentMovementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { amountOrAll, commonOf, descriptiveOf, feesOf } from '../request-parts.js';

export const capturePayment = movement<'capturePayment'>({
  named: (value) => ({ case: 'capturePayment', value }),
  toCommand: (request) => {
    const amount = amountOrAll(request);
    return {
      type: 'CapturePayment',
      ...commonOf(request),
      ...descriptiveOf(request),
      paymentId: request.paymentId,
      amount,
      fees: amount === null ? [] : feesOf(request.fees, amount),
      final: request.final,
    };
  },
  answer: (decided) => ({
    case: 'capturePayment',
    value: { $typeName: 'quittance.command.v1.CapturePaymentResponse', ...paymentMovementAnswer(decided) },
  }),
});
