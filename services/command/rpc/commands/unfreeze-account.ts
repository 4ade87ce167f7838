/** UnfreezeAccount. */
import { accountAnswer } from '../answer-parts.js';
import type { CommandMethod } from '../command-method.js';
import { ownAccountOf } from '../request-parts.js';

export const unfreezeAccount: CommandMethod<'unfreezeAccount'> = {
  named: (value) => ({ case: 'unfreezeAccount', value }),
  toCommand: (request) => ({ type: 'UnfreezeAccount', ...ownAccountOf(request) }),
  toMovement: null,
  answer: (decided) => ({
    case: 'unfreezeAccount',
    value: { $typeName: 'quittance.command.v1.UnfreezeAccountResponse', ...accountAnswer(decided) },
  }),
};
