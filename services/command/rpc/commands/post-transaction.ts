/** PostTransaction. */
import { movementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { commonOf, descriptiveOf, entriesOf } from '../request-parts.js';

export const postTransaction = movement<'postTransaction'>({
  named: (value) => ({ case: 'postTransaction', value }),
  toCommand: (request) => ({
    type: 'PostTransaction',
    ...commonOf(request),
    ...descriptiveOf(request),
    entries: entriesOf(request.entries),
    force: request.force,
  }),
  answer: (decided) => ({
    case: 'postTransaction',
    value: { $typeName: 'quittance.command.v1.PostTransactionResponse', ...movementAnswer(decided) },
  }),
});
