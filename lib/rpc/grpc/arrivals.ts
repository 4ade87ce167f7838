/** The messages of a stream: those that are there together come together. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { fail } from '../errors.js';

/** What is used of a call that streams both ways. */
export interface Arriving<R> {
  on(event: 'data', listener: (message: R) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** So many wait at most, and then the sender does. */
const WAITING_MAX = 256;

/** The iterator rejects with CANCELLED if the caller leaves before the end. It never destroys the call. */
export function arrivals<R>(call: Arriving<R>): AsyncIterator<readonly R[]> {
  let arrived: R[] = [];
  let hasEnded = false;
  let hasLeft = false;
  let wake: (() => void) | undefined;
  const news = () => {
    wake?.();
    wake = undefined;
  };
  call.on('data', (message: R) => {
    arrived.push(message);
    if (arrived.length === 1) setImmediate(news);
    if (arrived.length === WAITING_MAX) call.pause();
  });
  call.on('end', () => {
    hasEnded = true;
    news();
  });
  call.on('close', () => {
    hasLeft = !hasEnded;
    news();
  });
  return {
    next: async () => {
      while (arrived.length === 0 && !hasEnded) {
        if (hasLeft) throw fail(ErrorReason.CANCELLED, 'the caller has left');
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (arrived.length === 0) return { done: true, value: undefined };
      const value = arrived;
      arrived = [];
      if (value.length >= WAITING_MAX) call.resume();
      return { done: false, value };
    },
  };
}
