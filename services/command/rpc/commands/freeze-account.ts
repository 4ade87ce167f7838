/** FreezeAccount. */
import { FreezeScope } from '../../../../gen/quittance/common/v1/account_pb.js';
import { accountAnswer } from '../answer-parts.js';
import type { CommandMethod } from '../command-method.js';
import { ownAccountOf } from '../request-parts.js';

export const freezeAccount: CommandMethod<'freezeAccount'> = {
  named: (value) => ({ case: 'freezeAccount', value }),
  toCommand: (request) => ({
    type: 'FreezeAccount',
    ...ownAccountOf(request),
    scope: request.scope === FreezeScope.ALL ? 'ALL' : 'DEBITS',
  }),
  toMovement: null,
  answer: (decided) => ({
    case: 'freezeAccount',
    value: { $typeName: 'quittance.command.v1.FreezeAccountResponse', ...accountAnswer(decided) },
  }),
};
