/**
 * How events make and change transactions and payments, and whether what the events carry of them is true.
 */
import {
  Direction,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Event, HoldChange, TransactionState } from '../../../gen/quittance/event/v1/event_pb.js';
import { microsOf } from '../../../lib/base/time.js';
import type { LogRecord } from '../log/chain-walk.js';
import { type PaymentFacts, sortedPairs, type TransactionFacts } from './facts.js';
import { charged, idOf, madeBy, requestOf, returned, UnreadableEventError } from './made-by.js';

/**
 * The transactions of one stream: a payment with all that belongs to it, or a transaction and its reversal.
 */
export type Chain = Map<string, TransactionFacts>;

/** A transaction before and after an event. */
export interface Effect {
  /** Undefined if the event made it. */
  readonly before: TransactionFacts | undefined;
  readonly after: TransactionFacts;
}

/** Called with what is not as it should be. */
export type Complain = (entity: string, expected: string, actual: string) => void;

/**
 * What an event does to the transactions of its stream, which it brings up to date. Where the event carries
 * another state than the fold comes to, the event's is taken, so that one difference is not found again at
 * every later event.
 * @throws UnreadableEventError
 */
export function foldTransactions(chain: Chain, record: LogRecord, complain: Complain): readonly Effect[] {
  const made = madeBy(record);
  const effects = changesBy(chain, record, made, complain);
  if (made !== undefined) {
    checkMade(chain, made, record.event, complain);
    effects.unshift({ before: undefined, after: made });
  }
  const settled = effects.map((effect) => carriedEffect(effect, record.event, complain));
  checkNoOthers(settled, record.event, complain);
  for (const { after } of settled) {
    checkPayment(after, complain);
    chain.set(after.transactionId, after);
  }
  return settled;
}

function changesBy(
  chain: Chain,
  record: LogRecord,
  made: TransactionFacts | undefined,
  complain: Complain,
): Effect[] {
  const { event, position } = record;
  const { payload } = event;
  const change = (
    transactionId: string,
    next: (before: TransactionFacts) => Partial<TransactionFacts>,
  ): Effect[] => {
    const before = chain.get(transactionId);
    if (before === undefined) {
      complain(transactionId, 'a transaction that was made before', 'none in the stream');
      return [];
    }
    const after = { ...before, ...next(before), version: before.version + 1n, changedPosition: position };
    return [{ before, after }];
  };
  switch (payload.case) {
    case 'transactionPosted':
      if (made === undefined) return [];
      return changesByPosted(chain, made, releasedBy(payload.value.holdChanges), change);
    case 'paymentVoided':
    case 'paymentExpired':
      return change(rootOf(event), (root) =>
        ended(root, releasedBy(payload.value.holdChanges), payload.case === 'paymentVoided'),
      );
    case 'paymentAdjusted':
      return change(rootOf(event), (root) => adjusted(root, event, complain));
    case 'transactionUpdated': {
      const request = requestOf(event);
      if (request.case !== 'updateTransaction')
        throw new UnreadableEventError('an update by another command');
      const { transactionId, updateMask, description, metadata } = request.value;
      const isSet = (path: string) => updateMask?.paths.includes(path) ?? false;
      return change(transactionId, (before) => ({
        annotated: true,
        description: isSet('description') ? description : before.description,
        metadata: isSet('metadata') ? metadata : before.metadata,
      }));
    }
    default:
      return [];
  }
}

type Change = (
  transactionId: string,
  next: (before: TransactionFacts) => Partial<TransactionFacts>,
) => Effect[];

