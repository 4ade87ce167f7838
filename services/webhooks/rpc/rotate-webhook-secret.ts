/** WebhookService/RotateWebhookSecret: for a time both secrets sign, so that a receiver can change without a gap. */
import type { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { secretText } from '../signature.js';
import { OVERLAP_S } from '../webhook.js';
import { changedWebhook, type WebhookContext } from './context.js';
import { givenOrNewSecret } from './secret-field.js';

/** The method. */
export function rotateWebhookSecret(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['rotateWebhookSecret']> {
  return async (request) => {
    const secret = givenOrNewSecret(request.secret);
    const isRotated = await context.store.rotate(request, secret, request.overlapSeconds ?? OVERLAP_S);
    return { webhook: await changedWebhook(context, request, isRotated), secret: secretText(secret) };
  };
}
