import { describe, expect, test } from '@jest/globals';
import { Grants, isScope } from './scopes.js';

describe('a scope', () => {
  test.each(['read:books', 'write:shop-*', 'admin:*', 'force:a.b:c_d-e', 'create:x*', 'metrics'])(
    '%s',
    (text) => {
      expect(isScope(text)).toBe(true);
    },
  );

  test.each([
    'read',
    'read:',
    'read: ',
    'openid',
    'READ:books',
    'read:b*ks',
    'read:@x',
    'read:**',
    'metrics:*',
    'delete:x',
    `read:${'x'.repeat(129)}`,
  ])('%s is none', (text) => {
    expect(isScope(text)).toBe(false);
    expect(new Grants([text]).size).toBe(0);
  });
});

test('a scope for a ledger is for no other ledger whose name begins or ends alike', () => {
  const grants = new Grants(['read:shop']);
  expect(grants.may('read', 'shop')).toBe(true);
  for (const other of ['shop2', 'shop-eu', 'shop:eu', 'sho', 'Shop', 'myshop', '']) {
    expect([other, grants.may('read', other), grants.has(other)]).toEqual([other, false, false]);
  }
});

test('a scope for a prefix is for the ledgers that begin so, the one of that name among them', () => {
  const grants = new Grants(['write:shop-*']);
  for (const ledgerId of ['shop-', 'shop-eu', 'shop-eu-2']) expect(grants.may('write', ledgerId)).toBe(true);
  for (const other of ['shop', 'shops', 'Shop-eu']) expect(grants.may('write', other)).toBe(false);
});

test('no kind includes another one', () => {
  const grants = new Grants(['admin:*']);
  expect(
    ['read', 'write', 'admin', 'force', 'create'].map((kind) => grants.may(kind as 'read', 'books')),
  ).toEqual([false, false, true, false, false]);
  expect(grants.mayEverywhere('admin')).toBe(true);
  expect(new Grants(['admin:a*']).mayEverywhere('admin')).toBe(false);
  expect(grants.mayEverywhere('metrics')).toBe(false);
  expect(new Grants(['metrics']).has('books')).toBe(false);
});