function changesByPosted(chain: Chain, made: TransactionFacts, released: bigint, change: Change): Effect[] {
  const { kind, amount, fees, paymentId, reverses, transactionId } = made;
  const onPayment = (next: (payment: PaymentFacts) => Partial<PaymentFacts>) => (root: TransactionFacts) => {
    const { payment } = root;
    return payment === undefined ? {} : { payment: { ...payment, ...next(payment) } };
  };
  switch (kind) {
    case TransactionKind.CAPTURE:
      return change(paymentId, (root) => captured(root, made, released));
    case TransactionKind.REFUND:
      return change(
        paymentId,
        onPayment((payment) => ({
          refunded: payment.refunded + amount,
          fees: returned(payment.fees, fees),
        })),
      );
    case TransactionKind.REVERSAL: {
      const target = chain.get(reverses);
      const reversal = onPayment((payment) =>
        target?.kind === TransactionKind.REFUND
          ? { refunded: payment.refunded - amount, fees: returned(payment.fees, fees, -1n) }
          : { reversed: payment.reversed + amount, fees: charged(payment.fees, fees, -1n) },
      );
      const isRoot = paymentId === reverses;
      const linked = change(reverses, (before) => ({
        reversedBy: transactionId,
        ...(isRoot ? reversal(before) : {}),
      }));
      return isRoot || paymentId === '' ? linked : [...linked, ...change(paymentId, reversal)];
    }
    default:
      return [];
  }
}

function captured(
  root: TransactionFacts,
  made: TransactionFacts,
  released: bigint,
): Partial<TransactionFacts> {
  const { payment } = root;
  if (payment === undefined) return {};
  const after = {
    ...payment,
    captured: payment.captured + made.amount,
    // What a final capture releases beyond its amount.
    voided: payment.voided + released - made.amount,
    fees: charged(payment.fees, made.fees),
  };
  return { payment: after, status: statusOf(after) };
}

/** An authorization after what its command asked for: what it left out stays. */
function adjusted(root: TransactionFacts, event: Event, complain: Complain): Partial<TransactionFacts> {
  const request = requestOf(event);
  if (request.case !== 'adjustAuthorization')
    throw new UnreadableEventError('an adjustment by another command');
  const { payment } = root;
  if (payment === undefined) return {};
  const { paymentId, amount, expireTime } = request.value;
  if (paymentId !== root.transactionId) complain('event.stream', paymentId, root.transactionId);
  const after = {
    ...payment,
    authorized: amount?.minorUnits ?? payment.authorized,
    expireTime: expireTime === undefined ? payment.expireTime : microsOf(expireTime),
  };
  return { payment: after, status: statusOf(after) };
}

function ended(root: TransactionFacts, released: bigint, isVoid: boolean): Partial<TransactionFacts> {
  const { payment } = root;
  if (payment === undefined) return {};
  const after = isVoid
    ? { ...payment, voided: payment.voided + released }
    : { ...payment, expired: payment.expired + released };
  return { payment: after, status: statusOf(after) };
}

function statusOf({ authorized, captured, voided, expired }: PaymentFacts): TransactionStatus {
  if (authorized !== captured + voided + expired) return TransactionStatus.AUTHORIZED;
  if (captured > 0n) return TransactionStatus.CAPTURED;
  return expired > 0n ? TransactionStatus.EXPIRED : TransactionStatus.VOIDED;
}

function releasedBy(changes: readonly HoldChange[]): bigint {
  return changes.reduce((sum, { delta }) => sum - delta, 0n);
}

function rootOf({ stream }: Event): string {
  return stream.case === 'transactionStreamId' ? idOf(stream.value) : '';
}

/** The amount, the stream and the entries of what an event made. */
function checkMade(chain: Chain, made: TransactionFacts, event: Event, complain: Complain): void {
  const { transactionId, kind, amount, entries, reverses, paymentId, status } = made;
  const root = paymentId !== '' ? paymentId : reverses !== '' ? reverses : transactionId;
  if (rootOf(event) !== root) complain('event.stream', root, rootOf(event));
  if (status === TransactionStatus.DECLINED) return;
  const { value: request } = requestOf(event);
  const asked =
    kind === TransactionKind.JOURNAL
      ? entries.reduce(
          (sum, entry) =>
            entry.direction === Direction.DEBIT && entry.currency === made.currency
              ? sum + entry.amount
              : sum,
          0n,
        )
      : kind === TransactionKind.REVERSAL
        ? (chain.get(reverses)?.amount ?? amount)
        : 'amount' in request
          ? (request.amount?.minorUnits ?? leftOf(chain.get(paymentId)?.payment, kind))
          : amount;
  // What funds allowed is judged where the accounts are folded: here only that it is no more than was asked for.
  const isUpTo = 'upTo' in request && request.upTo;
  if (isUpTo ? amount < 1n || amount > asked : amount !== asked)
    complain(transactionId, `amount ${asked}`, `amount ${amount}`);
  if (kind !== TransactionKind.AUTHORIZATION && entries.length < 2) {
    complain(transactionId, 'two entries or more', String(entries.length));
  }
  checkBalanced(made, complain);
  if (kind === TransactionKind.REVERSAL) checkMirrored(chain.get(reverses), made, complain);
}

