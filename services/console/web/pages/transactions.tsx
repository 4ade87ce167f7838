/** What moved, what was declined, and why. Newest first; new ones come in on top without moving what is being read. */
import { create } from '@bufbuild/protobuf';
import { type Timestamp, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { useState } from 'react';
import { FilterLine } from '../parts/filter-line.js';
import {
  TransactionKind,
  TransactionStatus,
  type Transaction,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type ListTransactionsRequest,
  ListTransactionsRequestSchema,
  TransactionQueryService,
} from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { type FilterText, parseFilter, typedTime } from '../parts/filter.js';
import { Rows } from '../parts/rows.js';
import { Empty, FailureNote } from '../parts/text.js';
import { TRANSACTION_COLUMNS } from '../parts/transaction-columns.js';
import { Views } from '../parts/views.js';
import { valueOfWord, wordsOf } from '../parts/words.js';
import { ExportButtons } from '../parts/export.js';
import { useFreshness, usePin } from '../state/reads.js';
import { PAGE_ROWS, useKeyset } from '../state/keyset.js';
import { usePageCall } from '../state/page-call.js';
import { setParams, useRoute } from '../state/route.js';
import { useTransactionFeed } from '../state/watch.js';
import { usePinTime } from '../state/pin-time.js';

const KEYS = ['kind', 'status', 'account', 'reference', 'payment', 'from', 'to'];
/** Every so many new ones the list is read again from its newest. */
const FEED_ROWS = 100;

export function TransactionsPage() {
  const { ledger, params } = useRoute();
  const text = params.get('q') ?? '';
  const filter = parseFilter(text, KEYS);
  const { request, problems } = requestOf(filter, new Date());
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
        onFilter={(typed) => setParams({ q: typed })}
      />
      {problems.length > 0 ? (
        problems.map((problem) => (
          <p key={problem} className="error" role="alert">
            {problem}
          </p>
        ))
      ) : (
        <TransactionList key={text} request={request} />
      )}
    </>
  );
}

const VIEWS = [
  ['all', ''],
  ['declined', 'status:declined'],
  ['declined today', 'status:declined from:-1d'],
  ['refunds', 'kind:refund'],
  ['held', 'status:authorized'],
] as const;

/** Dates are in UTC, as the ledger's are. */
function requestOf({ values, problems: before }: FilterText, now: Date) {
  const problems = [...before];
  const wordIn = <E extends number>(key: string, names: Readonly<Record<string, string | E>>) => {
    const word = values[key];
    const value = word === undefined ? undefined : valueOfWord(names, word);
    if (word !== undefined && value === undefined)
      problems.push(`${key}: is one of ${wordsOf(names).join(', ')}`);
    return value;
  };
  const timeIn = (key: string) => {
    const word = values[key];
    const time = word === undefined ? undefined : typedTime(word, now);
    if (word !== undefined && time === undefined) problems.push(`${key}: is a day, a time, or -2h, -7d`);
    return time === undefined ? undefined : timestampFromDate(time);
  };
  const start = timeIn('from');
  const end = timeIn('to');
  const kind = wordIn<TransactionKind>('kind', TransactionKind);
  const request = create(ListTransactionsRequestSchema, {
    kinds: kind === undefined ? [] : [kind],
    status: wordIn<TransactionStatus>('status', TransactionStatus) ?? TransactionStatus.UNSPECIFIED,
    accountId: values['account'] ?? '',
    reference: values['reference'] ?? '',
    paymentId: values['payment'] ?? '',
  });
  if (start !== undefined) request.startRecordedTime = start;
  if (end !== undefined) request.endRecordedTime = end;
  return { request, problems };
}

/** The list of a filter, with the live tail on top. */
export function TransactionList({ request }: { readonly request: ListTransactionsRequest }) {
  const { isKnown, end } = usePinTime();
  return isKnown ? <ListUntil request={request} end={end} /> : null;
}

function ListUntil({
  request,
  end,
}: {
  readonly request: ListTransactionsRequest;
  readonly end: Timestamp | undefined;
}) {
  const { ledger } = useRoute();
  const pin = usePin();
  const feed = useTransactionFeed(pin === undefined ? ledger : '', request.accountId);
  const [isAtTop, setAtTop] = useState(true);
  const [shown, setShown] = useState(0);
  // While something is read further down, what is new is only counted.
  if (isAtTop && shown !== feed.count) setShown(feed.count);
  const load = useLoader(request, end);
  const key = keyOf(ledger, pin, request, Math.floor(shown / FEED_ROWS));
  const list = useKeyset(key, load);
  const newest = list.rowAt(0)?.position;
  const isListed = list.isComplete || newest !== undefined;
  const fresh = feed.transactions
    .slice(feed.count - shown)
    .filter((each) => isListed && each.position > (newest ?? 0n) && matches(request, each));
  const waiting = feed.count - shown;
  const count = fresh.length + list.count + (list.isComplete ? 0 : 1);
  return (
    <>
      <FailureNote error={list.error} />
      <div className="title">
        <span className="muted small" role="status">
          {pin !== undefined ? 'pinned' : feed.isConnected ? 'live' : 'not live'}
          {waiting > 0 ? `, ${String(waiting)} new above` : ''}
        </span>
        <ExportButtons request={request} load={load} />
      </div>
      {list.isComplete && count === 0 ? (
        <NoTransactions />
      ) : (
        <Rows
          label="Transactions"
          columns={TRANSACTION_COLUMNS}
          count={count}
          rowAt={(index) => fresh[index] ?? list.rowAt(index - fresh.length)}
          keyOf={(index) =>
            fresh[index]?.transactionId ??
            list.rowAt(index - fresh.length)?.transactionId ??
            `row ${String(index)}`
          }
          onSee={(first, last) => {
            setAtTop(first === 0);
            list.see(Math.max(first - fresh.length, 0), Math.max(last - fresh.length, 0));
          }}
        />
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
    const message = create(ListTransactionsRequestSchema, {
      ...request,
      ledgerId: ledger,
      consistency,
      descending: true,
      pageSize: PAGE_ROWS,
      pageToken: token,
    });
    if (until !== undefined) message.endRecordedTime = until;
    const answer = await callUnaryMethod(
      transport,
      TransactionQueryService.method.listTransactions,
      message,
      { signal },
    );
    return { rows: answer.transactions, next: answer.nextPageToken };
  };
}

function matches(
  request: ListTransactionsRequest,
  { kind, status, reference, paymentId }: Transaction,
): boolean {
  return (
    (request.kinds.length === 0 || request.kinds.includes(kind)) &&
    (request.status === TransactionStatus.UNSPECIFIED || request.status === status) &&
    (request.reference === '' || request.reference === reference) &&
    (request.paymentId === '' || request.paymentId === paymentId) &&
    request.endRecordedTime === undefined
  );
}

function asText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function NoTransactions() {
  return (
    <Empty>
      Here would be every deposit, payment, refund and decline, newest first. Open two accounts, then press{' '}
      <kbd>n</kbd> to make the first payment, or run <code>npm run demo</code>.
    </Empty>
  );
}
