/** WebhookService/ListWebhooks. */
import type { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { requireLedger, type WebhookContext, webhookMessage } from './context.js';

/** The method. */
export function listWebhooks(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['listWebhooks']> {
  return async ({ ledgerId }) => {
    const webhooks = await context.store.list(ledgerId);
    if (webhooks.length === 0) await requireLedger(context, ledgerId);
    return { webhooks: webhooks.map(webhookMessage) };
  };
}
