import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import { INT64_MAX } from './limits.js';
import {
  authorize,
  close,
  createLedger,
  deposit,
  freeze,
  open,
  pay,
  unfreeze,
  update,
  voidPayment,
  withdraw,
} from './test/builders.js';
import { given } from './test/given.js';

const ledger = createLedger();
const opened = (...more: readonly Command[]) => given(ledger, open('A'), ...more);

describe('OpenAccount', () => {
  test('opens the account and, first in its currency, the settlement account in an event of its own', () => {
    const more = { overdraftLimit: 50n, name: 'Ann', ownerReference: 'o1', metadata: { k: 'v' } };
    const { events } = given(ledger).when(open('A', 'LIABILITY', more));
    const fresh = { status: 'OPEN', freezeScope: null, credits: 0n, debits: 0n, held: 0n, version: 1n };
    expect(events).toMatchObject([
      {
        type: 'AccountOpened',
        account: {
          state: { accountId: 'A', type: 'LIABILITY', currency: 'EUR', overdraftLimit: 50n, ...fresh },
          profile: { name: 'Ann', ownerReference: 'o1', metadata: { k: 'v' }, profileVersion: 1n },
        },
      },
      {
        type: 'AccountOpened',
        account: {
          state: {
            accountId: '@settlement:EUR',
            type: 'ASSET',
            currency: 'EUR',
            overdraftLimit: 0n,
            ...fresh,
          },
          profile: { profileVersion: 1n },
        },
      },
    ]);
    expect(events).toHaveLength(2);
  });

  test('opens the second account of a currency alone', () => {
    expect(opened().when(open('B')).events).toHaveLength(1);
  });

  test('opens a settlement account for each currency', () => {
    const { events } = opened().when(open('B', 'ASSET', { currency: 'USD' }));
    expect(events).toMatchObject([
      { account: { state: { accountId: 'B', type: 'ASSET' } } },
      { account: { state: { accountId: '@settlement:USD', currency: 'USD' } } },
    ]);
  });

  test('refuses an account that exists, also a closed one', () => {
    opened().when(open('A')).thenRefused('ACCOUNT_ALREADY_EXISTS', { resourceId: 'A', field: 'account_id' });
    opened(close('A')).when(open('A')).thenRefused('ACCOUNT_ALREADY_EXISTS');
  });

  test('refuses an overdraft limit on an account without a floor', () => {
    const command = open('B', 'REVENUE', { overdraftLimit: 1n });
    opened().when(command).thenRefused('ACCOUNT_TYPE', { field: 'overdraft_limit' });
  });

  test.each(['ASSET', 'REVENUE', 'EXPENSE', 'EQUITY'] as const)('opens %s accounts', (type) => {
    expect(opened().when(open('B', type)).event).toMatchObject({ account: { state: { type } } });
  });

  test('breaks rather than opens an account that is ours', () => {
    expect(() => opened().when(open('@x'))).toThrow('broken invariant');
  });
});

describe('UpdateAccount', () => {
  test('changes what it names, keeps the rest, and raises both versions', () => {
    const spec = given(ledger, open('A', 'LIABILITY', { name: 'Ann', metadata: { k: 'v' } }));
    expect(spec.when(update('A', { overdraftLimit: 9n, ownerReference: 'o2' })).event).toMatchObject({
      type: 'AccountUpdated',
      account: {
        state: { overdraftLimit: 9n, version: 2n },
        profile: { name: 'Ann', ownerReference: 'o2', metadata: { k: 'v' }, profileVersion: 2n },
      },
    });
  });

  test('sets fields to nothing when they are named', () => {
    const spec = given(
      ledger,
      open('A', 'LIABILITY', { name: 'Ann', metadata: { k: 'v' }, overdraftLimit: 5n }),
    );
    expect(spec.when(update('A', { name: '', metadata: {}, overdraftLimit: 0n })).event).toMatchObject({
      account: { state: { overdraftLimit: 0n }, profile: { name: '', metadata: {} } },
    });
  });

  test('lowers an overdraft limit even if available ends below zero', () => {
    const spec = given(ledger, open('A', 'LIABILITY', { overdraftLimit: 100n }), withdraw('A', 80n));
    const { after } = spec.when(update('A', { overdraftLimit: 0n }));
    expect(after.money('A').available).toBe(-80n);
  });

  test('keeps the freeze of a frozen account', () => {
    expect(opened(freeze('A', { scope: 'ALL' })).when(update('A', { name: 'x' })).event).toMatchObject({
      account: { state: { status: 'FROZEN', freezeScope: 'ALL' } },
    });
  });

  test('refuses a closed account', () => {
    opened(close('A'))
      .when(update('A', { name: 'x' }))
      .thenRefused('ACCOUNT_IS_CLOSED', { resourceId: 'A' });
  });

  test('refuses an overdraft limit on an account without a floor, but not a limit of zero', () => {
    const spec = given(ledger, open('A', 'EQUITY'));
    spec.when(update('A', { overdraftLimit: 1n })).thenRefused('ACCOUNT_TYPE');
    expect(spec.when(update('A', { overdraftLimit: 0n })).events).toHaveLength(1);
  });

  test('refuses a limit that takes available beyond 64 bits', () => {
    const spec = opened(deposit('A', 1n));
    spec
      .when(update('A', { overdraftLimit: INT64_MAX }))
      .thenRefused('BALANCE_OVERFLOW', { resourceId: 'A' });
    expect(spec.when(update('A', { overdraftLimit: INT64_MAX - 1n })).events).toHaveLength(1);
  });

  test('counts what is held when it bounds the limit, so that a void can never overflow', () => {
    const hold = authorize('A', 'B', 10n);
    const spec = opened(open('B'), deposit('A', 10n), hold);
    spec.when(update('A', { overdraftLimit: INT64_MAX - 9n })).thenRefused('BALANCE_OVERFLOW');
    const most = spec.and(update('A', { overdraftLimit: INT64_MAX - 10n }));
    expect(most.when(voidPayment(hold.requestId)).after.money('A').available).toBe(INT64_MAX);
  });
});

