/** The requests of a stream both ways, as far as its caller may send them. */
import type { Call } from './call.js';
import type { Decoded } from './chain.js';
import { CallError, toCallError } from './errors.js';
import type { Method } from './service.js';

/**
 * Each request is judged alone: a refused one becomes the error that answers it, in its place. Where the credentials of the
 * caller end, the requests end with that error: what was sent before is answered.
 */
export function admittedRequests(
  method: Method,
  requests: AsyncIterable<readonly Decoded[]>,
  call: Call,
): AsyncIterable<readonly Decoded[]> {
  const { caller } = call;
  if (caller === undefined) return requests;
  const judged = (request: Decoded): Decoded => {
    if (request instanceof CallError) return request;
    try {
      caller.authorize(method, request, call);
      return request;
    } catch (error) {
      return toCallError(error);
    }
  };
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = requests[Symbol.asyncIterator]();
      let ended: CallError | undefined;
      let refuse: ((reason: CallError) => void) | undefined;
      const stopListening = caller.onEnd((reason) => {
        ended = reason;
        refuse?.(reason);
      });
      return {
        next: () =>
          new Promise<IteratorResult<readonly Decoded[]>>((resolve, reject) => {
            if (ended !== undefined) {
              reject(ended);
              return;
            }
            refuse = reject;
            iterator.next().then((result) => {
              if (result.done === true) {
                stopListening();
                resolve(result);
              } else resolve({ done: false, value: result.value.map(judged) });
            }, reject);
          }),
        return: async () => {
          stopListening();
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
