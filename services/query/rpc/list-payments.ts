import {
  type Transaction,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type ListPaymentsRequest,
  ListPaymentsRequestSchema,
  ListPaymentsResponseSchema,
  PaymentOrder,
  type TransactionQueryService,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { microsOf } from '../../../lib/base/time.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { HoldKey, TimeRange, TransactionListing } from '../../../lib/views/history/view.js';
import { type QueryContext, readView } from '../context.js';
import { isWithin, requestedRange } from '../times.js';
import { filteredPage, type RowSource } from './filtered-page.js';
import { answerWithList } from './history-list.js';

/**
 * ListPayments, from the history view: the transactions that began payments, in order of position, or of expiry by the index
 * of open holds. All pages are as of the first one's position.
 */
export function listPayments(
  context: QueryContext,
): MethodFunction<(typeof TransactionQueryService)['method']['listPayments']> {
  return async (request, call) => {
    const filter = filterOf(request);
    return await answerWithList(context, request, call, {
      requestSchema: ListPaymentsRequestSchema,
      answerSchema: ListPaymentsResponseSchema,
      cursor: ['bigint', 'bigint'],
      keyIn: ([expireTime, position]) => ({ expireTime, position }),
      cursorAt: ({ expireTime, position }) => [expireTime, position],
      page: (partition, start) => filteredPage(sourceOf(context, partition, request, filter), start),
      keyAfter: request.orderBy === PaymentOrder.EXPIRE_TIME ? expiryKey : positionKey,
      answerOf: (rows, end) => ({ payments: [...rows], ...end }),
    });
  };
}

/** What a payment must be. */
interface PaymentFilter {
  /** UNSPECIFIED: any; undefined: none can have what is asked for. */
  readonly status: TransactionStatus | undefined;
  readonly payer: string;
  readonly payee: string;
  /** When its open hold expires. */
  readonly expire: TimeRange;
}

const OPEN: TimeRange = { from: null, to: null };

/** Only of an authorization that has not ended is something held, and only that is going to expire. */
function filterOf(request: ListPaymentsRequest): PaymentFilter {
  const { startExpireTime, endExpireTime, hasRemaining, status, orderBy } = request;
  const expire = requestedRange('start_expire_time', startExpireTime, 'end_expire_time', endExpireTime);
  const isOfOpen = hasRemaining || !isAnyTime(expire) || orderBy === PaymentOrder.EXPIRE_TIME;
  const isOpen = status === TransactionStatus.UNSPECIFIED || status === TransactionStatus.AUTHORIZED;
  const ofOpen = isOpen ? TransactionStatus.AUTHORIZED : undefined;
  return {
    status: isOfOpen ? ofOpen : status,
    payer: request.payerAccountId,
    payee: request.payeeAccountId,
    expire,
  };
}

function isAnyTime({ from, to }: TimeRange): boolean {
  return from === null && to === null;
}

type PaymentSource = RowSource<Transaction, Transaction, HoldKey>;

function expiryKey({ payment, position }: Transaction): HoldKey {
  return { expireTime: expiryOf(payment) ?? 0n, position };
}

/** The same shape, as the page token is of one. */
function positionKey({ position }: Transaction): HoldKey {
  return { expireTime: 0n, position };
}

function sourceOf(
  context: QueryContext,
  partition: number,
  request: ListPaymentsRequest,
  filter: PaymentFilter,
): PaymentSource {
  if (filter.status === undefined) return byExpiry(context, partition, request, { ...filter, expire: NEVER });
  return request.orderBy === PaymentOrder.EXPIRE_TIME
    ? byExpiry(context, partition, request, filter)
    : byPosition(context, partition, request, filter);
}

/** No hold expires before 1970. */
const NEVER: TimeRange = { from: null, to: 0n };

function byExpiry(
  context: QueryContext,
  partition: number,
  { ledgerId, descending }: ListPaymentsRequest,
  filter: PaymentFilter,
): PaymentSource {
  const { expire } = filter;
  return {
    read: (at) =>
      readView(context.history, (view) => view.openHolds({ partition, ledgerId, expire, descending, ...at })),
    keyAfter: expiryKey,
    shown: (transaction) => (isAskedFor(transaction, filter) ? [transaction] : []),
    isFiltered: hasParty(filter),
  };
}

/** The kinds of transactions that begin a payment. */
const ROOTS: readonly TransactionKind[] = [TransactionKind.PAYMENT, TransactionKind.AUTHORIZATION];

/**
 * Without a party, kind and status have indexes. With one, all that names the account is looked at in order: a filter of the
 * store could pass over the whole of a busy account for one page.
 */
function byPosition(
  context: QueryContext,
  partition: number,
  { ledgerId, descending }: ListPaymentsRequest,
  filter: PaymentFilter,
): PaymentSource {
  const isOfParty = hasParty(filter);
  const listing: Omit<TransactionListing, 'partition' | 'through' | 'after' | 'limit'> = {
    ledgerId,
    descending,
    accountId: filter.payer === '' ? filter.payee : filter.payer,
    kinds: isOfParty ? [] : ROOTS,
    status: isOfParty ? TransactionStatus.UNSPECIFIED : (filter.status ?? TransactionStatus.UNSPECIFIED),
    reference: '',
    paymentId: '',
    recorded: OPEN,
    effective: OPEN,
  };
  return {
    read: ({ after, through, limit }) =>
      readView(context.history, (view) =>
        view.transactions({ partition, ...listing, through, limit, after: after?.position ?? null }),
      ),
    keyAfter: positionKey,
    shown: (transaction) => (isAskedFor(transaction, filter) ? [transaction] : []),
    isFiltered: isOfParty || !isAnyTime(filter.expire),
  };
}

function hasParty({ payer, payee }: PaymentFilter): boolean {
  return payer !== '' || payee !== '';
}

function isAskedFor({ status, payment }: Transaction, filter: PaymentFilter): boolean {
  if (payment === undefined) return false;
  return (
    (filter.status === TransactionStatus.UNSPECIFIED || filter.status === status) &&
    ['', payment.payerAccountId].includes(filter.payer) &&
    ['', payment.payeeAccountId].includes(filter.payee) &&
    expiresIn(payment, filter.expire)
  );
}

function expiresIn(payment: Transaction['payment'], range: TimeRange): boolean {
  if (isAnyTime(range)) return true;
  const time = expiryOf(payment);
  return time !== undefined && isWithin(time, range);
}

function expiryOf(payment: Transaction['payment']): bigint | undefined {
  return payment?.expireTime === undefined ? undefined : microsOf(payment.expireTime);
}
