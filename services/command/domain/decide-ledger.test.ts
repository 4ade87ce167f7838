import { describe, expect, test } from '@jest/globals';
import { createLedger, deposit, open, update } from './test/builders.js';
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
