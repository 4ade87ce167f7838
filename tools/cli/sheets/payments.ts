/** How payments are shown: the six totals, and what can still be captured or refunded. */
import {
  type Payment,
  PaymentSchema,
  type Transaction,
  TransactionSchema,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import { wordOf } from '../flags.js';
import { given } from '../given.js';
import { decimalOf } from '../money.js';
import { type Column, jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';

export const PAYMENTS: Sheet<Payment> = {
  columns: [
    { name: 'id', of: ({ paymentId }) => paymentId },
    { name: 'payer', of: ({ payerAccountId }) => payerAccountId },
    { name: 'payee', of: ({ payeeAccountId }) => payeeAccountId },
    total('authorized', ({ authorized }) => authorized),
    total('captured', ({ captured }) => captured),
    total('refunded', ({ refunded }) => refunded),
    total(
      'remaining',
      ({ authorized, captured, voided, expired }) => authorized - captured - voided - expired,
    ),
    { name: 'currency', of: ({ currency }) => currency },
    {
      name: 'expires',
      of: ({ expireTime }) => isoOf(expireTime),
      brief: ({ expireTime }) => briefOf(expireTime),
    },
    { ...total('voided', ({ voided }) => voided), isWide: true },
    { ...total('expired', ({ expired }) => expired), isWide: true },
    { ...total('reversed', ({ reversed }) => reversed), isWide: true },
    {
      ...total('refundable', ({ captured, reversed, refunded }) => captured - reversed - refunded),
      isWide: true,
    },
    { name: 'version', of: ({ version }) => String(version), isRight: true, isWide: true },
  ],
  id: ({ paymentId }) => paymentId,
  json: (payment) => jsonOf(PaymentSchema, payment),
};

/** Payments as lists have them: the transactions that began them. */
export const LISTED_PAYMENTS: Sheet<Transaction> = {
  columns: [
    ...PAYMENTS.columns.map(ofPayment),
    { name: 'status', of: ({ status }) => wordOf(TransactionStatus, status) },
    { name: 'reference', of: ({ reference }) => reference },
    { name: 'position', of: ({ position }) => String(position), isRight: true, isWide: true },
    {
      name: 'time',
      of: ({ recordedTime }) => isoOf(recordedTime),
      brief: ({ recordedTime }) => briefOf(recordedTime),
      isWide: true,
    },
  ],
  id: ({ transactionId }) => transactionId,
  json: (transaction) => jsonOf(TransactionSchema, transaction),
};

/** The column of a payment, for the transaction that began it. */
function ofPayment({ of, brief, ...column }: Column<Payment>): Column<Transaction> {
  const text = (show: (payment: Payment) => string) => (transaction: Transaction) =>
    transaction.payment === undefined ? '' : show(transaction.payment);
  return { ...column, of: text(of), ...given({ brief: brief && text(brief) }) };
}

function total(name: string, of: (payment: Payment) => bigint): Column<Payment> {
  return { name, of: (payment) => decimalOf(of(payment), payment.exponent), isRight: true };
}
