/** WebhookService/PauseWebhook. */
import type { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { changedWebhook, textOf, type WebhookContext } from './context.js';

const NO_REASON = 'paused by a call';

/** The method. */
export function pauseWebhook(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['pauseWebhook']> {
  return async (request) => {
    const reason = request.reason === '' ? NO_REASON : textOf(request.reason, 'reason');
    const isPaused = await context.store.pause(request, reason);
    return { webhook: await changedWebhook(context, request, isPaused) };
  };
}
