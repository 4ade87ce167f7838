/** Deposit. */
import { movementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { cashOf } from '../request-parts.js';

export const deposit = movement<'deposit'>({
  named: (value) => ({ case: 'deposit', value }),
  toCommand: (request) => ({ type: 'Deposit', ...cashOf(request) }),
  answer: (decided) => ({
    case: 'deposit',
    value: { $typeName: 'quittance.command.v1.DepositResponse', ...movementAnswer(decided) },
  }),
});
