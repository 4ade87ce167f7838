/** How webhooks and their deliveries are shown. */
import {
  type Webhook,
  type WebhookDelivery,
  WebhookDeliverySchema,
  WebhookDeliveryState,
  WebhookSchema,
  WebhookState,
} from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { EventKind } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { wordOf } from '../flags.js';
import { jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';

export const WEBHOOKS: Sheet<Webhook> = {
  columns: [
    { name: 'webhook', of: ({ webhookId }) => webhookId },
    { name: 'state', of: ({ state }) => wordOf(WebhookState, state) },
    { name: 'position', of: ({ position }) => String(position), isRight: true },
    { name: 'ledger-position', of: ({ ledgerPosition }) => String(ledgerPosition), isRight: true },
    { name: 'parked', of: ({ parkedCount }) => String(parkedCount), isRight: true },
    { name: 'failure', of: ({ retrying }) => retrying?.failure ?? '' },
    { name: 'paused-why', of: ({ pauseReason }) => pauseReason, isWide: true },
    { name: 'url', of: ({ url }) => url },
    {
      name: 'kinds',
      of: ({ kinds }) => kinds.map((kind) => wordOf(EventKind, kind)).join(' '),
      isWide: true,
    },
    { name: 'accounts', of: ({ accountIds }) => accountIds.join(' '), isWide: true },
    {
      name: 'retry-s',
      of: ({ retryPeriodSeconds }) => String(retryPeriodSeconds),
      isRight: true,
      isWide: true,
    },
    { name: 'description', of: ({ description }) => description, isWide: true },
    {
      name: 'next-attempt',
      of: ({ retrying }) => isoOf(retrying?.nextAttemptTime),
      brief: ({ retrying }) => briefOf(retrying?.nextAttemptTime),
      isWide: true,
    },
    { name: 'created', of: ({ createTime }) => isoOf(createTime), isWide: true },
  ],
  id: ({ webhookId }) => webhookId,
  json: (webhook) => jsonOf(WebhookSchema, webhook),
};

export const DELIVERIES: Sheet<WebhookDelivery> = {
  columns: [
    { name: 'position', of: ({ position }) => String(position), isRight: true },
    { name: 'state', of: ({ state }) => wordOf(WebhookDeliveryState, state) },
    { name: 'attempts', of: ({ attempts }) => String(attempts), isRight: true },
    { name: 'failure', of: ({ failure }) => failure },
    {
      name: 'last',
      of: ({ lastAttemptTime }) => isoOf(lastAttemptTime),
      brief: ({ lastAttemptTime }) => briefOf(lastAttemptTime),
    },
    {
      name: 'next',
      of: ({ nextAttemptTime }) => isoOf(nextAttemptTime),
      brief: ({ nextAttemptTime }) => briefOf(nextAttemptTime),
    },
    { name: 'first', of: ({ firstAttemptTime }) => isoOf(firstAttemptTime), isWide: true },
    { name: 'event', of: ({ eventId }) => eventId, isWide: true },
  ],
  id: ({ position }) => String(position),
  json: (delivery) => jsonOf(WebhookDeliverySchema, delivery),
};
