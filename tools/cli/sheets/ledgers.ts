/** How ledgers are shown. */
import { type Ledger, LedgerSchema } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';
import { metadataText } from './texts.js';

export const LEDGERS: Sheet<Ledger> = {
  columns: [
    { name: 'ledger', of: (ledger) => ledger.ledgerId },
    {
      name: 'created',
      of: ({ createTime }) => isoOf(createTime),
      brief: ({ createTime }) => briefOf(createTime),
    },
    { name: 'closed-through', of: ({ closedThrough }) => isoOf(closedThrough) },
    { name: 'description', of: (ledger) => ledger.description },
    { name: 'position', of: (ledger) => String(ledger.position), isRight: true, isWide: true },
    { name: 'metadata', of: (ledger) => metadataText(ledger.metadata), isWide: true },
  ],
  id: (ledger) => ledger.ledgerId,
  json: (ledger) => jsonOf(LedgerSchema, ledger),
};
