/** The internal request that ends a hold whose time has come. */
import { CommandType } from '../../../gen/quittance/event/v1/event_pb.js';
import type { ExpirePayment } from '../domain/command.js';
import type { Request } from './job.js';

/** A request of no caller: it has no request id and no body, and is guarded by the state of the payment. */
export function expiryRequest(command: ExpirePayment): Request {
  return {
    command,
    type: CommandType.UNSPECIFIED,
    canonical: null,
    body: new Uint8Array(0),
    validateOnly: false,
    actor: '',
    traceId: '',
  };
}
