/** Which payments are open, about to expire, declined? */
import { create } from '@bufbuild/protobuf';
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { useState } from 'react';
import { type Transaction, TransactionStatus } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type ListPaymentsRequest,
  ListPaymentsRequestSchema,
  PaymentOrder,
  TransactionQueryService,
} from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { FilterLine } from '../parts/filter-line.js';
import { parseFilter } from '../parts/filter.js';
import { FilterReader } from '../parts/filter-reader.js';
import { ListStatus } from '../parts/list-status.js';
import { NotPinned } from '../parts/not-pinned.js';
import { Expiry, remainingOf } from '../parts/payment-summary.js';
import { type Column, Rows } from '../parts/rows.js';
import { AccountLink, Amount, Empty, FailureNote, Time, TransactionState } from '../parts/text.js';
import { Views } from '../parts/views.js';
import { PAGE_ROWS, useKeyset, wholePage } from '../state/keyset.js';
import { usePageCall } from '../state/page-call.js';
import { useFreshness } from '../state/reads.js';
import { linkTo, setParams, useRoute } from '../state/route.js';

/** What the list takes, with what each means. */
const FILTERS = {
  status: 'authorized, captured, posted, declined, voided, expired',
  payer: 'an account',
  payee: 'an account',
  open: 'yes: something is still held',
  expires: 'before a day, a time, or +24h',
} as const;
const KEYS = Object.keys(FILTERS);
const { listPayments } = TransactionQueryService.method;

const VIEWS = [
  ['all', ''],
  ['open', 'open:yes'],
  ['expires within a day', 'expires:+24h'],
  ['within a week', 'expires:+7d'],
  ['captured', 'status:captured'],
  ['declined', 'status:declined'],
  ['expired', 'status:expired'],
] as const;

type Total = 'captured' | 'refunded';

function total(name: string, of: Total): Column<Transaction> {
  return {
    name,
    width: '80px',
    isRight: true,
    cell: ({ payment }) =>
      payment === undefined ? null : <Amount minorUnits={payment[of]} exponent={payment.exponent} />,
  };
}

/** As narrow as they can be: what remains and when it expires are to be seen without scrolling. */
const COLUMNS: readonly Column<Transaction>[] = [
  {
    name: 'Began',
    width: '128px',
    cell: ({ transactionId, recordedTime }) => (
      <a href={linkTo('payment', transactionId)} data-row="">
        <Time at={recordedTime} />
      </a>
    ),
  },
  {
    name: 'Status',
    width: 'minmax(208px, 1fr)',
    cell: (transaction) => <TransactionState transaction={transaction} />,
  },
  {
    name: 'Payer',
    width: 'minmax(136px, 1fr)',
    cell: ({ payment }) => <AccountLink id={payment?.payerAccountId ?? ''} />,
  },
  {
    name: 'Payee',
    width: 'minmax(136px, 1fr)',
    cell: ({ payment }) => <AccountLink id={payment?.payeeAccountId ?? ''} />,
  },
  {
    name: 'Amount',
    width: '88px',
    isRight: true,
    // A declined one has authorized nothing: what it asked for is shown.
    cell: ({ payment, amount, status }) =>
      payment === undefined || amount === undefined ? null : (
        <Amount
          minorUnits={status === TransactionStatus.DECLINED ? amount.minorUnits : payment.authorized}
          exponent={payment.exponent}
        />
      ),
  },
  total('Captured', 'captured'),
  total('Refunded', 'refunded'),
  {
    name: 'Remaining',
    width: '112px',
    isRight: true,
    cell: ({ payment }) =>
      payment === undefined ? null : (
        <Amount minorUnits={remainingOf(payment)} exponent={payment.exponent} currency={payment.currency} />
      ),
  },
  { name: 'Expires', width: '88px', cell: ({ payment }) => <Expiry payment={payment} /> },
  { name: 'Reference', width: 'minmax(104px, 1fr)', cell: ({ reference }) => reference },
];

export function PaymentsPage() {
  const q = useRoute().params.get('q') ?? '';
  return (
    <>
      <div className="title">
        <h1>Payments</h1>
        <Views views={VIEWS} />
      </div>
      <NotPinned what="payments with their present totals" />
      <FilterLine
        key={`filter ${q}`}
        text={q}
        example="status:authorized payer:alice payee:shop open:yes expires:+24h"
        filters={FILTERS}
        onFilter={(text) => setParams({ q: text })}
      />
      <PaymentList key={q} q={q} />
    </>
  );
}

/** Open holds come by their expiry, the next one first; all else comes latest first. */
function requestOf(q: string, ledgerId: string, now: Date) {
  const reader = new FilterReader(parseFilter(q, KEYS));
  const end = reader.time('expires', now, 'is a day, a time, or +24h');
  const isByExpiry = reader.isSet('open') || end !== undefined;
  const request = create(ListPaymentsRequestSchema, {
    ledgerId,
    status: reader.word<TransactionStatus>('status', TransactionStatus) ?? TransactionStatus.UNSPECIFIED,
    payerAccountId: reader.text('payer'),
    payeeAccountId: reader.text('payee'),
    hasRemaining: isByExpiry,
    orderBy: isByExpiry ? PaymentOrder.EXPIRE_TIME : PaymentOrder.POSITION,
    descending: !isByExpiry,
    pageSize: PAGE_ROWS,
  });
  if (end !== undefined) request.endExpireTime = end;
  return { request, wrong: reader.problems };
}

function PaymentList({ q }: { readonly q: string }) {
  const { ledger } = useRoute();
  // The moment stays while the list is read: all pages are of one question.
  const [{ request, wrong }] = useState(() => requestOf(q, ledger, new Date()));
  usePageCall(listPayments, request);
  const consistency = useFreshness();
  const token = consistency.requirement.case === 'atLeastAsFresh' ? consistency.requirement.value : '';
  const [isHeld, setHeld] = useState(false);
  const load = useLoader(request, wrong.length === 0);
  const list = useKeyset(`payments|${ledger}|${q}|${token}`, load, isHeld);
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
        onHold={setHeld}
      >
        <ListStatus isHeld={isHeld} />
      </Rows>
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
