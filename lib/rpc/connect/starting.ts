/** What callers meet on both ports until the doors open: UNAVAILABLE in the protocol that they speak, with RetryInfo. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { tooLarge } from '../decode.js';
import { fail } from '../errors.js';
import { errorJson } from './connect-error.js';
import { answerError } from './refusals.js';
import { closeAfter, openWebPort, type WebPort } from './web-port.js';

const RETRY_AFTER_MS = 1_000;
const ignore = () => undefined;

/** Binds a port and answers everything on it with NOT_SERVING. @throws Error if the port is taken */
export function openStartingPort(address: {
  readonly host: string;
  readonly port: number;
}): Promise<WebPort> {
  const failure = fail(ErrorReason.NOT_SERVING, 'Quittance is starting', { retryAfter_ms: RETRY_AFTER_MS });
  return openWebPort({
    host: address.host,
    port: address.port,
    logger: { debug: ignore, error: ignore },
    headersTooLarge: errorJson(tooLarge('the URL with its headers')),
    listener: (request, response) => {
      response.setHeader('Cache-Control', 'no-store');
      response.setHeader('Retry-After', String(RETRY_AFTER_MS / 1_000));
      closeAfter(response);
      // The caller may have left.
      response.on('error', ignore);
      answerError(request, response, failure).catch(ignore);
    },
  });
}
