/** One transaction: why these numbers? Its entries with the balance after each, its links, and the message itself. */
import { toJsonString } from '@bufbuild/protobuf';
import { TransactionCommandService } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import {
  Direction,
  type Entry,
  type Transaction,
  TransactionKind,
  TransactionSchema,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { TransactionQueryService } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import {
  AccountLink,
  Amount,
  ExactTime,
  FailureNote,
  Id,
  Pairs,
  TransactionLink,
  TransactionState,
} from '../parts/text.js';
import { WhyDeclined } from '../parts/decline-reason.js';
import { PaymentSummary } from '../parts/payment-summary.js';
import { kindWord } from '../parts/words.js';
import { countText } from '../numbers.js';
import { useFreshness, useRead } from '../state/reads.js';
import { openAction } from '../state/actions.js';
import { usePageCall } from '../state/page-call.js';
import { linkTo, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';

export function TransactionPage() {
  const { ledger, id } = useRoute();
  const consistency = useFreshness();
  const { data, error } = useRead(TransactionQueryService.method.getTransaction, {
    ledgerId: ledger,
    transactionId: id,
    consistency,
  });
  usePageCall(TransactionQueryService.method.getTransaction, { ledgerId: ledger, transactionId: id });
  return (
    <>
      <FailureNote error={error} />
      {data?.transaction === undefined ? null : <Details transaction={data.transaction} />}
    </>
  );
}

function Details({ transaction }: { readonly transaction: Transaction }) {
  return (
    <>
      <div className="title">
        <h1>{kindWord(transaction.kind)}</h1>
        <TransactionState transaction={transaction} />
        {transaction.amount === undefined ? null : (
          <Amount
            minorUnits={transaction.amount.minorUnits}
            exponent={transaction.amount.exponent ?? 0}
            currency={transaction.amount.currency}
          />
        )}
        <ReverseButton transaction={transaction} />
      </div>
      <div className="columns">
        <section className="part" aria-label="Details">
          <Pairs of={pairsOf(transaction)} />
        </section>
        {transaction.status === TransactionStatus.DECLINED ? (
          <WhyDeclined transaction={transaction} />
        ) : transaction.payment === undefined ? null : (
          <PaymentSummary payment={transaction.payment} />
        )}
      </div>
      {transaction.entries.length === 0 ? null : <Entries transaction={transaction} />}
      <details>
        <summary>Raw message</summary>
        <pre tabIndex={0}>{toJsonString(TransactionSchema, transaction, { prettySpaces: 2 })}</pre>
      </details>
    </>
  );
}

/** Any posted transaction but a reversal can be reversed, once. */
function ReverseButton({
  transaction: { transactionId, kind, status, reversedByTransactionId },
}: {
  readonly transaction: Transaction;
}) {
  const { ledger } = useRoute();
  const may = useMay();
  const isPossible =
    status === TransactionStatus.POSTED &&
    kind !== TransactionKind.REVERSAL &&
    reversedByTransactionId === '';
  if (!isPossible || !may(TransactionCommandService.method.reverseTransaction, ledger)) return null;
  return (
    <span className="end">
      <button type="button" onClick={() => openAction('reverse', { transactionId })}>
        Reverse…
      </button>
    </span>
  );
}

function pairsOf(transaction: Transaction) {
  const { position, metadata, batch } = transaction;
  const rows: (readonly [string, React.ReactNode])[] = [
    ['Id', <Id key="id" value={transaction.transactionId} />],
    ['Recorded', <ExactTime key="recorded" at={transaction.recordedTime} />],
    ['Effective', <ExactTime key="effective" at={transaction.effectiveTime} />],
    [
      'Event',
      <a key="event" href={linkTo('event', String(position))}>
        position {countText(position)}
      </a>,
    ],
    [
      'Actor',
      <a key="actor" href={linkTo('transactions', '', { q: `actor:"${transaction.actor}"` })}>
        {transaction.actor}
      </a>,
    ],
  ];
  if (transaction.reference !== '')
    rows.push(['Reference', <Id key="reference" value={transaction.reference} />]);
  if (transaction.description !== '') rows.push(['Description', transaction.description]);
  if (transaction.status === TransactionStatus.DECLINED && transaction.payment !== undefined)
    rows.push(
      ['Payer', <AccountLink key="payer" id={transaction.payment.payerAccountId} />],
      ['Payee', <AccountLink key="payee" id={transaction.payment.payeeAccountId} />],
    );
  if (transaction.paymentId !== '')
    rows.push([
      'Payment',
      <a key="payment" className="mono" href={linkTo('payment', transaction.paymentId)}>
        {transaction.paymentId}
      </a>,
    ]);
  if (transaction.reversesTransactionId !== '')
    rows.push(['Reverses', <TransactionLink key="reverses" id={transaction.reversesTransactionId} />]);
  if (transaction.reversedByTransactionId !== '')
    rows.push(['Reversed by', <TransactionLink key="reversed" id={transaction.reversedByTransactionId} />]);
  if (transaction.forced) rows.push(['Forced', 'yes: funds and freeze were not looked at']);
  if (batch !== undefined)
    rows.push(['Batch', `${batch.batchId}, ${String(batch.index + 1)} of ${String(batch.size)}`]);
  for (const [name, value] of Object.entries(metadata)) rows.push([name, value]);
  return rows;
}

/** Those of a declined transaction were asked for, and never happened: no balance came after them. */
function Entries({ transaction: { entries, status } }: { readonly transaction: Transaction }) {
  const isDone = status !== TransactionStatus.DECLINED;
  return (
    <section className="part" aria-label="Entries">
      <h2>{isDone ? 'Entries' : 'Entries that were asked for'}</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label="Table of entries">
        <table>
          <thead>
            <tr>
              <th>Account</th>
              <th className="right">Debit</th>
              <th className="right">Credit</th>
              <th>Currency</th>
              {isDone ? (
                <>
                  <th className="right">Balance after</th>
                  <th className="right">Account version</th>
                </>
              ) : null}
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <EntryRow key={entry.index} entry={entry} isDone={isDone} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function EntryRow({
  entry: { accountId, direction, amount, postedAfter, accountVersion },
  isDone,
}: {
  readonly entry: Entry;
  readonly isDone: boolean;
}) {
  const exponent = amount?.exponent ?? 0;
  const side = (wanted: Direction) =>
    direction === wanted && amount !== undefined ? (
      <Amount minorUnits={amount.minorUnits} exponent={exponent} />
    ) : null;
  return (
    <tr>
      <td>
        <AccountLink id={accountId} />
      </td>
      <td className="right">{side(Direction.DEBIT)}</td>
      <td className="right">{side(Direction.CREDIT)}</td>
      <td>{amount?.currency}</td>
      {isDone ? (
        <>
          <td className="right">
            <Amount minorUnits={postedAfter} exponent={exponent} />
          </td>
          <td className="right">{countText(accountVersion)}</td>
        </>
      ) : null}
    </tr>
  );
}
