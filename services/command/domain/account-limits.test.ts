/** Limits of accounts: what they decline, what they count, and what they leave alone. */
import { describe, expect, test } from '@jest/globals';
import type { AccountLimits, DebitLimit, LimitKind, RequestedLimits } from './account-limits.js';
import type { Command, MovementCommand } from './command.js';
import { overlay } from './evolve.js';
import { INT64_MAX } from './limits.js';
import {
  adjust,
  authorize,
  capture,
  captureAll,
  createLedger,
  credit,
  DAY_US,
  debit,
  deposit,
  expire,
  fee,
  journal,
  limits,
  MOST,
  open,
  pay,
  refund,
  reverse,
  update,
  voidPayment,
  withdraw,
} from './test/builders.js';
import { given, Specification, START_US } from './test/given.js';

const HOUR_US = DAY_US / 24n;

const day = (amount: bigint, count = 0n): DebitLimit => ({ period: 'DAY', amount, count });
const week = (amount: bigint, count = 0n): DebitLimit => ({ period: 'WEEK', amount, count });
const month = (amount: bigint, count = 0n): DebitLimit => ({ period: 'MONTH', amount, count });

/** A with 1,000 and these limits; a shop and a fee account without any. */
function limited(more: Partial<RequestedLimits>, ...then: readonly Command[]): Specification {
  return given(
    createLedger(),
    open('A'),
    open('shop'),
    open('fees', 'REVENUE'),
    deposit('A', 1_000n),
    update('A', { limits: limits(more) }),
    ...then,
  );
}

function thenExceeds(spec: Specification, command: MovementCommand, limit: LimitKind, account = 'A'): void {
  const event = spec.when(command).thenDeclined('LIMIT_EXCEEDED', account);
  expect(event.exceededLimit).toBe(limit);
}

function limitsOf(spec: Specification, accountId = 'A'): AccountLimits {
  const found = spec.account(accountId).limits;
  if (found === null) throw new Error(`${accountId} has no limits`);
  return found;
}

/** Sum and number of the debits in each period. */
function used(spec: Specification): readonly (readonly [bigint, bigint])[] {
  return limitsOf(spec).windows.map(({ usedAmount, usedCount }) => [usedAmount, usedCount]);
}

describe('a limit of one debit', () => {
  test('lets as much through, and declines more', () => {
    const spec = limited({ debit: 100n });
    spec.when(pay('A', 'shop', 100n)).thenPosted();
    thenExceeds(spec, pay('A', 'shop', 101n), 'DEBIT');
    thenExceeds(spec, withdraw('A', 101n), 'DEBIT');
    thenExceeds(spec, authorize('A', 'shop', 101n), 'DEBIT');
    thenExceeds(spec, journal([debit('A', 101n), credit('shop', 101n)]), 'DEBIT');
  });

  test('is of all that a transaction takes, with the fees of the payer', () => {
    const spec = limited({ debit: 100n });
    thenExceeds(spec, pay('A', 'shop', 99n, { fees: [fee('PAYER', 'fees', 2n)] }), 'DEBIT');
    spec.when(pay('A', 'shop', 99n, { fees: [fee('PAYEE', 'fees', 2n)] })).thenPosted();
    const entries = [debit('A', 60n), debit('A', 60n), credit('A', 30n), credit('shop', 90n)];
    spec.when(journal(entries)).thenPosted();
  });

  test('is looked for after funds', () => {
    limited({ debit: 100n })
      .when(pay('A', 'shop', 1_001n))
      .thenDeclined('INSUFFICIENT_FUNDS', 'A');
  });
});

