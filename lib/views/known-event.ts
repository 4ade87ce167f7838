/**
 * Whether this program understands an event: a projection stops at one that it does not, unless it is
 * ignorable.
 */
import type { GenEnum } from '@bufbuild/protobuf/codegenv2';
import {
  AccountStatusSchema,
  AccountTypeSchema,
  FreezeScopeSchema,
  LimitKindSchema,
  LimitPeriodSchema,
} from '../../gen/quittance/common/v1/account_pb.js';
import {
  DeclineReasonSchema,
  DirectionSchema,
  FeePayerSchema,
  TransactionKindSchema,
  TransactionStatusSchema,
} from '../../gen/quittance/common/v1/transaction_pb.js';
import type * as log from '../../gen/quittance/event/v1/event_pb.js';
import { CommandTypeSchema } from '../../gen/quittance/event/v1/event_pb.js';
import type { RecordedEvent } from '../log/recorded-event.js';
import { UnknownEventError } from './view.js';

const numbersOf = (schema: GenEnum<number>): ReadonlySet<number> =>
  new Set(schema.values.map(({ number }) => number));

const ACCOUNT_TYPES = numbersOf(AccountTypeSchema);
const ACCOUNT_STATUSES = numbersOf(AccountStatusSchema);
const FREEZE_SCOPES = numbersOf(FreezeScopeSchema);
const KINDS = numbersOf(TransactionKindSchema);
const STATUSES = numbersOf(TransactionStatusSchema);
const LIMIT_PERIODS = numbersOf(LimitPeriodSchema);
const LIMIT_KINDS = numbersOf(LimitKindSchema);
const DECLINE_REASONS = numbersOf(DeclineReasonSchema);
const DIRECTIONS = numbersOf(DirectionSchema);
const FEE_PAYERS = numbersOf(FeePayerSchema);
const COMMAND_TYPES = numbersOf(CommandTypeSchema);

/** Whether the event's kind, and every enum value in it, is one that this program knows. */
export function isKnown(event: log.Event): boolean {
  if (!COMMAND_TYPES.has(event.commandType)) return false;
  const { payload } = event;
  switch (payload.case) {
    case undefined:
      return false;
    case 'logStarted':
    case 'epochStarted':
    case 'ledgerCreated':
    case 'ledgerCreatedV2':
    case 'periodReopened':
      return true;
    case 'periodClosed':
      return payload.value.totals.every(({ accountType }) => ACCOUNT_TYPES.has(accountType));
    case 'assetRegistered':
    case 'accountOpened':
    case 'accountUpdated':
    case 'accountFrozen':
    case 'accountUnfrozen':
    case 'accountClosed':
      return payload.value.account === undefined || isKnownState(payload.value.account);
    case 'transactionPosted':
      return isKnownMovement(payload.value) && payload.value.transactions.every(isKnownTransaction);
    case 'transactionDeclined':
      return (
        isKnownMovement(payload.value) &&
        DECLINE_REASONS.has(payload.value.reason) &&
        LIMIT_KINDS.has(payload.value.exceededLimit)
      );
    case 'transactionUpdated':
      return payload.value.transactions.every(isKnownTransaction);
    case 'paymentAuthorized':
    case 'paymentAdjusted':
    case 'paymentVoided':
    case 'paymentExpired':
      return (
        payload.value.accounts.every(isKnownState) && payload.value.transactions.every(isKnownTransaction)
      );
  }
}

/** @throws UnknownEventError on an event that this program does not know and that is not ignorable. */
export function assertKnown({ position, event }: RecordedEvent): void {
  if (!event.ignorable && !isKnown(event)) throw new UnknownEventError(position);
}

/**
 * The events to apply: those that this program knows; unknown events that are ignorable are left out.
 * @throws UnknownEventError on an unknown one that is not.
 */
export function knownEvents(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  events.forEach(assertKnown);
  return events.some(({ event }) => event.ignorable) ? events.filter(({ event }) => isKnown(event)) : events;
}

function isKnownMovement(movement: log.TransactionPosted | log.TransactionDeclined): boolean {
  return (
    KINDS.has(movement.kind) &&
    movement.accounts.every(isKnownState) &&
    movement.entries.every(({ direction }) => DIRECTIONS.has(direction)) &&
    movement.fees.every(({ paidBy }) => FEE_PAYERS.has(paidBy))
  );
}

function isKnownState(state: log.AccountState): boolean {
  return (
    ACCOUNT_TYPES.has(state.type) &&
    ACCOUNT_STATUSES.has(state.status) &&
    FREEZE_SCOPES.has(state.freezeScope) &&
    (state.limits === undefined || state.limits.windows.every(({ period }) => LIMIT_PERIODS.has(period)))
  );
}

function isKnownTransaction(state: log.TransactionState): boolean {
  return (
    STATUSES.has(state.status) &&
    (state.payment === undefined || state.payment.fees.every(({ paidBy }) => FEE_PAYERS.has(paidBy)))
  );
}
