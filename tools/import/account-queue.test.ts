import { expect, test } from '@jest/globals';
import { DeclineReason } from '../../gen/quittance/common/v1/transaction_pb.js';
import { AccountQueue } from './account-queue.js';
import type { Outcome } from './answers.js';

function posted(available: bigint, replayed = false): Outcome {
  return { kind: 'posted', posted: available, available, replayed };
}

test('withdrawals go ahead of the answers as far as the known money reaches, deposits always', () => {
  const queue = new AccountQueue({ booked: 0, available: 100n, isDoubtful: false });
  const first = queue.sent(-60n);
  expect([queue.mayGo(-40n), queue.mayGo(-41n), queue.mayGo(1000n)]).toEqual([true, false, true]);
  queue.sent(1000n);
  expect(queue.mayGo(-41n)).toBe(false);
  queue.answered(first, posted(140n));
  expect([queue.mayGo(-140n), queue.mayGo(-141n)]).toEqual([true, false]);
});

test('what is in the ledger already is sent as fast as can be, and does not count as money that goes out', () => {
  const queue = new AccountQueue({ booked: 2, available: 5n, isDoubtful: false });
  const first = queue.sent(-1000n);
  expect(queue.mayGo(-1000n)).toBe(true);
  queue.sent(-1000n);
  expect([queue.mayGo(-5n), queue.mayGo(-6n)]).toEqual([true, false]);
  queue.answered(first, posted(0n, true));
  expect(queue.mayGo(-5n)).toBe(true);
});

test('after what was declined before, one goes at a time until one is booked anew', () => {
  const queue = new AccountQueue({ booked: 1, available: 100n, isDoubtful: true });
  const known = queue.sent(-1n);
  expect(queue.mayGo(-1n)).toBe(false);
  queue.answered(known, posted(0n, true));
  const declined = queue.sent(-1n);
  queue.answered(declined, {
    kind: 'declined',
    reason: DeclineReason.INSUFFICIENT_FUNDS,
    available: 0n,
    replayed: true,
  });
  const again = queue.sent(-1n);
  expect(queue.mayGo(1n)).toBe(false);
  queue.answered(again, posted(50n));
  queue.sent(-1n);
  expect(queue.mayGo(-49n)).toBe(true);
});

test('an account without a floor never waits', () => {
  const queue = new AccountQueue({ booked: 0, available: undefined, isDoubtful: false });
  queue.sent(-1n);
  expect(queue.mayGo(-(10n ** 17n))).toBe(true);
});
