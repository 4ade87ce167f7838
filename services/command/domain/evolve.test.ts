import { describe, expect, test } from '@jest/globals';
import { apply, evolve, overlay } from './evolve.js';
import { createLedger, deposit, freeze, open, pay, update } from './test/builders.js';
import { given, nothing } from './test/given.js';

const base = () =>
  given(createLedger(), open('A', 'LIABILITY', { name: 'Ann' }), open('B'), deposit('A', 9n));

describe('an overlay', () => {
  test('answers as its reader until something changes', () => {
    const { ledger } = base();
    const over = overlay(ledger);
    expect(over.exists()).toBe(true);
    expect(over.account('A')).toBe(ledger.account('A'));
    expect(over.account('X')).toBeUndefined();
    expect(over.transaction('X')).toBeUndefined();
  });

  test('holds what changed and leaves its reader alone', () => {
    const spec = base();
    const before = spec.account('A');
    const command = pay('A', 'B', 4n);
    const over = overlay(spec.ledger);
    apply(over, spec.when(command).events);
    expect([...over.accounts.keys()]).toEqual(['A', 'B']);
    expect([...over.transactions.keys()]).toEqual([command.requestId]);
    expect(over.account('A')?.state.debits).toBe(4n);
    expect(spec.account('A')).toBe(before);
  });

  test('knows a ledger created in it', () => {
    const over = overlay(nothing);
    expect(over.exists()).toBe(false);
    apply(over, given().when(createLedger()).events);
    expect(over).toMatchObject({ ledger: { closedThrough: null } });
    expect(over.exists()).toBe(true);
  });

  test('keeps the profile through transactions, and takes that of account events', () => {
    const spec = base();
    expect(spec.and(pay('A', 'B', 4n)).ledger.account('A')?.profile.name).toBe('Ann');
    expect(spec.and(update('A', { name: 'Anna' })).ledger.account('A')?.profile.name).toBe('Anna');
    const frozen = spec.and(update('A', { name: 'Anna' }), freeze('A'));
    expect(frozen.ledger.account('A')?.profile.name).toBe('Anna');
  });

  test('takes the transaction of a decline, and no account', () => {
    const spec = base();
    const command = pay('A', 'B', 10n);
    const over = overlay(spec.ledger);
    apply(over, spec.when(command).events);
    expect(over.accounts.size).toBe(0);
    expect(over.transaction(command.requestId)?.status).toBe('DECLINED');
  });

  test('lets through what its reader throws', () => {
    const signal = new Error('not loaded');
    const over = overlay({
      exists: () => true,
      closedThrough: () => null,
      trialBalance: () => [],
      account: () => {
        throw signal;
      },
      transaction: () => undefined,
      calendar: nothing.calendar,
    });
    expect(() => over.account('A')).toThrow(signal);
  });

  test('breaks on a transaction of an account that is not there', () => {
    const spec = base();
    const event = spec.when(pay('A', 'B', 4n)).thenPosted();
    expect(() => evolve(overlay(nothing), event)).toThrow('broken invariant');
  });
});
