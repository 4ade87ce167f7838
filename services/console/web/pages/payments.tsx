/** Which payments are open, about to expire, declined? */
import { create } from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { useState } from 'react';
import {
  type Payment,
  type Transaction,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type ListPaymentsRequest,
  ListPaymentsRequestSchema,
  PaymentOrder,
  TransactionQueryService,
} from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { FilterLine } from '../parts/filter-line.js';
import { parseFilter, typedTime } from '../parts/filter.js';
import { remainingOf } from '../parts/payment-summary.js';
import { type Column, Rows } from '../parts/rows.js';
import { AccountLink, Amount, Empty, FailureNote, Time, TransactionState } from '../parts/text.js';
import { Views } from '../parts/views.js';
import { valueOfWord, wordsOf } from '../parts/words.js';
import { PAGE_ROWS, useKeyset, wholePage } from '../state/keyset.js';
import { usePageCall } from '../state/page-call.js';
import { useFreshness } from '../state/reads.js';
import { linkTo, setParams, useRoute } from '../state/route.js';
import { distance } from '../times.js';

const KEYS = ['status', 'payer', 'payee', 'open', 'expires'];
const { listPayments } = TransactionQueryService.method;

const VIEWS = [
  ['all', ''],
  ['open', 'open:yes'],
  ['expires within a day', 'expires:+24h'],
  ['captured', 'status:captured'],
  ['declined', 'status:declined'],
  ['expired', 'status:expired'],
] as const;

type Total = 'authorized' | 'captured' | 'refunded';

function TotalOf({ payment, of }: { readonly payment: Payment | undefined; readonly of: Total }) {
  return payment === undefined ? null : <Amount minorUnits={payment[of]} exponent={payment.exponent} />;
}

function total(name: string, of: Total): Column<Transaction> {
  return {
    name,
    width: '128px',
    isRight: true,
    cell: ({ payment }) => <TotalOf payment={payment} of={of} />,
  };
}

const COLUMNS: readonly Column<Transaction>[] = [
  {
    name: 'Began',
    width: '136px',
    cell: ({ transactionId, recordedTime }) => (
      <a href={linkTo('payment', transactionId)} data-row="">
        <Time at={recordedTime} />
      </a>
    ),
  },
  {
    name: 'Status',
    width: 'minmax(216px, 1fr)',
    cell: (transaction) => <TransactionState transaction={transaction} />,
  },
  {
    name: 'Payer',
    width: 'minmax(144px, 1fr)',
    cell: ({ payment }) => <AccountLink id={payment?.payerAccountId ?? ''} />,
  },
  {
    name: 'Payee',
    width: 'minmax(144px, 1fr)',
    cell: ({ payment }) => <AccountLink id={payment?.payeeAccountId ?? ''} />,
  },
  total('Authorized', 'authorized'),
  total('Captured', 'captured'),
  total('Refunded', 'refunded'),
  {
    name: 'Remaining',
    width: '144px',
    isRight: true,
    cell: ({ payment }) =>
      payment === undefined ? null : (
        <Amount minorUnits={remainingOf(payment)} exponent={payment.exponent} currency={payment.currency} />
      ),
  },
  { name: 'Expires', width: '96px', cell: ({ payment }) => expiryOf(payment) },
  { name: 'Reference', width: 'minmax(112px, 1fr)', cell: ({ reference }) => reference },
];

/** Only of a hold that is open: another one is not going to expire. */
function expiryOf(payment: Payment | undefined): string {
  if (payment?.expireTime === undefined || remainingOf(payment) === 0n) return '';
  return distance(new Date(), timestampDate(payment.expireTime));
}

export function PaymentsPage() {
  const q = useRoute().params.get('q') ?? '';
  return (
    <>
      <div className="title">
        <h1>Payments</h1>
        <Views views={VIEWS} />
      </div>
      <FilterLine
        key={`filter ${q}`}
        text={q}
        example="status:authorized payer:alice payee:shop open:yes expires:+24h"
        onFilter={(text) => setParams({ q: text })}
      />
      <PaymentList key={q} q={q} />
    </>
  );
}

/** Open holds come by their expiry, the next one first; all else comes latest first. */
function requestOf(q: string, ledgerId: string, now: Date) {
  const { values, problems } = parseFilter(q, KEYS);
  const { status: typed = '', open, expires = '' } = values;
  const status = valueOfWord<TransactionStatus>(TransactionStatus, typed);
  const end = typedTime(expires, now);
  const isByExpiry = open !== undefined || end !== undefined;
  const request = create(ListPaymentsRequestSchema, {
    ledgerId,
    status: status ?? TransactionStatus.UNSPECIFIED,
    payerAccountId: values['payer'] ?? '',
    payeeAccountId: values['payee'] ?? '',
    hasRemaining: isByExpiry,
    orderBy: isByExpiry ? PaymentOrder.EXPIRE_TIME : PaymentOrder.POSITION,
    descending: !isByExpiry,
    pageSize: PAGE_ROWS,
  });
  if (end !== undefined) request.endExpireTime = timestampFromDate(end);
  const wrong = [
    ...problems,
    ...(typed !== '' && status === undefined
      ? [`status: is one of ${wordsOf(TransactionStatus).join(', ')}`]
      : []),
    ...(open !== undefined && open !== 'yes' ? ['open: is yes'] : []),
    ...(expires !== '' && end === undefined ? ['expires: is a day, a time, or +24h'] : []),
  ];
  return { request, wrong };
}

function PaymentList({ q }: { readonly q: string }) {
  const { ledger } = useRoute();
  // The moment stays while the list is read: all pages are of one question.
  const [{ request, wrong }] = useState(() => requestOf(q, ledger, new Date()));
  usePageCall(listPayments, request);
  const consistency = useFreshness();
  const token = consistency.requirement.case === 'atLeastAsFresh' ? consistency.requirement.value : '';
  const list = useKeyset(`payments|${ledger}|${q}|${token}`, useLoader(request, wrong.length === 0));
  if (wrong.length > 0)
    return wrong.map((problem) => (
      <p key={problem} className="error" role="alert">
        {problem}
      </p>
    ));
  if (list.isComplete && list.count === 0) return <NoPayments isFiltered={q !== ''} />;
  return (
    <>
      <FailureNote error={list.error} />
      <Rows
        label="Payments"
        columns={COLUMNS}
        count={list.count + (list.isComplete ? 0 : 1)}
        rowAt={list.rowAt}
        keyOf={(index) => list.rowAt(index)?.transactionId ?? `row ${String(index)}`}
        onSee={list.see}
      />
    </>
  );
}

function useLoader(request: ListPaymentsRequest, isRight: boolean) {
  const transport = useTransport();
  const consistency = useFreshness();
  return async (token: string, signal: AbortSignal) => {
    if (!isRight) return { rows: [], next: '' };
    return wholePage(token, async (page) => {
      const message = create(ListPaymentsRequestSchema, { ...request, consistency, ...page });
      const answer = await callUnaryMethod(transport, listPayments, message, { signal });
      return { rows: answer.payments, next: answer.nextPageToken };
    });
  };
}

function NoPayments({ isFiltered }: { readonly isFiltered: boolean }) {
  return (
    <Empty>
      {isFiltered
        ? 'No payment is so. Take a part of the filter away.'
        : 'Here would be every payment with what of it was authorized, captured and refunded. Press n to make the first one.'}
    </Empty>
  );
}
