/** A webhook that this process serves for the moment, and what became of its deliveries. */
import type { EventKind } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import type { WebhookKey } from './webhook.js';

/** A webhook as it was when it was taken. */
export interface WebhookClaim extends WebhookKey {
  /** The process that has it. */
  readonly holder: string;
  /** Rises when a call changes the webhook: the claim is void then. */
  readonly version: bigint;
  readonly url: string;
  /** Empty: all. */
  readonly kinds: readonly EventKind[];
  /** Empty: all. */
  readonly accountIds: readonly string[];
  /** The latest first. */
  readonly secrets: readonly Uint8Array[];
  readonly epoch: number;
  readonly position: bigint;
  /** The delivery that failed last, and how often; undefined if none is retried. */
  readonly retrying: { readonly position: bigint; readonly attempts: number } | undefined;
  readonly hasRequested: boolean;
}

/** How far a webhook has come. */
export interface Delivered {
  /** Every event up to here was delivered, was of no interest, or is parked. */
  readonly position: bigint;
  /** The event that was delivered; undefined: none, the events up to `position` were passed over. */
  readonly delivered?: bigint;
}

/** An attempt that failed. */
export interface FailedAttempt {
  /** The position of the event. */
  readonly position: bigint;
  readonly eventId: string;
  /** The webhook's place before this event. */
  readonly before: bigint;
  /** It was parked before, and was asked for once more. */
  readonly isRequested: boolean;
  readonly failure: string;
  /** How long the webhook waits now. */
  readonly pause_ms: number;
  /** Why the webhook is paused; empty: it is not. */
  readonly pauseReason: string;
}
