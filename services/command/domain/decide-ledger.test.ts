import { describe, expect, test } from '@jest/globals';
import { createLedger, deposit, open, registerAsset, update } from './test/builders.js';
import { given } from './test/given.js';

describe('CreateLedger', () => {
  test('makes a ledger', () => {
    const outcome = given().when(createLedger({ description: 'EU books', metadata: { team: 'core' } }));
    expect(outcome.event).toEqual({
      type: 'LedgerCreated',
      ledgerId: 'books',
      description: 'EU books',
      metadata: { team: 'core' },
    });
  });

  test('refuses a ledger that exists', () => {
    given(createLedger()).when(createLedger()).thenRefused('LEDGER_ALREADY_EXISTS', { resourceId: 'books' });
  });
});

describe('RegisterAsset', () => {
  test('opens the settlement account in the unit of the asset, under its name', () => {
    const outcome = given(createLedger()).when(registerAsset());
    const nothing = { overdraftLimit: 0n, credits: 0n, debits: 0n, held: 0n, version: 1n, limits: null };
    const opened = { type: 'ASSET', currency: 'BTC#8', status: 'OPEN', freezeScope: null };
    expect(outcome.event).toEqual({
      type: 'AssetRegistered',
      account: {
        state: { accountId: '@settlement:BTC', ...opened, ...nothing },
        profile: { name: 'Bitcoin', ownerReference: '', metadata: {}, profileVersion: 1n },
      },
    });
  });

  test('takes every exponent from 0 to 18, and codes with all that codes may have', () => {
    for (const exponent of [0, 1, 18]) {
      const outcome = given(createLedger()).when(registerAsset({ code: 'A0_.-B', exponent }));
      expect(outcome.event).toMatchObject({
        account: { state: { accountId: '@settlement:A0_.-B', currency: `A0_.-B#${exponent}` } },
      });
    }
  });

  test('of an asset that is registered says whether it is the same', () => {
    const spec = given(createLedger(), registerAsset());
    spec.when(registerAsset()).thenRefused('ASSET_ALREADY_EXISTS', { resourceId: 'BTC' });
    spec.when(registerAsset({ exponent: 6 })).thenRefused('ASSET_DIFFERS', { resourceId: 'BTC' });
    spec.when(registerAsset({ name: 'bitcoin' })).thenRefused('ASSET_DIFFERS', { resourceId: 'BTC' });
    expect(spec.when(registerAsset({ code: 'BTC.X' })).events).toHaveLength(1);
  });

  test('needs a ledger', () => {
    given().when(registerAsset()).thenRefused('LEDGER_NOT_FOUND');
  });
});

describe('a ledger that does not exist', () => {
  test('refuses to open an account in it', () => {
    given().when(open('A')).thenRefused('LEDGER_NOT_FOUND', { field: 'ledger_id', resourceId: 'books' });
  });

  test('is named before its accounts are', () => {
    given().when(deposit('A', 1n)).thenRefused('LEDGER_NOT_FOUND');
    given()
      .when(update('A', { name: 'x' }))
      .thenRefused('LEDGER_NOT_FOUND');
  });
});
