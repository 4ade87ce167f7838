import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { StreamSlots } from './stream-slots.js';

const WATCH = 'quittance.query.v1.EventQueryService/WatchEvents';
const VERIFY = 'quittance.ops.v1.LedgerService/VerifyLedger';
const full = expect.objectContaining({ reason: ErrorReason.TOO_MANY_STREAMS }) as unknown;

/** The error of taking a place; undefined if there was one. */
function errorOf(take: () => unknown): unknown {
  try {
    take();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('the places for streams', () => {
  test('one connection gets its share, others still get theirs, and operations always', () => {
    const slots = new StreamSlots({ streamLimit: 10, streamsPerConnection: 4, streamsForOperations: 2 });
    const leave = Array.from({ length: 4 }, () => slots.take(WATCH, 'a'));
    expect(errorOf(() => slots.take(WATCH, 'a'))).toEqual(full);
    slots.take(VERIFY, 'a');
    for (let taken = 0; taken < 3; taken += 1) slots.take(WATCH, 'b');
    // Eight of ten are taken: the others are for operations.
    expect(errorOf(() => slots.take(WATCH, 'c'))).toEqual(full);
    slots.take(VERIFY, 'c');
    slots.take('grpc.health.v1.Health/Watch', undefined);
    expect(errorOf(() => slots.take(VERIFY, 'd'))).toEqual(full);
    // A place is given back once, however often it is left.
    leave[0]?.();
    leave[0]?.();
    slots.take(VERIFY, 'd');
    expect(errorOf(() => slots.take(VERIFY, 'd'))).toEqual(full);
  });
});
