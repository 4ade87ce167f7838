import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import { streamOf } from './stream.js';
import {
  adjust,
  annotate,
  authorize,
  capture,
  close,
  createLedger,
  deposit,
  expire,
  freeze,
  open,
  pay,
  refund,
  closePeriod,
  registerAsset,
  reverse,
  unfreeze,
  update,
  voidPayment,
  withdraw,
} from './test/builders.js';
import { given } from './test/given.js';

const base = [
  createLedger(),
  open('A'),
  open('B'),
  deposit('A', 100n, { requestId: 'cash' }),
  authorize('A', 'B', 50n, { requestId: 'auth' }),
  capture('auth', 20n, { requestId: 'cap' }),
  refund('auth', 5n, { requestId: 'back' }),
  pay('A', 'B', 10n, { requestId: 'paid' }),
  reverse('cash', { requestId: 'undo', force: true }),
];
const spec = given(...base);
const streams = (command: Command) => spec.when(command).events.map(streamOf);

describe('the stream of an event', () => {
  test('is the ledger for its creation', () => {
    expect(given().when(createLedger()).events.map(streamOf)).toEqual(['books']);
  });

  test('is the settlement account for an asset', () => {
    expect(streams(registerAsset())).toEqual(['@settlement:BTC']);
    expect(streams(closePeriod(1n))).toEqual(['@periods']);
  });

  test('is the account for account events, the settlement account having its own', () => {
    expect(streams(open('U', 'ASSET', { currency: 'USD' }))).toEqual(['U', '@settlement:USD']);
    const empty = spec.and(open('C'));
    for (const command of [update('C', { name: 'x' }), freeze('C'), close('C')]) {
      expect(empty.when(command).events.map(streamOf)).toEqual(['C']);
    }
    expect(empty.and(freeze('C')).when(unfreeze('C')).events.map(streamOf)).toEqual(['C']);
  });

  test('is the transaction itself if it belongs to no chain', () => {
    const out = withdraw('B', 1n);
    expect(streams(out)).toEqual([out.requestId]);
    const declined = withdraw('B', 999n);
    expect(streams(declined)).toEqual([declined.requestId]);
  });

  test('is the payment for all that belongs to it', () => {
    const begun = authorize('B', 'A', 1n);
    expect(streams(begun)).toEqual([begun.requestId]);
    expect(streams(capture('auth', 1n))).toEqual(['auth']);
    expect(streams(adjust('auth', 51n))).toEqual(['auth']);
    expect(streams(voidPayment('auth'))).toEqual(['auth']);
    expect(streams(refund('auth', 1n))).toEqual(['auth']);
    expect(streams(reverse('back', { force: true }))).toEqual(['auth']);
    expect(streams(reverse('paid', { force: true }))).toEqual(['paid']);
    expect(streams(annotate('cap', { description: 'x' }))).toEqual(['auth']);
    const late = given(...base.slice(0, 5));
    const expiry = late.payment('auth').expireTime ?? 0n;
    expect(late.at(expiry).when(expire('auth')).events.map(streamOf)).toEqual(['auth']);
  });

  test('is the payment for declines within it', () => {
    expect(streams(refund('auth', 15n))).toEqual(['auth']);
    const poor = spec.and(withdraw('B', 20n));
    expect(poor.when(refund('auth', 15n)).events).toMatchObject([{ type: 'TransactionDeclined' }]);
    expect(poor.when(refund('auth', 15n)).events.map(streamOf)).toEqual(['auth']);
    expect(poor.when(adjust('auth', 900n)).events).toMatchObject([{ type: 'TransactionDeclined' }]);
    expect(poor.when(adjust('auth', 900n)).events.map(streamOf)).toEqual(['auth']);
  });

  test('is the reversed transaction for the reversal of anything else, also when declined', () => {
    const cash = deposit('B', 5n, { requestId: 'cash2' });
    const rich = spec.and(cash);
    expect(rich.when(reverse('cash2')).events.map(streamOf)).toEqual(['cash2']);
    const poor = rich.and(withdraw('B', 29n));
    expect(poor.when(reverse('cash2')).thenDeclined('INSUFFICIENT_FUNDS', 'B')).toMatchObject({
      kind: 'REVERSAL',
    });
    expect(poor.when(reverse('cash2')).events.map(streamOf)).toEqual(['cash2']);
    expect(streams(annotate('undo', { description: 'x' }))).toEqual(['cash']);
  });
});
