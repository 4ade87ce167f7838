/** CloseAccount. */
import { accountAnswer } from '../answer-parts.js';
import type { CommandMethod } from '../command-method.js';
import { ownAccountOf } from '../request-parts.js';

export const closeAccount: CommandMethod<'closeAccount'> = {
  named: (value) => ({ case: 'closeAccount', value }),
  toCommand: (request) => ({ type: 'CloseAccount', ...ownAccountOf(request) }),
  toMovement: null,
  answer: (decided) => ({
    case: 'closeAccount',
    value: { $typeName: 'quittance.command.v1.CloseAccountResponse', ...accountAnswer(decided) },
  }),
};
