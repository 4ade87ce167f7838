/** How the answer of UpdateTransaction is shown. */
import {
  type UpdateTransactionResponse,
  UpdateTransactionResponseSchema,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { jsonOf, type Sheet } from '../sheet.js';
import { metadataText } from './texts.js';

export const ANNOTATIONS: Sheet<UpdateTransactionResponse> = {
  columns: [
    { name: 'id', of: ({ transactionId }) => transactionId },
    { name: 'description', of: ({ description }) => description },
    { name: 'metadata', of: ({ metadata }) => metadataText(metadata) },
    { name: 'version', of: ({ version }) => String(version), isRight: true },
  ],
  id: ({ transactionId }) => transactionId,
  json: (answer) => jsonOf(UpdateTransactionResponseSchema, answer),
};