describe('FreezeAccount and UnfreezeAccount', () => {
  test('freeze raises the version and leaves the profile', () => {
    expect(opened().when(freeze('A')).event).toMatchObject({
      type: 'AccountFrozen',
      account: {
        state: { status: 'FROZEN', freezeScope: 'DEBITS', version: 2n },
        profile: { profileVersion: 1n },
      },
    });
  });

  test('a second freeze changes the scope', () => {
    expect(opened(freeze('A')).when(freeze('A', { scope: 'ALL' })).event).toMatchObject({
      account: { state: { freezeScope: 'ALL', version: 3n } },
    });
  });

  test('unfreeze opens the account again', () => {
    expect(opened(freeze('A')).when(unfreeze('A')).event).toMatchObject({
      type: 'AccountUnfrozen',
      account: { state: { status: 'OPEN', freezeScope: null, version: 3n } },
    });
  });

  test('unfreeze refuses an account that is not frozen', () => {
    opened().when(unfreeze('A')).thenRefused('ACCOUNT_NOT_FROZEN', { resourceId: 'A' });
  });

  test('both refuse a closed account', () => {
    opened(close('A')).when(freeze('A')).thenRefused('ACCOUNT_IS_CLOSED');
    opened(close('A')).when(unfreeze('A')).thenRefused('ACCOUNT_IS_CLOSED');
  });

  test('break rather than freeze an account that is ours', () => {
    expect(() => opened().when(freeze('@settlement:EUR'))).toThrow('broken invariant');
  });
});

describe('CloseAccount', () => {
  test('closes an empty account', () => {
    expect(opened().when(close('A')).event).toMatchObject({
      type: 'AccountClosed',
      account: { state: { status: 'CLOSED', freezeScope: null, version: 2n } },
    });
  });

  test('closes a frozen account', () => {
    expect(opened(freeze('A', { scope: 'ALL' })).when(close('A')).event).toMatchObject({
      account: { state: { status: 'CLOSED', freezeScope: null } },
    });
  });

  test('closes an account that money went through', () => {
    expect(opened(deposit('A', 5n), withdraw('A', 5n)).when(close('A')).events).toHaveLength(1);
  });

  test('refuses an account with money, positive or negative', () => {
    opened(deposit('A', 1n)).when(close('A')).thenRefused('ACCOUNT_NOT_EMPTY');
    const overdrawn = given(ledger, open('A', 'LIABILITY', { overdraftLimit: 5n }), withdraw('A', 5n));
    overdrawn.when(close('A')).thenRefused('ACCOUNT_NOT_EMPTY');
  });

  test('refuses an account with a hold', () => {
    const spec = given(
      ledger,
      open('A', 'LIABILITY', { overdraftLimit: 5n }),
      open('B'),
      authorize('A', 'B', 5n),
    );
    spec.when(close('A')).thenRefused('ACCOUNT_NOT_EMPTY');
  });

  test('is final', () => {
    opened(close('A')).when(close('A')).thenRefused('ACCOUNT_IS_CLOSED');
  });

  test('breaks rather than closes an account that is ours', () => {
    expect(() => opened().when(close('@settlement:EUR'))).toThrow('broken invariant');
  });
});

describe('the order of checks of account commands', () => {
  test('existence comes first', () => {
    for (const command of [update('X', { expectedVersion: 9n }), freeze('X'), unfreeze('X'), close('X')]) {
      opened().when(command).thenRefused('ACCOUNT_NOT_FOUND', { field: 'account_id', resourceId: 'X' });
    }
  });

  test('expected_version comes before errors of state', () => {
    const spec = opened(close('A'));
    const expectedVersion = 1n;
    for (const command of [
      update('A', { name: 'x', expectedVersion }),
      freeze('A', { expectedVersion }),
      unfreeze('A', { expectedVersion }),
      close('A', { expectedVersion }),
    ]) {
      spec.when(command).thenRefused('VERSION_MISMATCH', { field: 'expected_version', resourceId: 'A' });
    }
  });

  test('an expected_version that holds lets the command through', () => {
    expect(opened().when(freeze('A', { expectedVersion: 1n })).events).toHaveLength(1);
  });

  test('each entry, hold change and account event raised the version by one', () => {
    const hold = authorize('A', 'B', 3n);
    const spec = opened(
      open('B'),
      deposit('A', 9n),
      freeze('A'),
      unfreeze('A'),
      hold,
      voidPayment(hold.requestId),
    );
    expect(spec.account('A').version).toBe(6n);
    expect(spec.and(pay('A', 'B', 1n)).account('A').version).toBe(7n);
  });
});
