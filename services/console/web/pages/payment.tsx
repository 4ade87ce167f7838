/** One payment: what can still be done, and who did what. */
import {
  type Payment,
  type Transaction,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { TransactionCommandService } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { TransactionQueryService } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { plainMoney } from '../money.js';
import { WhyDeclined } from '../parts/decline-reason.js';
import { PaymentSummary, remainingOf } from '../parts/payment-summary.js';
import { Amount, FailureNote, Id, Time, TransactionState } from '../parts/text.js';
import { kindWord } from '../parts/words.js';
import { openAction } from '../state/actions.js';
import { usePageCall } from '../state/page-call.js';
import { useFreshness, useRead } from '../state/reads.js';
import { linkTo, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';

export function PaymentPage() {
  const { ledger, id } = useRoute();
  const of = { ledgerId: ledger, consistency: useFreshness() };
  const root = useRead(TransactionQueryService.method.getTransaction, { ...of, transactionId: id });
  const others = useRead(TransactionQueryService.method.listTransactions, {
    ...of,
    paymentId: id,
    pageSize: 200,
  });
  usePageCall(TransactionQueryService.method.getTransaction, { ledgerId: ledger, transactionId: id });
  const transaction = root.data?.transaction;
  const payment = transaction?.payment;
  const rest = (others.data?.transactions ?? []).filter(({ transactionId }) => transactionId !== id);
  return (
    <>
      <FailureNote error={root.error ?? others.error} />
      {transaction === undefined || payment === undefined ? null : (
        <>
          <div className="title">
            <h1>Payment</h1>
            <TransactionState transaction={transaction} />
            <Id value={id} />
            {transaction.reference === '' ? null : (
              <span>
                reference <Id value={transaction.reference} />
              </span>
            )}
            <PaymentActions payment={payment} />
          </div>
          <div className="columns">
            {transaction.status === TransactionStatus.DECLINED ? (
              <WhyDeclined transaction={transaction} />
            ) : (
              <PaymentSummary payment={payment} />
            )}
            <Timeline transactions={[transaction, ...rest]} />
          </div>
        </>
      )}
    </>
  );
}

/** Only what is still possible: a hold that remains can be captured, adjusted or voided, what was captured can be refunded. */
function PaymentActions({ payment }: { readonly payment: Payment }) {
  const { ledger } = useRoute();
  const may = useMay();
  const { paymentId, currency, exponent, authorized, captured, reversed, refunded } = payment;
  const remaining = remainingOf(payment);
  const refundable = captured - reversed - refunded;
  const { method } = TransactionCommandService;
  const of = (minorUnits: bigint) => ({
    paymentId,
    amount: plainMoney(minorUnits, exponent),
    'amount.currency': currency,
  });
  return (
    <span className="end">
      {remaining > 0n && may(method.capturePayment, ledger) ? (
        <button type="button" onClick={() => openAction('capture', of(remaining))}>
          Capture…
        </button>
      ) : null}
      {remaining > 0n && may(method.adjustAuthorization, ledger) ? (
        <button type="button" onClick={() => openAction('adjust', of(authorized))}>
          Adjust…
        </button>
      ) : null}
      {remaining > 0n && may(method.voidPayment, ledger) ? (
        <button type="button" onClick={() => openAction('void', { paymentId })}>
          Void…
        </button>
      ) : null}
      {refundable > 0n && may(method.refundPayment, ledger) ? (
        <button type="button" onClick={() => openAction('refund', of(refundable))}>
          Refund…
        </button>
      ) : null}
    </span>
  );
}

function Timeline({ transactions }: { readonly transactions: readonly Transaction[] }) {
  const inOrder = [...transactions].sort((a, b) => (a.position < b.position ? -1 : 1));
  return (
    <section className="part" aria-label="What was done">
      <h2>What was done</h2>
      <table>
        <thead>
          <tr>
            <th>Recorded</th>
            <th>What</th>
            <th className="right">Amount</th>
            <th>Status</th>
            <th>Actor</th>
          </tr>
        </thead>
        <tbody>
          {inOrder.map((each) => (
            <tr key={each.transactionId}>
              <td>
                <a href={linkTo('transaction', each.transactionId)} data-row="">
                  <Time at={each.recordedTime} />
                </a>
              </td>
              <td>{kindWord(each.kind)}</td>
              <td className="right">
                {each.amount === undefined ? null : (
                  <Amount
                    minorUnits={each.amount.minorUnits}
                    exponent={each.amount.exponent ?? 0}
                    currency={each.amount.currency}
                  />
                )}
              </td>
              <td>
                <TransactionState transaction={each} />
              </td>
              <td>{each.actor}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
