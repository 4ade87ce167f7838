/** UpdateAccount. */
import { accountAnswer } from '../answer-parts.js';
import type { CommandMethod } from '../command-method.js';
import { limitsOf } from '../limits-part.js';
import { maskOf, metadataOf, ownAccountOf, textOf, unmasked } from '../request-parts.js';

export const updateAccount: CommandMethod<'updateAccount'> = {
  named: (value) => ({ case: 'updateAccount', value }),
  toCommand: (request) => {
    const mask = maskOf(request.updateMask, [
      'name',
      'owner_reference',
      'overdraft_limit',
      'metadata',
      'limits',
    ]);
    const { name, ownerReference, overdraftLimit, metadata, limits } = request;
    return {
      type: 'UpdateAccount',
      ...ownAccountOf(request),
      name: mask.has('name') ? textOf(name, 'name') : unmasked(name === '', 'name'),
      ownerReference: mask.has('owner_reference')
        ? textOf(ownerReference, 'owner_reference')
        : unmasked(ownerReference === '', 'owner_reference'),
      overdraftLimit: mask.has('overdraft_limit')
        ? overdraftLimit
        : unmasked(overdraftLimit === 0n, 'overdraft_limit'),
      metadata: mask.has('metadata')
        ? metadataOf(metadata)
        : unmasked(Object.keys(metadata).length === 0, 'metadata'),
      limits: mask.has('limits') ? limitsOf(limits) : unmasked(limits === undefined, 'limits'),
    };
  },
  toMovement: null,
  answer: (decided) => ({
    case: 'updateAccount',
    value: { $typeName: 'quittance.command.v1.UpdateAccountResponse', ...accountAnswer(decided) },
  }),
};
