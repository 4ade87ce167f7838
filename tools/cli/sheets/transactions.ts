/** How transactions are shown. */
import { LimitKind } from '../../../gen/quittance/common/v1/account_pb.js';
import {
  DeclineReason,
  Direction,
  type Transaction,
  TransactionKind,
  TransactionSchema,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import { wordOf } from '../flags.js';
import { decimalOf } from '../money.js';
import { jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';
import { metadataText } from './texts.js';

export const TRANSACTIONS: Sheet<Transaction> = {
  columns: [
    { name: 'id', of: (transaction) => transaction.transactionId },
    {
      name: 'time',
      of: ({ recordedTime }) => isoOf(recordedTime),
      brief: ({ recordedTime }) => briefOf(recordedTime),
    },
    { name: 'kind', of: ({ kind }) => wordOf(TransactionKind, kind) },
    { name: 'status', of: ({ status }) => wordOf(TransactionStatus, status) },
    { name: 'reason', of: ({ declineReason }) => wordOf(DeclineReason, declineReason) },
    { name: 'amount', of: amountOf, isRight: true },
    { name: 'currency', of: ({ amount }) => amount?.currency ?? '' },
    { name: 'debit', of: (transaction) => accountsOf(transaction, Direction.DEBIT) },
    { name: 'credit', of: (transaction) => accountsOf(transaction, Direction.CREDIT) },
    { name: 'reference', of: ({ reference }) => reference },
    { name: 'position', of: ({ position }) => String(position), isRight: true },
    { name: 'actor', of: ({ actor }) => actor, isWide: true },
    { name: 'payment', of: ({ paymentId }) => paymentId, isWide: true },
    { name: 'reverses', of: ({ reversesTransactionId }) => reversesTransactionId, isWide: true },
    { name: 'reversed-by', of: ({ reversedByTransactionId }) => reversedByTransactionId, isWide: true },
    { name: 'forced', of: ({ forced }) => (forced ? 'yes' : ''), isWide: true },
    {
      name: 'effective',
      of: ({ effectiveTime }) => isoOf(effectiveTime),
      brief: ({ effectiveTime }) => briefOf(effectiveTime),
      isWide: true,
    },
    { name: 'limit', of: ({ exceededLimit }) => wordOf(LimitKind, exceededLimit), isWide: true },
    { name: 'batch', of: ({ batch }) => batch?.batchId ?? '', isWide: true },
    { name: 'description', of: ({ description }) => description, isWide: true },
    { name: 'metadata', of: ({ metadata }) => metadataText(metadata), isWide: true },
  ],
  id: (transaction) => transaction.transactionId,
  json: (transaction) => jsonOf(TransactionSchema, transaction),
};

function amountOf({ amount }: Transaction): string {
  return amount === undefined ? '' : decimalOf(amount.minorUnits, amount.exponent ?? 0);
}

/** The accounts on one side, each once; an authorization has no entries, and its payment names both. */
function accountsOf({ entries, payment }: Transaction, side: Direction): string {
  const named = entries.filter(({ direction }) => direction === side).map(({ accountId }) => accountId);
  if (named.length > 0) return [...new Set(named)].join(',');
  return (side === Direction.DEBIT ? payment?.payerAccountId : payment?.payeeAccountId) ?? '';
}
