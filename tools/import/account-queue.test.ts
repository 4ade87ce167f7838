import { expect, test } from '@jest/globals';
import { DeclineReason } from '../../gen/quittance/common/v1/transaction_pb.js';
import { AccountQueue } from './account-queue.js';
import type { Outcome } from './answers.js';

function posted(available: bigint, replayed = false): Outcome {
  return { kind: 'posted', posted: available, available, replayed };
}

test('withdrawals go ahead of the answers as far as the known money reaches, deposits always', () => {
  const queue = new AccountQueue({ available: 100n, isDoubtful: false });
  queue.sent(-60n);
  expect([queue.mayGo(-40n), queue.mayGo(-41n), queue.mayGo(1000n)]).toEqual([true, false, true]);
  queue.sent(1000n);
  expect(queue.mayGo(-41n)).toBe(false);
  queue.answered(-60n, posted(140n));
  expect([queue.mayGo(-140n), queue.mayGo(-141n)]).toEqual([true, false]);
});

test('after what was declined before, one goes at a time until one is booked anew', () => {
  const queue = new AccountQueue({ available: 100n, isDoubtful: true });
  queue.sent(-1n);
  expect(queue.mayGo(1n)).toBe(false);
  queue.answered(-1n, {
    kind: 'declined',
    reason: DeclineReason.INSUFFICIENT_FUNDS,
    available: 0n,
    replayed: true,
  });
  queue.sent(-1n);
  expect(queue.mayGo(1n)).toBe(false);
  queue.answered(-1n, posted(50n));
  queue.sent(-1n);
  expect(queue.mayGo(-49n)).toBe(true);
});

test('an account without a floor never waits', () => {
  const queue = new AccountQueue({ available: undefined, isDoubtful: false });
  queue.sent(-1n);
  expect(queue.mayGo(-(10n ** 17n))).toBe(true);
});
