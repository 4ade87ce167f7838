/** What moved, what was declined, and why. Newest first; new ones come in on top without moving what is being read. */
import { create } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { useState } from 'react';
import { FilterLine } from '../parts/filter-line.js';
import {
  DeclineReason,
  TransactionKind,
  TransactionStatus,
  type Transaction,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type ListTransactionsRequest,
  ListTransactionsRequestSchema,
  TransactionQueryService,
} from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { ExponentOf } from '../actions/form-values.js';
import { parseFilter } from '../parts/filter.js';
import { FilterReader } from '../parts/filter-reader.js';
import { Rows } from '../parts/rows.js';
import { Empty, FailureNote } from '../parts/text.js';
import { TRANSACTION_COLUMNS } from '../parts/transaction-columns.js';
import { Views } from '../parts/views.js';
import { ExportButtons } from '../parts/export.js';
import { useExponents } from '../state/exponents.js';
import { useFreshness, usePin } from '../state/reads.js';
import { PAGE_ROWS, useKeyset, wholePage } from '../state/keyset.js';
import { usePageCall } from '../state/page-call.js';
import { setParams, useRoute } from '../state/route.js';
import { useTransactionFeed } from '../state/watch.js';
import { usePinTime } from '../state/pin-time.js';

/** What the list takes, with what each means. */
const FILTERS = {
  kind: 'refund, or several: refund,reversal',
  status: 'posted, declined, authorized…',
  account: 'any account that it names',
  reference: 'your own number, as a whole',
  payment: 'the id of a payment',
  reason: 'why it was declined: insufficient_funds…',
  currency: 'EUR',
  min: 'an amount of the currency',
  max: 'an amount of the currency',
  actor: 'who sent the command',
  forced: 'yes: funds and freezes were not looked at',
  metadata: 'order=17, or a key alone',
  from: 'a day, a time, -2h, -7d',
  to: 'likewise',
} as const;
const KEYS = Object.keys(FILTERS);
/** Every so many new ones the list is read again from its newest. */
const FEED_ROWS = 100;

export function TransactionsPage() {
  const { ledger, params } = useRoute();
  const text = params.get('q') ?? '';
  const { request, problems } = requestOf(text, useExponents(), new Date());
  usePageCall(
    TransactionQueryService.method.listTransactions,
    create(ListTransactionsRequestSchema, {
      ...request,
      ledgerId: ledger,
      descending: true,
      pageSize: PAGE_ROWS,
    }),
  );
  return (
    <>
      <div className="title">
        <h1>Transactions</h1>
        <Views views={VIEWS} />
      </div>
      <FilterLine
        key={`filter ${text}`}
        text={text}
        example="kind:refund status:declined account:alice reference:order-1 from:2026-11-01 to:-2h"
        filters={FILTERS}
        onFilter={(typed) => setParams({ q: typed })}
      />
      {problems.length > 0 ? (
        problems.map((problem) => (
          <p key={problem} className="error" role="alert">
            {problem}
          </p>
        ))
      ) : (
        <TransactionList key={text} request={request} isFiltered={text !== ''} />
      )}
    </>
  );
}

const VIEWS = [
  ['all', ''],
  ['declined', 'status:declined'],
  ['declined within a day', 'status:declined from:-1d'],
  ['refunds and reversals', 'kind:refund,reversal'],
  ['held', 'status:authorized'],
  ['forced', 'forced:yes'],
] as const;

/** Dates are in UTC, as the ledger's are. */
function requestOf(text: string, exponentOf: ExponentOf, now: Date) {
  const reader = new FilterReader(parseFilter(text, KEYS, ['kind', 'metadata']));
  const request = create(ListTransactionsRequestSchema, {
    kinds: reader.words<TransactionKind>('kind', TransactionKind),
    status: reader.word<TransactionStatus>('status', TransactionStatus) ?? TransactionStatus.UNSPECIFIED,
    declineReason: reader.word<DeclineReason>('reason', DeclineReason) ?? DeclineReason.UNSPECIFIED,
    accountId: reader.text('account'),
    reference: reader.text('reference'),
    paymentId: reader.text('payment'),
    currency: reader.currency(),
    minAmount: reader.amount('min', exponentOf) ?? 0n,
    maxAmount: reader.amount('max', exponentOf) ?? 0n,
    actor: reader.text('actor'),
    forced: reader.isSet('forced'),
    metadata: reader.metadata(),
  });
  const start = reader.time('from', now);
  const end = reader.time('to', now);
  if (start !== undefined) request.startRecordedTime = start;
  if (end !== undefined) request.endRecordedTime = end;
  return { request, problems: reader.problems };
}

interface ListProps {
  readonly request: ListTransactionsRequest;
  /** Whether an empty list may be empty by its filter. */
  readonly isFiltered?: boolean;
}

/** The list of a filter, with the live tail on top. */
export function TransactionList({ request, isFiltered = false }: ListProps) {
  const { isKnown, end } = usePinTime();
  return isKnown ? <ListUntil request={request} isFiltered={isFiltered} end={end} /> : null;
}

