/** WebhookService/CreateWebhook. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { secretText } from '../signature.js';
import { RETRY_PERIOD_S, WEBHOOKS_PER_LEDGER } from '../webhook.js';
import { checkedUrl } from './checked-url.js';
import { changedWebhook, requireLedger, textOf, type WebhookContext } from './context.js';
import { givenOrNewSecret } from './secret-field.js';

/** The method. */
export function createWebhook(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['createWebhook']> {
  return async (request) => {
    const { ledgerId, webhookId, startPosition } = request;
    const secret = givenOrNewSecret(request.secret);
    const description = textOf(request.description, 'description');
    const accountIds = request.accountIds.map((id, index) => textOf(id, `account_ids[${String(index)}]`));
    await requireLedger(context, ledgerId);
    const head = await context.log.head();
    if (startPosition !== undefined && startPosition > head.position + 1n) {
      throw fail(ErrorReason.POSITION_OUT_OF_RANGE, 'the position is beyond the end of the log', {
        metadata: { position: String(head.position), required: String(startPosition) },
        fields: [{ field: 'start_position', description: 'beyond the end of the log' }],
      });
    }
    const isMade = await context.store.create({
      ledgerId,
      webhookId,
      url: await checkedUrl(context, request.url),
      description,
      kinds: request.kinds,
      accountIds,
      retryPeriod_s: request.retryPeriodSeconds ?? RETRY_PERIOD_S,
      secret,
      epoch: head.epoch,
      position: startPosition === undefined ? head.position : startPosition - 1n,
    });
    const resource = { type: 'webhook', name: webhookId };
    if (isMade === undefined) {
      const text = `the ledger has a webhook ${webhookId}`;
      throw fail(ErrorReason.WEBHOOK_ALREADY_EXISTS, text, { resource });
    }
    if (!isMade) {
      const text = `the ledger has ${String(WEBHOOKS_PER_LEDGER)} webhooks, and may have no more`;
      throw fail(ErrorReason.TOO_MANY_WEBHOOKS, text, { resource });
    }
    const webhook = await changedWebhook(context, { ledgerId, webhookId }, true);
    return { webhook, secret: secretText(secret) };
  };
}
