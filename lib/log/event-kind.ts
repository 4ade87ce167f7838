/** What happened, as the API names it. */
import type { Event } from '../../gen/quittance/event/v1/event_pb.js';
import { EventKind } from '../../gen/quittance/query/v1/event_query_service_pb.js';

type Payload = NonNullable<Event['payload']['case']>;

/** The kind of each payload; events of no ledger have none. */
const KINDS: Readonly<Record<Payload, EventKind | undefined>> = {
  logStarted: undefined,
  epochStarted: undefined,
  ledgerCreated: EventKind.LEDGER_CREATED,
  ledgerCreatedV2: EventKind.LEDGER_CREATED,
  assetRegistered: EventKind.ASSET_REGISTERED,
  periodClosed: EventKind.PERIOD_CLOSED,
  periodReopened: EventKind.PERIOD_REOPENED,
  accountOpened: EventKind.ACCOUNT_OPENED,
  accountUpdated: EventKind.ACCOUNT_UPDATED,
  accountFrozen: EventKind.ACCOUNT_FROZEN,
  accountUnfrozen: EventKind.ACCOUNT_UNFROZEN,
  accountClosed: EventKind.ACCOUNT_CLOSED,
  transactionPosted: EventKind.TRANSACTION_POSTED,
  transactionDeclined: EventKind.TRANSACTION_DECLINED,
  transactionUpdated: EventKind.TRANSACTION_UPDATED,
  paymentAuthorized: EventKind.PAYMENT_AUTHORIZED,
  paymentAdjusted: EventKind.PAYMENT_ADJUSTED,
  paymentVoided: EventKind.PAYMENT_VOIDED,
  paymentExpired: EventKind.PAYMENT_EXPIRED,
};

/** The kind of an event; undefined for those of no ledger. */
export function eventKindOf({ payload }: Event): EventKind | undefined {
  return payload.case === undefined ? undefined : KINDS[payload.case];
}
