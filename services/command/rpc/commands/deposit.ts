/** Deposit. */
import { create } from '@bufbuild/protobuf';
import { DepositResponseSchema } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { movementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { cashOf } from '../request-parts.js';

export const deposit = movement<'deposit'>({
  named: (value) => ({ case: 'deposit', value }),
  toCommand: (request) => ({ type: 'Deposit', ...cashOf(request) }),
  answer: (decided) => ({ case: 'deposit', value: create(DepositResponseSchema, movementAnswer(decided)) }),
});
