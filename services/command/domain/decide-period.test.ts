import { describe, expect, test } from '@jest/globals';
import type { MovementCommand } from './command.js';
import {
  authorize,
  capture,
  closePeriod,
  createLedger,
  credit,
  DAY_US,
  debit,
  deposit,
  fee,
  journal,
  open,
  pay,
  refund,
  reopenPeriod,
  reverse,
  voidPayment,
  withdraw,
} from './test/builders.js';
import { given, START_US } from './test/given.js';

/** Through here it is closed. */
const END_US = START_US - 10n * DAY_US;
const before = { effectiveTime: END_US - 1n };
const atTheEnd = { effectiveTime: END_US };
const after = { effectiveTime: END_US + 1n };

const history = [
  createLedger(),
  open('A'),
  open('B'),
  open('F', 'REVENUE'),
  deposit('A', 100n, before),
  pay('A', 'B', 30n, { requestId: 'paid', ...atTheEnd, fees: [fee('PAYER', 'F', 2n)] }),
  authorize('A', 'B', 20n, { requestId: 'auth' }),
  deposit('A', 7n, after),
  deposit('B', 5n),
];
const closed = given(...history, closePeriod(END_US));

describe('ClosePeriod', () => {
  test('states what all entries come to that are dated in the period, by currency and type', () => {
    expect(given(...history).when(closePeriod(END_US, { description: 'October' })).event).toEqual({
      type: 'PeriodClosed',
      ledgerId: 'books',
      closedThrough: END_US,
      description: 'October',
      totals: [
        { currency: 'EUR', type: 'LIABILITY', debits: 32n, credits: 130n },
        { currency: 'EUR', type: 'ASSET', debits: 100n, credits: 0n },
        { currency: 'EUR', type: 'REVENUE', debits: 0n, credits: 2n },
      ],
    });
  });

  test('of a ledger without entries states no rows', () => {
    const outcome = given(createLedger()).when(closePeriod(END_US));
    expect(outcome.event).toMatchObject({ closedThrough: END_US, totals: [] });
  });

  test('goes on from the close before, whose entries are in it', () => {
    expect(closed.when(closePeriod(END_US + 1n)).event).toMatchObject({
      totals: [{ type: 'LIABILITY', debits: 32n, credits: 137n }, { type: 'ASSET', debits: 107n }, {}],
    });
  });

  test('goes up to now, and not further', () => {
    const spec = given(...history);
    expect(spec.when(closePeriod(spec.now)).events).toHaveLength(1);
    spec.when(closePeriod(spec.now + 1n)).thenRefused('PERIOD_IN_FUTURE', { field: 'closed_through' });
  });

  test('does not go backwards, nor to where the ledger is closed already', () => {
    const at = { field: 'closed_through', resourceId: 'books' };
    closed.when(closePeriod(END_US)).thenRefused('PERIOD_ALREADY_CLOSED', at);
    closed.when(closePeriod(END_US - 1n)).thenRefused('PERIOD_ALREADY_CLOSED', at);
  });

  test('needs a ledger', () => {
    given().when(closePeriod(END_US)).thenRefused('LEDGER_NOT_FOUND');
    given().when(reopenPeriod()).thenRefused('LEDGER_NOT_FOUND');
  });
});

describe('what is dated in a closed period', () => {
  const dated: readonly (readonly [string, (effectiveTime: bigint | null) => MovementCommand])[] = [
    ['Deposit', (effectiveTime) => deposit('A', 1n, { effectiveTime })],
    ['Withdraw', (effectiveTime) => withdraw('A', 1n, { effectiveTime })],
    ['SubmitPayment', (effectiveTime) => pay('A', 'B', 1n, { effectiveTime })],
    ['AuthorizePayment', (effectiveTime) => authorize('A', 'B', 1n, { effectiveTime })],
    ['CapturePayment', (effectiveTime) => capture('auth', 1n, { effectiveTime })],
    ['RefundPayment', (effectiveTime) => refund('paid', 1n, { effectiveTime, force: true })],
    [
      'PostTransaction',
      (effectiveTime) => journal([debit('A', 1n), credit('B', 1n)], { effectiveTime, force: true }),
    ],
    ['ReverseTransaction', (effectiveTime) => reverse('paid', { effectiveTime, force: true })],
  ];

  test.each(dated)(
    'is refused of %s, alone and in a batch; what is dated later or not at all is not',
    (_, make) => {
      for (const effectiveTime of [0n, END_US - 1n, END_US]) {
        closed.when(make(effectiveTime)).thenRefused('PERIOD_CLOSED', { field: 'effective_time' });
        expect(closed.whenAtomic(deposit('B', 1n), make(effectiveTime))).toMatchObject({
          outcome: 'refused',
          index: 1,
          refusal: { reason: 'PERIOD_CLOSED' },
        });
      }
      for (const effectiveTime of [END_US + 1n, null]) {
        expect(closed.when(make(effectiveTime)).events).toHaveLength(1);
      }
    },
  );

  test('is refused before funds are looked at', () => {
    closed.when(withdraw('A', 10_000n, atTheEnd)).thenRefused('PERIOD_CLOSED');
    closed.when(withdraw('A', 10_000n, after)).thenDeclined('INSUFFICIENT_FUNDS', 'A');
  });

  test('does not keep holds from being released', () => {
    expect(closed.when(voidPayment('auth')).event).toMatchObject({ type: 'PaymentVoided' });
  });
});

describe('ReopenPeriod', () => {
  test('opens all of it, or what is after a time, for a reason that the event keeps', () => {
    const all = reopenPeriod(null, { reason: 'an invoice of October came late' });
    expect(closed.when(all).event).toEqual({
      type: 'PeriodReopened',
      ledgerId: 'books',
      closedThrough: null,
      reason: 'an invoice of October came late',
    });
    const open = closed.and(reopenPeriod());
    expect(open.when(deposit('A', 1n, before)).events).toHaveLength(1);
    const partly = closed.and(reopenPeriod(END_US - 1n));
    expect(partly.when(deposit('A', 1n, atTheEnd)).events).toHaveLength(1);
    partly.when(deposit('A', 1n, before)).thenRefused('PERIOD_CLOSED');
  });

  test('lets the same period be closed again, with what came late', () => {
    const again = closed.and(reopenPeriod(), deposit('A', 11n, before)).when(closePeriod(END_US));
    expect(again.event).toMatchObject({ totals: [{ credits: 141n }, { debits: 111n }, {}] });
  });

  test('is refused where nothing would be opened', () => {
    given(...history)
      .when(reopenPeriod())
      .thenRefused('PERIOD_NOT_CLOSED');
    for (const keep of [END_US, END_US + 1n]) {
      closed.when(reopenPeriod(keep)).thenRefused('PERIOD_NOT_CLOSED', { field: 'keep_closed_through' });
    }
    closed.and(reopenPeriod()).when(reopenPeriod()).thenRefused('PERIOD_NOT_CLOSED');
  });
});
