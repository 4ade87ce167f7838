/** WebhookService/UpdateWebhook. */
import type {
  UpdateWebhookRequest,
  WebhookService,
} from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { RETRY_PERIOD_S, type WebhookChoice } from '../webhook.js';
import { checkedUrl } from './checked-url.js';
import { changedWebhook, foundWebhook, invalidField, textOf, type WebhookContext } from './context.js';

const FIELDS = ['url', 'description', 'kinds', 'account_ids', 'retry_period_seconds'] as const;
type Field = (typeof FIELDS)[number];

/** The method. */
export function updateWebhook(
  context: WebhookContext,
): MethodFunction<(typeof WebhookService)['method']['updateWebhook']> {
  return async (request) => {
    const { ledgerId, webhookId } = request;
    const key = { ledgerId, webhookId };
    const mask = maskOf(request);
    await foundWebhook(context, key);
    const change = await changeOf(context, request, mask);
    return { webhook: await changedWebhook(context, key, await context.store.update(key, change)) };
  };
}

/** A field that is not named must be empty, lest a caller believes that it was set. @throws CallError INVALID_FIELD */
function maskOf(request: UpdateWebhookRequest): ReadonlySet<Field> {
  const paths = request.updateMask?.paths ?? [];
  // The rule of the contract lets `url.host` pass as part of `url`.
  const mask = new Set(FIELDS.filter((field) => paths.includes(field)));
  if (mask.size < new Set(paths).size) throw invalidField('update_mask', `may name ${FIELDS.join(', ')}`);
  const empty: Readonly<Record<Field, boolean>> = {
    url: request.url === '',
    description: request.description === '',
    kinds: request.kinds.length === 0,
    account_ids: request.accountIds.length === 0,
    retry_period_seconds: request.retryPeriodSeconds === undefined,
  };
  for (const field of FIELDS) {
    if (!mask.has(field) && !empty[field])
      throw invalidField(field, 'is given, but update_mask does not name it');
  }
  return mask;
}

async function changeOf(
  context: WebhookContext,
  request: UpdateWebhookRequest,
  mask: ReadonlySet<Field>,
): Promise<Partial<WebhookChoice>> {
  const change: { -readonly [K in keyof WebhookChoice]?: WebhookChoice[K] } = {};
  if (mask.has('url')) change.url = await checkedUrl(context, request.url);
  if (mask.has('description')) change.description = textOf(request.description, 'description');
  if (mask.has('kinds')) change.kinds = request.kinds;
  if (mask.has('account_ids')) {
    change.accountIds = request.accountIds.map((id, index) => textOf(id, `account_ids[${String(index)}]`));
  }
  if (mask.has('retry_period_seconds')) change.retryPeriod_s = request.retryPeriodSeconds ?? RETRY_PERIOD_S;
  return change;
}