function ListUntil({
  request,
  isFiltered,
  end,
}: Required<ListProps> & { readonly end: Timestamp | undefined }) {
  const { ledger } = useRoute();
  const pin = usePin();
  const feed = useTransactionFeed(pin === undefined ? ledger : '', request.accountId);
  const [isAtTop, setAtTop] = useState(true);
  const [isHeld, setHeld] = useState(false);
  const [shown, setShown] = useState(0);
  // While something is read, or pointed at, what is new is only counted.
  if (isAtTop && !isHeld && shown !== feed.count) setShown(feed.count);
  const load = useLoader(request, end);
  const key = keyOf(ledger, pin, request, Math.floor(shown / FEED_ROWS));
  const list = useKeyset(key, load, isHeld || pin !== undefined);
  const newest = list.rowAt(0)?.position ?? (list.isComplete ? 0n : undefined);
  const fresh = feed.transactions
    .slice(feed.count - shown)
    .filter((each) => newest !== undefined && each.position > newest && matches(request, each));
  const rowAt = (index: number) => fresh[index] ?? list.rowAt(index - fresh.length);
  const waiting = feed.count - shown;
  const count = fresh.length + list.count + (list.isComplete ? 0 : 1);
  const word = pin !== undefined ? 'pinned' : feed.isConnected ? 'live' : 'not live';
  const line = (
    <>
      <span className="muted small" role="status">
        {waiting > 0 ? `${word}, ${String(waiting)} new above` : word}
      </span>
      <ExportButtons request={request} load={load} />
    </>
  );
  return (
    <>
      <FailureNote error={list.error} />
      {list.isComplete && count === 0 ? (
        <>
          <div className="above">{line}</div>
          <NoTransactions isFiltered={isFiltered} />
        </>
      ) : (
        <Rows
          label="Transactions"
          columns={TRANSACTION_COLUMNS}
          count={count}
          rowAt={rowAt}
          keyOf={(index) => rowAt(index)?.transactionId ?? `row ${String(index)}`}
          onHold={setHeld}
          onSee={(first, last) => {
            setAtTop(first === 0);
            list.see(Math.max(first - fresh.length, 0), Math.max(last - fresh.length, 0));
          }}
        >
          {line}
        </Rows>
      )}
    </>
  );
}

/** Another list, filter, pin, or as many new rows as a page holds: the list is read anew. */
function keyOf(
  ledger: string,
  pin: bigint | undefined,
  request: ListTransactionsRequest,
  reading: number,
): string {
  return ['transactions', ledger, String(pin), JSON.stringify(request, asText), String(reading)].join('|');
}

function useLoader(request: ListTransactionsRequest, pinEnd: Timestamp | undefined) {
  const { ledger } = useRoute();
  const transport = useTransport();
  const consistency = useFreshness();
  return async (token: string, signal: AbortSignal) => {
    const until = pinEnd ?? request.endRecordedTime;
    return wholePage(token, async (page) => {
      const message = create(ListTransactionsRequestSchema, {
        ...request,
        ledgerId: ledger,
        consistency,
        descending: true,
        ...page,
      });
      if (until !== undefined) message.endRecordedTime = until;
      const { listTransactions } = TransactionQueryService.method;
      const answer = await callUnaryMethod(transport, listTransactions, message, { signal });
      return { rows: answer.transactions, next: answer.nextPageToken };
    });
  };
}

/** Whether a transaction that comes in live is one of the list. The stream itself is of the account alone. */
function matches(request: ListTransactionsRequest, transaction: Transaction): boolean {
  const { kind, status, reference, paymentId, declineReason, amount, actor, forced, metadata } = transaction;
  const units = amount?.minorUnits ?? 0n;
  return (
    (request.kinds.length === 0 || request.kinds.includes(kind)) &&
    (request.status === TransactionStatus.UNSPECIFIED || request.status === status) &&
    (request.declineReason === DeclineReason.UNSPECIFIED || request.declineReason === declineReason) &&
    isAsked(request.reference, reference) &&
    isAsked(request.paymentId, paymentId) &&
    isAsked(request.currency, amount?.currency ?? '') &&
    isAsked(request.actor, actor) &&
    units >= request.minAmount &&
    (request.maxAmount === 0n || units <= request.maxAmount) &&
    (!request.forced || forced) &&
    request.metadata.every(({ key, value }) =>
      value === undefined ? key in metadata : metadata[key] === value,
    ) &&
    request.endRecordedTime === undefined
  );
}

/** An empty filter takes everything. */
function isAsked(wanted: string, found: string): boolean {
  return wanted === '' || wanted === found;
}

function asText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function NoTransactions({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Empty>No transaction is so. Take a part of the filter away.</Empty>;
  return (
    <Empty>
      Here would be every deposit, payment, refund and decline, newest first. Open two accounts, then press{' '}
      <kbd>n</kbd> to make the first payment, or run <code>npm run demo</code>.
    </Empty>
  );
}
