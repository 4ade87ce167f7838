/** CreateLedger. */
import { create } from '@bufbuild/protobuf';
import { LedgerSchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { timestampOf } from '../../../../lib/base/time.js';
import { commandOf } from '../../../../lib/log/canonical-body.js';
import type { Answering, CommandMethod } from '../command-method.js';
import { commonOf, metadataOf, textOf } from '../request-parts.js';

export const createLedger: CommandMethod<'createLedger'> = {
  named: (value) => ({ case: 'createLedger', value }),
  toCommand: (request) => ({
    type: 'CreateLedger',
    ...commonOf(request),
    description: textOf(request.description, 'description'),
    metadata: metadataOf(request.metadata),
  }),
  toMovement: null,
  answer: (decided) => ({
    case: 'createLedger',
    value: {
      $typeName: 'quittance.command.v1.CreateLedgerResponse',
      ledger: ledgerOf(decided),
      position: decided.receipt.position,
      consistencyToken: decided.receipt.consistencyToken,
      replayed: decided.receipt.replayed,
    },
  }),
};

function ledgerOf({ event, command, isAbbreviated }: Answering) {
  const made = command ?? commandOf(event);
  if (made?.case !== 'createLedger') throw new Error('LedgerCreated carries its command');
  const createTime = timestampOf(event.recordedTimeMicros);
  const ledger = create(LedgerSchema, { ledgerId: event.ledgerId, createTime, position: event.position });
  if (isAbbreviated) return ledger;
  const { description, metadata } = made.value;
  return create(LedgerSchema, { ...ledger, description, metadata });
}
