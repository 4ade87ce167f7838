/** Withdraw. */
import { movementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { cashOf } from '../request-parts.js';

export const withdraw = movement<'withdraw'>({
  named: (value) => ({ case: 'withdraw', value }),
  toCommand: (request) => ({ type: 'Withdraw', ...cashOf(request), upTo: request.upTo }),
  answer: (decided) => ({
    case: 'withdraw',
    value: { $typeName: 'quittance.command.v1.WithdrawResponse', ...movementAnswer(decided) },
  }),
});
