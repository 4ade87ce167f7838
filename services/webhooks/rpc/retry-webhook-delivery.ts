/** WebhookService/RetryWebhookDelivery: parked deliveries once more. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { foundWebhook, type WebhookContext, webhookMessage } from './context.js';

/** The method. Where nothing is parked, `all` asks for nothing. */
export function retryWebhookDelivery(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['retryWebhookDelivery']> {
  return async (request) => {
    const { target } = request;
    const position = target.case === 'position' ? target.value : null;
    await foundWebhook(context, request);
    const requestedCount = await context.store.retry(request, position);
    if (position !== null && requestedCount === 0n) {
      const text = `no delivery of the webhook is parked at position ${String(position)}`;
      throw fail(ErrorReason.WEBHOOK_DELIVERY_NOT_FOUND, text, {
        resource: { type: 'webhook delivery', name: String(position) },
      });
    }
    context.changed();
    return { requestedCount, webhook: webhookMessage(await foundWebhook(context, request)) };
  };
}
