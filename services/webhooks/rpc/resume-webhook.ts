/** WebhookService/ResumeWebhook. */
import type { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { changedWebhook, type WebhookContext } from './context.js';

/** The method. */
export function resumeWebhook(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['resumeWebhook']> {
  return async (request) => ({
    webhook: await changedWebhook(context, request, await context.store.resume(request)),
  });
}
