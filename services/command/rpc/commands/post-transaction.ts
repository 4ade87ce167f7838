/** PostTransaction. */
import { movementAnswer } from '../answer-parts.js';
import { movement } from '../command-method.js';
import { commonOf, descriptiveOf, entriesOf, invalidField } from '../request-parts.js';

export const postTransaction = movement<'postTransaction'>({
  named: (value) => ({ case: 'postTransaction', value }),
  toCommand: (request) => {
    const { force, upTo } = request;
    if (upTo && request.entries.length !== 2) throw invalidField('up_to', 'is for a journal of two entries');
    if (upTo && force) throw invalidField('up_to', 'goes by the funds, which force skips');
    return {
      type: 'PostTransaction',
      ...commonOf(request),
      ...descriptiveOf(request),
      entries: entriesOf(request.entries),
      force,
      upTo,
    };
  },
  answer: (decided) => ({
    case: 'postTransaction',
    value: { $typeName: 'quittance.command.v1.PostTransactionResponse', ...movementAnswer(decided) },
  }),
});
