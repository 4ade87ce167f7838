/** CapturePayment. */
import { create } from '@bufbuild/protobuf';
import { CapturePaymentResponseSchema } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { paymentMovementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { amountOf, commonOf, descriptiveOf, feesOf } from '../request-parts.js';

export const capturePayment = movement<'capturePayment'>({
  named: (value) => ({ case: 'capturePayment', value }),
  toCommand: (request) => {
    const amount = amountOf(request.amount, 'amount');
    return {
      type: 'CapturePayment',
      ...commonOf(request),
      ...descriptiveOf(request),
      paymentId: request.paymentId,
      amount,
      fees: feesOf(request.fees, amount),
      final: request.final,
    };
  },
  answer: (decided) => ({
    case: 'capturePayment',
    value: create(CapturePaymentResponseSchema, paymentMovementAnswer(decided)),
  }),
});
