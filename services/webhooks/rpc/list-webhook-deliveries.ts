/** WebhookService/ListWebhookDeliveries: what failed, and why. */
import {
  ListWebhookDeliveriesRequestSchema,
  type WebhookService,
} from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { decodePageToken, encodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import { deliveryMessage, foundWebhook, type WebhookContext } from './context.js';

const DEFAULT_PAGE_SIZE = 50;
/** No event is named by the tokens of this list but by its position. */
const NO_HASH = new Uint8Array(32);

/** The method. */
export function listWebhookDeliveries(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['listWebhookDeliveries']> {
  return async (request) => {
    const { pageSize, pageToken } = request;
    const { store, log } = context;
    const fingerprint = queryFingerprint(ListWebhookDeliveriesRequestSchema, request);
    const page = pageToken === '' ? undefined : decodePageToken(pageToken, fingerprint, ['bigint']);
    const size = pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize;
    const found = await store.deliveries(request, page?.cursor[0] ?? -1n, size + 1);
    if (found.length === 0) await foundWebhook(context, request);
    const shown = found.slice(0, size);
    const position = shown.at(-1)?.position;
    if (position === undefined || found.length <= size) return { deliveries: shown.map(deliveryMessage) };
    const at = { logId: await log.logId(), shard: log.shard, epoch: 0, hash: NO_HASH, recordedTime: 0n };
    return {
      deliveries: shown.map(deliveryMessage),
      nextPageToken: encodePageToken({ ...at, fingerprint, position, cursor: [position] }),
    };
  };
}
