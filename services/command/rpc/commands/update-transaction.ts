/** UpdateTransaction. */
import { annotationAnswer } from '../answer-parts.js';
import type { CommandMethod } from '../command-method.js';
import { commonOf, maskOf, metadataOf, textOf, unmasked } from '../request-parts.js';

export const updateTransaction: CommandMethod<'updateTransaction'> = {
  named: (value) => ({ case: 'updateTransaction', value }),
  toCommand: (request) => {
    const mask = maskOf(request.updateMask, ['description', 'metadata']);
    const { transactionId, description, metadata } = request;
    return {
      type: 'UpdateTransaction',
      ...commonOf(request),
      transactionId,
      description: mask.has('description')
        ? textOf(description, 'description')
        : unmasked(description === '', 'description'),
      metadata: mask.has('metadata')
        ? metadataOf(metadata)
        : unmasked(Object.keys(metadata).length === 0, 'metadata'),
    };
  },
  toMovement: null,
  answer: (decided) => ({
    case: 'updateTransaction',
    value: { $typeName: 'quittance.command.v1.UpdateTransactionResponse', ...annotationAnswer(decided) },
  }),
};
