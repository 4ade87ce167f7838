/** WebhookService/DeleteWebhook. */
import type { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { type WebhookContext, webhookNotFound } from './context.js';

/** The method. */
export function deleteWebhook(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['deleteWebhook']> {
  return async (request) => {
    if (!(await context.store.delete(request))) throw webhookNotFound(request);
    return {};
  };
}