describe('a limit of a period', () => {
  test('is of the sum of debits, or of their number', () => {
    const spec = limited({ windows: [day(100n, 3n)] }, pay('A', 'shop', 60n), withdraw('A', 20n));
    expect(used(spec)).toEqual([[80n, 2n]]);
    thenExceeds(spec, pay('A', 'shop', 21n), 'DAY_AMOUNT');
    const last = spec.and(pay('A', 'shop', 1n));
    thenExceeds(last, pay('A', 'shop', 1n), 'DAY_COUNT');
    expect(used(last)).toEqual([[81n, 3n]]);
  });

  test('names the first of several that is exceeded: day, week, month, amount before count', () => {
    const windows = [day(50n), week(80n, 2n), month(0n, 2n)];
    const spec = limited({ windows }, pay('A', 'shop', 40n));
    thenExceeds(spec, pay('A', 'shop', 41n), 'DAY_AMOUNT');
    const next = spec.at(START_US + DAY_US);
    thenExceeds(next, pay('A', 'shop', 41n), 'WEEK_AMOUNT');
    const two = next.and(pay('A', 'shop', 1n));
    thenExceeds(two, pay('A', 'shop', 1n), 'WEEK_COUNT');
    // 1 January 2026 was a Thursday: four days later another week has begun.
    thenExceeds(two.at(START_US + 4n * DAY_US), pay('A', 'shop', 1n), 'MONTH_COUNT');
    two
      .at(START_US + 31n * DAY_US)
      .when(pay('A', 'shop', 50n))
      .thenPosted();
  });

  test('begins again at midnight of its time zone', () => {
    const spec = limited({ windows: [day(100n)], timeZone: 'Asia/Tokyo' }, pay('A', 'shop', 100n));
    // It was nine in the morning there.
    thenExceeds(spec.at(START_US + 15n * HOUR_US - 1n), pay('A', 'shop', 1n), 'DAY_AMOUNT');
    const next = spec.at(START_US + 15n * HOUR_US).and(pay('A', 'shop', 70n));
    expect(limitsOf(next).windows).toEqual([
      {
        ...day(100n),
        start: START_US + 15n * HOUR_US,
        end: START_US + 39n * HOUR_US,
        usedAmount: 70n,
        usedCount: 1n,
      },
    ]);
  });

  test('is not asked of the calendar again while the period lasts', () => {
    const spec = limited({ windows: [day(100n)] }, pay('A', 'shop', 10n));
    const known = overlay({
      closedThrough: () => null,
      trialBalance: () => [],
      exists: () => true,
      account: (id) => spec.ledger.account(id),
      transaction: (id) => spec.ledger.transaction(id),
      calendar: () => {
        throw new Error('the period was decided before');
      },
    });
    const again = new Specification(known, spec.now).and(pay('A', 'shop', 10n));
    expect(used(again)).toEqual([[20n, 2n]]);
  });

  test('sums up to the end of int64, where what is held is given back again and again', () => {
    let spec = given(createLedger(), open('A', 'LIABILITY', { limits: limits({ windows: [day(0n, 99n)] }) }));
    spec = spec.and(open('B'), deposit('A', MOST));
    for (let round = 0; round < 12; round += 1) {
      const hold = authorize('A', 'B', MOST);
      spec = spec.and(hold, voidPayment(hold.requestId));
    }
    expect(used(spec)).toEqual([[INT64_MAX, 12n]]);
  });
});

describe('a hold', () => {
  const windows = [day(100n, 2n)];

  test('is judged and counted when it is authorized, and its captures are not', () => {
    const hold = authorize('A', 'shop', 90n);
    const spec = limited({ windows, debit: 90n }, hold, pay('A', 'shop', 10n));
    thenExceeds(spec, pay('A', 'shop', 1n), 'DAY_AMOUNT');
    const captured = spec.and(capture(hold.requestId, 50n), captureAll(hold.requestId));
    expect(used(captured)).toEqual([[100n, 2n]]);
  });

  test('counts what a capture takes beyond it, which is judged as a debit', () => {
    const hold = authorize('A', 'shop', 90n);
    const spec = limited({ windows: [day(100n, 3n)] }, hold);
    const fees = (amount: bigint) => ({ fees: [fee('PAYER', 'fees', amount)] });
    thenExceeds(spec, capture(hold.requestId, 90n, fees(11n)), 'DAY_AMOUNT');
    expect(used(spec.and(capture(hold.requestId, 90n, fees(10n))))).toEqual([[100n, 2n]]);
    // The rest of the hold, released with it, covers the fee.
    const final = capture(hold.requestId, 70n, { ...fees(11n), final: true });
    expect(used(spec.and(final))).toEqual([[90n, 1n]]);
  });

  test('is judged and counted again for what it is raised by', () => {
    const hold = authorize('A', 'shop', 60n);
    const spec = limited({ windows: [day(100n, 3n)] }, hold);
    thenExceeds(spec, adjust(hold.requestId, 101n), 'DAY_AMOUNT');
    const lowered = spec.and(adjust(hold.requestId, 90n), adjust(hold.requestId, 10n));
    expect(used(lowered)).toEqual([[90n, 2n]]);
  });

  test('gives nothing of a limit back when it is released', () => {
    const voided = authorize('A', 'shop', 60n);
    const expired = authorize('A', 'shop', 40n, { expireTime: START_US + HOUR_US });
    const spec = limited({ windows }, voided, expired, voidPayment(voided.requestId));
    const later = spec.at(START_US + HOUR_US).and(expire(expired.requestId));
    expect(later.money('A')).toEqual({ posted: 1_000n, held: 0n, available: 1_000n });
    thenExceeds(later, pay('A', 'shop', 1n), 'DAY_AMOUNT');
  });
});

