/** Calls of tests that are not about deadlines. */
import type { Transport } from '@connectrpc/connect';
import { CALL_PATIENCE_MS } from './patience.js';

/**
 * Gives each unary call that names no deadline a late one: then a read that asks for consistency waits for its view as long, in
 * place of the five seconds of the server. A call whose `timeoutMs` is 0 has none.
 */
export function patientTransport(transport: Transport): Transport {
  return {
    unary: (method, signal, timeoutMs, ...rest) =>
      transport.unary(method, signal, timeoutMs ?? CALL_PATIENCE_MS, ...rest),
    stream: (...call) => transport.stream(...call),
  };
}