/** All that a capture or a refund could take. */
function leftOf(payment: PaymentFacts | undefined, kind: TransactionKind): bigint {
  if (payment === undefined) return 0n;
  const { authorized, captured: taken, voided, expired, reversed, refunded } = payment;
  return kind === TransactionKind.REFUND
    ? taken - reversed - refunded
    : authorized - taken - voided - expired;
}

function checkBalanced({ transactionId, entries }: TransactionFacts, complain: Complain): void {
  const sums = new Map<string, bigint>();
  for (const { currency, direction, amount } of entries) {
    if (amount <= 0n) complain(transactionId, 'amounts above zero', String(amount));
    const signed = direction === Direction.CREDIT ? amount : -amount;
    sums.set(currency, (sums.get(currency) ?? 0n) + signed);
  }
  for (const [currency, sum] of sums) {
    if (sum !== 0n) complain(transactionId, `entries in ${currency} that sum to 0`, String(sum));
  }
}

function checkMirrored(
  target: TransactionFacts | undefined,
  { transactionId, entries }: TransactionFacts,
  complain: Complain,
): void {
  if (target === undefined) return;
  const text = (list: TransactionFacts['entries'], flip: boolean) =>
    list
      .map(({ accountId, direction, amount }) => {
        const isDebit = (direction === Direction.DEBIT) !== flip;
        return `${accountId} ${isDebit ? 'debit' : 'credit'} ${amount}`;
      })
      .sort()
      .join(', ');
  const expected = text(target.entries, true);
  const actual = text(entries, false);
  if (expected !== actual) complain(transactionId, `mirrored entries ${expected}`, actual);
}

/** What the event carries must be what the fold comes to. */
function carriedEffect(effect: Effect, event: Event, complain: Complain): Effect {
  const { before, after } = effect;
  const isOwn = before === undefined;
  const carried = transactionsIn(event).find(({ transactionId }) =>
    isOwn ? transactionId.length === 0 : idOf(transactionId) === after.transactionId,
  );
  if (isOwn && carried !== undefined && isPlainlyCarried(after, carried)) return effect;
  const isDeclined = after.status === TransactionStatus.DECLINED;
  if (carried === undefined) {
    if (!isOwn || (after.payment !== undefined && !isDeclined)) {
      complain(after.transactionId, stateText(after), 'nothing in the event');
    }
    return effect;
  }
  const actual = adopted(after, carried, isOwn);
  // Of a declined payment nothing is in the books: an event may say what was asked for, or nothing.
  const judged = (facts: TransactionFacts) =>
    stateText(isDeclined ? { ...facts, payment: undefined } : facts);
  const [expectedText, actualText] = [judged(after), judged(actual)];
  if (isDeclined && expectedText === actualText) return { before, after: actual };
  if (expectedText === actualText) return effect;
  complain(after.transactionId, expectedText, actualText);
  return { before, after: actual };
}

/**
 * Whether the event that made a transaction carries the fold's state, where numbers alone say it: most events
 * do. False where it has to be looked at closely.
 */