describe('no limit stands against', () => {
  test('a refund or a reversal, which are not counted either', () => {
    const paid = pay('A', 'shop', 100n);
    const put = deposit('shop', 50n);
    const spec = given(createLedger(), open('A'), open('shop'), deposit('A', 100n), paid, put).and(
      update('shop', { limits: limits({ debit: 1n, windows: [day(1n)] }) }),
      update('A', { limits: limits({ balance: 1n }) }),
    );
    const undone = spec.and(refund(paid.requestId, 40n), reverse(put.requestId));
    expect(limitsOf(undone, 'shop').windows).toMatchObject([{ usedAmount: 0n, usedCount: 0n, end: 0n }]);
    expect(undone.money('A').posted).toBe(40n);
  });

  test('what is posted by force, which is counted', () => {
    const entries = [debit('A', 300n), credit('shop', 300n)];
    const spec = limited({ debit: 10n, windows: [day(100n, 1n)] });
    const forced = spec.and(journal(entries, { force: true }), journal(entries, { force: true }));
    expect(used(forced)).toEqual([[600n, 2n]]);
    thenExceeds(forced, pay('A', 'shop', 1n), 'DAY_AMOUNT');
  });

  test('a credit, though the fee of the payee is taken from it', () => {
    const spec = limited({}).and(update('shop', { limits: limits({ debit: 1n, windows: [day(1n, 1n)] }) }));
    const paid = spec.and(pay('A', 'shop', 50n, { fees: [fee('PAYEE', 'fees', 5n)] }));
    expect(limitsOf(paid, 'shop').windows).toMatchObject([{ usedAmount: 0n, usedCount: 0n }]);
  });
});

describe('a largest balance', () => {
  const full = (most: bigint) => limited({}).and(update('shop', { limits: limits({ balance: most }) }));

  test('declines credits beyond it', () => {
    const spec = full(100n).and(pay('A', 'shop', 60n));
    thenExceeds(spec, pay('A', 'shop', 41n), 'BALANCE', 'shop');
    thenExceeds(spec, deposit('shop', 41n), 'BALANCE', 'shop');
    spec.when(pay('A', 'shop', 40n)).thenPosted();
    spec.when(pay('A', 'shop', 41n, { fees: [fee('PAYEE', 'fees', 1n)] })).thenPosted();
  });

  test('of a payee is judged when a payment is authorized, and not when it is captured', () => {
    const spec = full(100n);
    thenExceeds(spec, authorize('A', 'shop', 101n), 'BALANCE', 'shop');
    const [one, other] = [authorize('A', 'shop', 80n), authorize('A', 'shop', 80n)];
    const captured = spec.and(one, other, captureAll(one.requestId), captureAll(other.requestId));
    expect(captured.money('shop').posted).toBe(160n);
    thenExceeds(captured, deposit('shop', 1n), 'BALANCE', 'shop');
  });

  test('lets money out of an account that holds more', () => {
    const spec = full(100n).and(pay('A', 'shop', 100n), update('shop', { limits: limits({ balance: 10n }) }));
    spec.when(withdraw('shop', 20n)).thenPosted();
  });
});

