/** VoidPayment. */
import { create } from '@bufbuild/protobuf';
import { VoidPaymentResponseSchema } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { voidAnswer } from '../answer-parts.js';
import type { CommandMethod } from '../command-method.js';
import { commonOf } from '../request-parts.js';

export const voidPayment: CommandMethod<'voidPayment'> = {
  named: (value) => ({ case: 'voidPayment', value }),
  toCommand: (request) => ({ type: 'VoidPayment', ...commonOf(request), paymentId: request.paymentId }),
  toMovement: null,
  answer: (decided) => ({
    case: 'voidPayment',
    value: create(VoidPaymentResponseSchema, voidAnswer(decided)),
  }),
};
