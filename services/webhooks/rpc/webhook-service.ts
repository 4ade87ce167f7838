/** quittance.ops.v1.WebhookService, for the doors to mount. */
import { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import type { WebhookContext } from './context.js';
import { createWebhook } from './create-webhook.js';
import { deleteWebhook } from './delete-webhook.js';
import { getWebhook } from './get-webhook.js';
import { listWebhookDeliveries } from './list-webhook-deliveries.js';
import { listWebhooks } from './list-webhooks.js';
import { pauseWebhook } from './pause-webhook.js';
import { replayWebhook } from './replay-webhook.js';
import { resumeWebhook } from './resume-webhook.js';
import { retryWebhookDelivery } from './retry-webhook-delivery.js';
import { rotateWebhookSecret } from './rotate-webhook-secret.js';
import { updateWebhook } from './update-webhook.js';

/** The service over the tables of webhooks. */
export function webhookService(context: WebhookContext): Service {
  return implement(WebhookService, {
    createWebhook: createWebhook(context),
    getWebhook: getWebhook(context),
    listWebhooks: listWebhooks(context),
    updateWebhook: updateWebhook(context),
    pauseWebhook: pauseWebhook(context),
    resumeWebhook: resumeWebhook(context),
    deleteWebhook: deleteWebhook(context),
    rotateWebhookSecret: rotateWebhookSecret(context),
    listWebhookDeliveries: listWebhookDeliveries(context),
    retryWebhookDelivery: retryWebhookDelivery(context),
    replayWebhook: replayWebhook(context),
  });
}