describe('limits', () => {
  test('are replaced as a whole; a period that keeps a limit keeps what is used of it', () => {
    const spec = limited({ debit: 90n, windows: [day(100n), month(500n)] }, pay('A', 'shop', 80n));
    const fewer = spec.and(update('A', { limits: limits({ windows: [day(81n), week(30n)] }) }));
    expect(limitsOf(fewer)).toMatchObject({ debit: 0n, balance: 0n, timeZone: '' });
    expect(used(fewer)).toEqual([
      [80n, 1n],
      [0n, 0n],
    ]);
    thenExceeds(fewer, pay('A', 'shop', 2n), 'DAY_AMOUNT');
    expect(used(fewer.and(pay('A', 'shop', 1n)))).toEqual([
      [81n, 2n],
      [1n, 1n],
    ]);
    const none = fewer.and(update('A', { limits: limits() }));
    expect(none.account('A').limits).toBeNull();
    expect(used(none.and(update('A', { limits: limits({ windows: [day(100n)] }) })))).toEqual([[0n, 0n]]);
  });

  test('of another time zone apply from the next period on', () => {
    const spec = limited({ windows: [day(100n)], timeZone: 'Asia/Tokyo' }, pay('A', 'shop', 80n));
    const moved = spec.and(
      update('A', { limits: limits({ windows: [day(100n)], timeZone: 'Europe/Prague' }) }),
    );
    thenExceeds(moved.at(START_US + 15n * HOUR_US - 1n), pay('A', 'shop', 30n), 'DAY_AMOUNT');
    const next = moved.at(START_US + 15n * HOUR_US).and(pay('A', 'shop', 30n));
    const [window] = limitsOf(next).windows;
    expect(window).toMatchObject({
      start: START_US - HOUR_US,
      end: START_US + 23n * HOUR_US,
      usedAmount: 30n,
    });
  });

  test('may be lowered below what is used', () => {
    const spec = limited({ windows: [day(100n)] }, pay('A', 'shop', 80n));
    const lower = spec.and(update('A', { limits: limits({ windows: [day(10n)] }) }));
    expect(used(lower)).toEqual([[80n, 1n]]);
    thenExceeds(lower, pay('A', 'shop', 1n), 'DAY_AMOUNT');
  });

  test('that an update does not name stay, with what is used', () => {
    const spec = limited({ windows: [day(100n)] }, pay('A', 'shop', 80n));
    const renamed = spec.and(update('A', { name: 'renamed' }));
    expect(limitsOf(renamed)).toEqual(limitsOf(spec));
  });

  test('are of LIABILITY accounts only', () => {
    const spec = given(createLedger(), open('bank', 'ASSET'));
    const some = limits({ debit: 1n });
    const at = { field: 'limits', resourceId: 'bank' };
    spec.when(update('bank', { limits: some })).thenRefused('ACCOUNT_TYPE', at);
    spec.when(open('cash', 'ASSET', { limits: some })).thenRefused('ACCOUNT_TYPE', { field: 'limits' });
    expect(spec.and(update('bank', { limits: limits() })).account('bank').limits).toBeNull();
  });

  test('count the earlier items of an atomic batch, whose decline moves and counts nothing', () => {
    const spec = limited({ windows: [day(100n)] });
    const decision = spec.whenAtomic(pay('A', 'shop', 60n), pay('A', 'shop', 41n), pay('A', 'shop', 1n));
    if (decision.outcome === 'refused') throw new Error(decision.refusal.message);
    expect(decision.events).toMatchObject([
      { reason: 'BATCH_DECLINED', exceededLimit: null },
      { reason: 'LIMIT_EXCEEDED', exceededLimit: 'DAY_AMOUNT', declinedAccountId: 'A' },
      { reason: 'BATCH_DECLINED', exceededLimit: null },
    ]);
    for (const event of decision.events)
      for (const state of event.accounts) expect(state).toEqual(spec.account(state.accountId));
    expect(spec.whenAtomic(pay('A', 'shop', 60n), pay('A', 'shop', 40n))).toMatchObject({
      events: [{ type: 'TransactionPosted' }, { type: 'TransactionPosted' }],
    });
  });

  test('do not lower what is taken as far as funds allow', () => {
    const spec = limited({ debit: 100n });
    thenExceeds(spec, withdraw('A', 5_000n, { upTo: true }), 'DEBIT');
    spec.when(withdraw('A', 100n, { upTo: true })).thenPosted();
  });
});
