/** WebhookService/ReplayWebhook: events once more, from a position on. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { changedWebhook, foundWebhook, type WebhookContext } from './context.js';

/** The method. */
export function replayWebhook(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['replayWebhook']> {
  return async (request) => {
    const { position } = await foundWebhook(context, request);
    const isMoved = await context.store.replay(request, request.startPosition);
    if (!isMoved && request.startPosition > position + 1n) {
      throw fail(
        ErrorReason.POSITION_OUT_OF_RANGE,
        'the webhook has not come so far: no event is passed over',
        {
          metadata: { position: String(position), required: String(request.startPosition) },
          fields: [{ field: 'start_position', description: 'beyond the place of the webhook' }],
        },
      );
    }
    return { webhook: await changedWebhook(context, request, isMoved) };
  };
}
