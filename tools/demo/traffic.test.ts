import { expect, test } from '@jest/globals';
import { LedgerFixture, testId } from '../../test/ledger-fixture.js';
import { CURRENCY, LEDGER, ROLES } from './cast.js';
import { Traffic } from './traffic.js';

/** A generator of Park and Miller: the same numbers at every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test('whatever comes next is accepted by the domain, and all kinds of things happen', () => {
  let ids = 1000;
  const ledger = new LedgerFixture();
  ledger.run({ case: 'createLedger', value: { ledgerId: LEDGER, requestId: testId(1) } });
  ROLES.forEach((role, n) => {
    const value = { ...role, ledgerId: LEDGER, requestId: testId(n + 2), currency: CURRENCY };
    ledger.run({ case: 'openAccount', value });
  });
  const traffic = new Traffic({ random: randomFrom(7), newId: () => testId((ids += 1)) });
  const seen = new Map<string, number>();
  const play = ({ command, line }: ReturnType<Traffic['next']>): void => {
    expect(line).toMatch(/\w/);
    // The fixture throws where the domain refuses.
    const [event] = ledger.run(command);
    const kind = event?.event.payload.case ?? 'nothing';
    const declined = kind === 'transactionDeclined';
    traffic.remember(command, !declined);
    const name = declined ? 'declined' : (command.case ?? 'none');
    seen.set(name, (seen.get(name) ?? 0) + 1);
  };
  for (const step of traffic.opening()) play(step);
  for (let n = 0; n < 1000; n += 1) play(traffic.next());
  expect([...seen.keys()].sort()).toEqual([
    'authorizePayment',
    'capturePayment',
    'declined',
    'deposit',
    'refundPayment',
    'submitPayment',
    'voidPayment',
    'withdraw',
  ]);
  expect(seen.get('declined')).toBeLessThan(300);
});
