/** What the methods of webhooks share: what they are given, the errors, and a webhook as the API shows it. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  WebhookDeliveryState,
  type WebhookDeliverySchema,
  type WebhookSchema,
  WebhookState,
} from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import type { LogReader } from '../../../lib/log/reader.js';
import { type CallError, fail } from '../../../lib/rpc/errors.js';
import { ledgerNotFound } from '../../../lib/rpc/ledger-not-found.js';
import type { AddressRule } from '../addresses.js';
import type { LookUp } from '../sender.js';
import type { WebhookStore } from '../store.js';
import type { FailedDelivery, Webhook, WebhookKey } from '../webhook.js';

export interface WebhookContext {
  readonly store: WebhookStore;
  readonly log: Pick<LogReader, 'head' | 'logId' | 'page' | 'shard'>;
  readonly rule: AddressRule;
  readonly lookUp: LookUp;
  /** Has the deliveries look at once. */
  changed(): void;
}

/** A field of a request is wrong. */
export function invalidField(field: string, description: string): CallError {
  return fail(ErrorReason.INVALID_FIELD, `${field}: ${description}`, { fields: [{ field, description }] });
}

export function webhookNotFound({ webhookId }: WebhookKey): CallError {
  return fail(ErrorReason.WEBHOOK_NOT_FOUND, `there is no webhook ${webhookId} in the ledger`, {
    resource: { type: 'webhook', name: webhookId },
  });
}

/** @throws CallError WEBHOOK_NOT_FOUND */
export async function foundWebhook({ store }: WebhookContext, key: WebhookKey): Promise<Webhook> {
  const webhook = await store.get(key);
  if (webhook === undefined) throw webhookNotFound(key);
  return webhook;
}

/** Tells the deliveries of a change, and reads what it left. @throws CallError WEBHOOK_NOT_FOUND if nothing was changed */
export async function changedWebhook(
  context: WebhookContext,
  key: WebhookKey,
  wasChanged: boolean,
): Promise<MessageInitShape<typeof WebhookSchema>> {
  if (!wasChanged) throw webhookNotFound(key);
  context.changed();
  return webhookMessage(await foundWebhook(context, key));
}

/** @throws CallError LEDGER_NOT_FOUND: a ledger begins with the first of its events in the log */
export async function requireLedger({ log }: WebhookContext, ledgerId: string): Promise<void> {
  const events = await log.page({ after: -1n, through: null, limit: 1, ledgerId, streamId: null });
  if (events.length === 0) throw ledgerNotFound(ledgerId);
}

/** A text that PostgreSQL can hold. @throws CallError INVALID_FIELD */
export function textOf(text: string, field: string): string {
  if (text.includes('\0')) throw invalidField(field, 'must not hold NUL');
  if (!text.isWellFormed()) throw invalidField(field, 'is not well-formed Unicode');
  return text;
}

/** A webhook as the API shows it. */
export function webhookMessage(webhook: Webhook): MessageInitShape<typeof WebhookSchema> {
  const { retrying, previousSecretExpireTime } = webhook;
  return {
    ledgerId: webhook.ledgerId,
    webhookId: webhook.webhookId,
    url: webhook.url,
    description: webhook.description,
    kinds: [...webhook.kinds],
    accountIds: [...webhook.accountIds],
    retryPeriodSeconds: webhook.retryPeriod_s,
    state: webhook.isPaused ? WebhookState.PAUSED : WebhookState.ACTIVE,
    pauseReason: webhook.pauseReason,
    position: webhook.position,
    ledgerPosition: webhook.ledgerPosition,
    parkedCount: webhook.parked,
    createTime: timestampOf(webhook.createTime),
    updateTime: timestampOf(webhook.updateTime),
    ...(retrying === undefined ? {} : { retrying: deliveryMessage(retrying) }),
    ...(previousSecretExpireTime === undefined
      ? {}
      : { previousSecretExpireTime: timestampOf(previousSecretExpireTime) }),
  };
}

const STATES = {
  retrying: WebhookDeliveryState.RETRYING,
  parked: WebhookDeliveryState.PARKED,
  retry_requested: WebhookDeliveryState.RETRY_REQUESTED,
} as const;

/** A delivery as the API shows it. */
export function deliveryMessage(delivery: FailedDelivery): MessageInitShape<typeof WebhookDeliverySchema> {
  const { nextAttemptTime } = delivery;
  return {
    position: delivery.position,
    eventId: delivery.eventId,
    state: STATES[delivery.state],
    attempts: delivery.attempts,
    firstAttemptTime: timestampOf(delivery.firstAttemptTime),
    lastAttemptTime: timestampOf(delivery.lastAttemptTime),
    failure: delivery.failure,
    ...(nextAttemptTime === undefined ? {} : { nextAttemptTime: timestampOf(nextAttemptTime) }),
  };
}
