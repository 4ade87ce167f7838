/** The words of webhooks: what was asked for, where one stands, and what failed. */
import type { EventKind } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import type { Micros } from '../../lib/base/time.js';

/** Which webhook. */
export interface WebhookKey {
  readonly ledgerId: string;
  readonly webhookId: string;
}

/** What callers choose. */
export interface WebhookChoice {
  readonly url: string;
  readonly description: string;
  /** Empty: all. */
  readonly kinds: readonly EventKind[];
  /** Empty: all. */
  readonly accountIds: readonly string[];
  /** For how long an event is retried before it is parked, seconds. */
  readonly retryPeriod_s: number;
}

/** A webhook to create. */
export interface NewWebhook extends WebhookKey, WebhookChoice {
  readonly secret: Uint8Array;
  readonly epoch: number;
  /** The position before the first event to send. */
  readonly position: bigint;
}

/** A webhook as it stands. */
export interface Webhook extends WebhookKey, WebhookChoice {
  readonly isPaused: boolean;
  readonly pauseReason: string;
  /** Every event up to here was delivered, was of no interest, or is parked. */
  readonly position: bigint;
  /** The last event of the ledger. */
  readonly ledgerPosition: bigint;
  /** The delivery that is retried; undefined unless the last attempt failed. */
  readonly retrying: FailedDelivery | undefined;
  readonly parked: bigint;
  /** Undefined: only one secret signs. */
  readonly previousSecretExpireTime: Micros | undefined;
  readonly createTime: Micros;
  readonly updateTime: Micros;
}

export type DeliveryState = 'retrying' | 'parked' | 'retry_requested';

/** A delivery that failed. */
export interface FailedDelivery {
  readonly position: bigint;
  readonly eventId: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly firstAttemptTime: Micros;
  readonly lastAttemptTime: Micros;
  /** Undefined if it is parked. */
  readonly nextAttemptTime: Micros | undefined;
  readonly failure: string;
}

/** Webhooks of a ledger at most. */
export const WEBHOOKS_PER_LEDGER = 20;
/** Parked deliveries of a webhook at most: with so many it is paused. */
export const PARKED_MAX = 10_000;
/** How long events are retried unless the caller chooses, seconds: 3 days. */
export const RETRY_PERIOD_S = 259_200;
/** How long the secret before a rotation signs too, unless the caller chooses, seconds: a day. */
export const OVERLAP_S = 86_400;
