/** WebhookService/GetWebhook. */
import type { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { foundWebhook, type WebhookContext, webhookMessage } from './context.js';

/** The method. */
export function getWebhook(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['getWebhook']> {
  return async (request) => ({ webhook: webhookMessage(await foundWebhook(context, request)) });
}
