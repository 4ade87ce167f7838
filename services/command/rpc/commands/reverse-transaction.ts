/** ReverseTransaction. */
import { movementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { commonOf, descriptiveOf } from '../request-parts.js';

export const reverseTransaction = movement<'reverseTransaction'>({
  named: (value) => ({ case: 'reverseTransaction', value }),
  toCommand: (request) => ({
    type: 'ReverseTransaction',
    ...commonOf(request),
    ...descriptiveOf(request),
    transactionId: request.transactionId,
    force: request.force,
  }),
  answer: (decided) => ({
    case: 'reverseTransaction',
    value: { $typeName: 'quittance.command.v1.ReverseTransactionResponse', ...movementAnswer(decided) },
  }),
});