function isPlainlyCarried(after: TransactionFacts, carried: TransactionState): boolean {
  const { version, status, reversedBy, annotated, payment } = after;
  const { payment: totals } = carried;
  if (version !== carried.version || status !== carried.status) return false;
  if (annotated || carried.annotation !== undefined || status === TransactionStatus.DECLINED) return false;
  if (reversedBy !== '' || carried.reversedByTransactionId.length > 0) return false;
  if (payment === undefined || totals === undefined) return payment === totals;
  return (
    payment.authorized === totals.authorized &&
    payment.captured === totals.captured &&
    payment.voided === totals.voided &&
    payment.expired === totals.expired &&
    payment.reversed === totals.reversed &&
    payment.refunded === totals.refunded &&
    payment.expireTime === totals.expireTimeMicros &&
    payment.fees.length === 0 &&
    totals.fees.length === 0
  );
}

function adopted(after: TransactionFacts, carried: TransactionState, isOwn: boolean): TransactionFacts {
  const { payment, annotation } = carried;
  return {
    ...after,
    version: carried.version,
    status: carried.status,
    reversedBy: idOf(carried.reversedByTransactionId),
    annotated: annotation !== undefined,
    description: annotation?.description ?? after.description,
    metadata: annotation?.metadata ?? after.metadata,
    payment:
      payment === undefined
        ? undefined
        : {
            // In the event that made the payment its body says who pays whom.
            payerAccountId: isOwn ? (after.payment?.payerAccountId ?? '') : payment.payerAccountId,
            payeeAccountId: isOwn ? (after.payment?.payeeAccountId ?? '') : payment.payeeAccountId,
            currency: isOwn ? (after.payment?.currency ?? '') : payment.currency,
            authorized: payment.authorized,
            captured: payment.captured,
            voided: payment.voided,
            expired: payment.expired,
            reversed: payment.reversed,
            refunded: payment.refunded,
            expireTime: payment.expireTimeMicros,
            fees: payment.fees,
          },
  };
}

/** What may change of a transaction, as text. */
export function stateText(facts: TransactionFacts): string {
  const { version, status, reversedBy, payment, annotated, description, metadata } = facts;
  return JSON.stringify([
    String(version),
    TransactionStatus[status],
    reversedBy,
    payment === undefined ? null : paymentText(payment),
    annotated ? [description, sortedPairs(metadata)] : null,
  ]);
}

function paymentText(payment: PaymentFacts): unknown {
  const { authorized, captured, voided, expired, reversed, refunded, expireTime, fees } = payment;
  return [
    payment.payerAccountId,
    payment.payeeAccountId,
    payment.currency,
    ...[authorized, captured, voided, expired, reversed, refunded, expireTime].map(String),
    fees.map((fee) => [fee.paidBy, fee.toAccountId, String(fee.charged), String(fee.refunded)]),
  ];
}

function checkNoOthers(effects: readonly Effect[], event: Event, complain: Complain): void {
  for (const { transactionId } of transactionsIn(event)) {
    const id = transactionId.length === 0 ? idOf(event.requestId) : idOf(transactionId);
    if (!effects.some(({ after }) => after.transactionId === id)) {
      complain(id, 'no change of this transaction', 'one in the event');
    }
  }
}

function transactionsIn({ payload }: Event): readonly TransactionState[] {
  return payload.value !== undefined && 'transactions' in payload.value ? payload.value.transactions : [];
}

function checkPayment({ transactionId, status, payment }: TransactionFacts, complain: Complain): void {
  if (payment === undefined || status === TransactionStatus.DECLINED) return;
  const { authorized, captured, voided, expired, reversed, refunded, fees } = payment;
  const held = authorized - captured - voided - expired;
  if (held < 0n) complain(transactionId, 'captured + voided + expired <= authorized', `${-held} more`);
  const parts = [authorized, captured, voided, expired, reversed, refunded];
  if (parts.some((part) => part < 0n)) complain(transactionId, 'totals of zero or more', parts.join(' '));
  if (refunded > captured - reversed) {
    complain(transactionId, 'refunded <= captured - reversed', `${refunded} > ${captured} - ${reversed}`);
  }
  for (const fee of fees) {
    if (fee.refunded < 0n || fee.refunded > fee.charged) {
      complain(transactionId, '0 <= fee refunded <= fee charged', `${fee.refunded} of ${fee.charged}`);
    }
  }
}
