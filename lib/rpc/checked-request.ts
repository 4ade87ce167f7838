/** The request of a call, by the rules of its contract. */
import type { Message } from '@bufbuild/protobuf';
import type { Call } from './call.js';
import type { Decoded } from './chain.js';
import { CallError } from './errors.js';
import type { Method } from './service.js';
import { checkMessage } from './validation.js';

/**
 * Queries ignore unknown fields; commands with them are refused, since a field dropped in silence moves money wrongly.
 * @throws CallError also where the request could not be decoded, and where the caller may not make it
 */
export function checkedRequest(method: Method, request: Decoded, call: Call): Message {
  if (request instanceof CallError) throw request;
  checkMessage(method.desc.input, request);
  call.caller?.authorize(method, request, call);
  return request;
}
