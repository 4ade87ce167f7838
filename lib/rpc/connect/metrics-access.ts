/** Who may read /metrics, where callers are authenticated. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { toCallError } from '../errors.js';
import type { Guard } from '../guard.js';
import { sendPlainError } from './connect-error.js';
import type { WebRequest, WebResponse } from './web-port.js';

/** Answers with an error if the figures are not for the caller. Returns whether it has. */
export async function refuseMetrics(
  guard: Guard,
  request: WebRequest,
  response: WebResponse,
): Promise<boolean> {
  try {
    await guard.readMetrics(request.headers.authorization);
    return false;
  } catch (error) {
    const failure = toCallError(error);
    if (failure.reason === ErrorReason.UNAUTHENTICATED) response.setHeader('WWW-Authenticate', 'Bearer');
    sendPlainError(response, failure);
    return true;
  }
}
