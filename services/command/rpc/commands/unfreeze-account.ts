/** UnfreezeAccount. */
import { create } from '@bufbuild/protobuf';
import { UnfreezeAccountResponseSchema } from '../../../../gen/quittance/command/v1/account_command_service_pb.js';
import { accountAnswer } from '../answer-parts.js';
import type { CommandMethod } from '../command-method.js';
import { ownAccountOf } from '../request-parts.js';

export const unfreezeAccount: CommandMethod<'unfreezeAccount'> = {
  named: (value) => ({ case: 'unfreezeAccount', value }),
  toCommand: (request) => ({ type: 'UnfreezeAccount', ...ownAccountOf(request) }),
  toMovement: null,
  answer: (decided) => ({
    case: 'unfreezeAccount',
    value: create(UnfreezeAccountResponseSchema, accountAnswer(decided)),
  }),
};
