/** The URL of a webhook, checked when it is given: what is refused here would be refused at every delivery. */
import { isIP } from 'node:net';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { type CallError, fail } from '../../../lib/rpc/errors.js';
import type { LookUp } from '../sender.js';
import { textOf, type WebhookContext } from './context.js';

/** A name that is not resolved in this time is taken: it is looked up again at each delivery. */
const LOOKUP_MS = 2_000;

/** The URL as it is kept. @throws CallError WEBHOOK_URL_NOT_ALLOWED */
export async function checkedUrl(
  { rule, lookUp }: Pick<WebhookContext, 'lookUp' | 'rule'>,
  text: string,
): Promise<string> {
  if (!URL.canParse(textOf(text, 'url'))) throw notAllowed('is no URL');
  const url = new URL(text);
  const isEncrypted = url.protocol === 'https:';
  if (!isEncrypted && url.protocol !== 'http:') throw notAllowed('must begin with https://');
  if (url.username !== '' || url.password !== '') throw notAllowed('must have no user and no password');
  if (url.hash !== '') throw notAllowed('must have no fragment');
  if (!isEncrypted && !rule.hasOwn)
    throw notAllowed('must begin with https://; the operator allows no network for http');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = isIP(host) === 0 ? await addressesOf(host, lookUp) : [host];
  if (addresses !== undefined && !addresses.some((address) => rule.allows(address, isEncrypted))) {
    throw notAllowed(
      isEncrypted
        ? 'leads to a private network, which the operator does not allow'
        : 'leads to a network that the operator does not allow for http',
    );
  }
  return url.href;
}

/** Undefined where the name has no address now. */
function addressesOf(name: string, lookUp: LookUp): Promise<string[] | undefined> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => resolve(undefined), LOOKUP_MS);
    lookUp(name, { all: true }, (error, found) => {
      clearTimeout(limit);
      resolve(error === null ? found.map(({ address }) => address) : undefined);
    });
  });
}

function notAllowed(description: string): CallError {
  return fail(ErrorReason.WEBHOOK_URL_NOT_ALLOWED, `url: ${description}`, {
    fields: [{ field: 'url', description }],
  });
}
