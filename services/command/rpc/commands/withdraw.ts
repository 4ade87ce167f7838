/** Withdraw. */
import { create } from '@bufbuild/protobuf';
import { WithdrawResponseSchema } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { movementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { cashOf } from '../request-parts.js';

export const withdraw = movement<'withdraw'>({
  named: (value) => ({ case: 'withdraw', value }),
  toCommand: (request) => ({ type: 'Withdraw', ...cashOf(request) }),
  answer: (decided) => ({ case: 'withdraw', value: create(WithdrawResponseSchema, movementAnswer(decided)) }),
});
