import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import { decide } from './decide.js';
import { needs } from './needs.js';
import {
  adjust,
  annotate,
  assetMoney,
  authorize,
  capture,
  close,
  closePeriod,
  createLedger,
  credit,
  debit,
  deposit,
  expire,
  fee,
  freeze,
  journal,
  open,
  openInAsset,
  pay,
  refund,
  registerAsset,
  reopenPeriod,
  reverse,
  unfreeze,
  update,
  voidPayment,
  withdraw,
} from './test/builders.js';
import { given } from './test/given.js';
import { loadedFor, onlyLoaded } from './test/loading.js';

const spec = given(
  createLedger(),
  open('A'),
  open('B'),
  open('F', 'REVENUE'),
  open('bank', 'ASSET'),
  deposit('A', 100n, { requestId: 'cash' }),
  authorize('A', 'B', 50n, { requestId: 'auth' }),
  capture('auth', 20n, { requestId: 'cap', fees: [fee('PAYEE', 'F', 1n)] }),
  refund('auth', 5n, { requestId: 'back' }),
  pay('A', 'B', 10n, { requestId: 'paid', fees: [fee('PAYER', 'F', 2n)] }),
);
const unknown = { account: () => false, transaction: () => 'unknown' as const };

describe('what a command needs at first', () => {
  const fees = [fee('PAYER', 'F', 1n), fee('PAYEE', 'F', 1n)];
  test.each<[string, Command, string[], string[]]>([
    ['a ledger: nothing', createLedger(), [], []],
    ['an account to open: it and the settlement account', open('X'), ['X', '@settlement:EUR'], []],
    ['a period to close: nothing', closePeriod(1n), [], []],
    ['a period to reopen: nothing', reopenPeriod(), [], []],
    ['an asset to register: its settlement account', registerAsset(), ['@settlement:BTC'], []],
    ['an account in an asset: the settlement account once', openInAsset('X'), ['X', '@settlement:BTC'], []],
    [
      'an amount of an asset: the settlement account that says its unit',
      pay('A', 'B', 9n, { amount: assetMoney(9n) }),
      ['A', 'B', '@settlement:BTC'],
      [],
    ],
    ['an account to update: it', update('A', {}), ['A'], []],
    ['an account to freeze: it', freeze('A'), ['A'], []],
    ['an account to unfreeze: it', unfreeze('A'), ['A'], []],
    ['an account to close: it', close('A'), ['A'], []],
    ['a deposit: account and settlement account', deposit('A', 1n), ['A', '@settlement:EUR'], []],
    ['a deposit through a bank', deposit('A', 1n, { settlementAccountId: 'bank' }), ['A', 'bank'], []],
    ['a withdrawal likewise', withdraw('A', 1n), ['A', '@settlement:EUR'], []],
    ['a payment: parties and fee accounts, each once', pay('A', 'B', 9n, { fees }), ['A', 'B', 'F'], []],
    ['an authorization: the parties', authorize('A', 'B', 9n), ['A', 'B'], []],
    ['a capture: payment and fee accounts', capture('auth', 9n, { fees }), ['F'], ['auth']],
    ['an adjustment: the payment', adjust('auth', 9n), [], ['auth']],
    [
      'an adjustment in an asset: its settlement account too',
      adjust('auth', 9n, { amount: assetMoney(9n) }),
      ['@settlement:BTC'],
      ['auth'],
    ],
    ['a void: the payment', voidPayment('auth'), [], ['auth']],
    ['an expiry: the payment', expire('auth'), [], ['auth']],
    ['a refund: payment and fee accounts', refund('auth', 9n, { fees }), ['F'], ['auth']],
    [
      'a refund through other accounts: these too',
      refund('auth', 9n, { fees, fromAccountId: 'A', toAccountId: 'B' }),
      ['A', 'B', 'F'],
      ['auth'],
    ],
    ['a journal: its accounts, each once', journal([debit('A', 1n), credit('A', 1n)]), ['A'], []],
    ['a reversal: the transaction', reverse('cap'), [], ['cap']],
    ['an update of a transaction: it', annotate('cap'), [], ['cap']],
  ])('%s', (_, command, accounts, transactions) => {
    expect(needs(command, unknown)).toEqual({ accounts, transactions });
  });
});

describe('what a command needs once its transaction is known', () => {
  const knowing = {
    account: () => false,
    transaction: (id: string) => known.get(id) ?? ('unknown' as const),
  };
  const known = new Map(['auth', 'cap', 'paid', 'cash'].map((id) => [id, spec.transaction(id)]));

  test('an adjustment, capture or refund: payer and payee', () => {
    expect(needs(adjust('auth', 1n), knowing)).toEqual({ accounts: ['A', 'B'], transactions: [] });
    expect(needs(capture('auth', 1n), knowing)).toEqual({ accounts: ['A', 'B'], transactions: [] });
    expect(needs(refund('auth', 1n), knowing)).toEqual({ accounts: ['A', 'B'], transactions: [] });
  });

  test('a void or expiry: the payer', () => {
    expect(needs(voidPayment('auth'), knowing)).toEqual({ accounts: ['A'], transactions: [] });
    expect(needs(expire('auth'), knowing)).toEqual({ accounts: ['A'], transactions: [] });
  });

  test('a reversal: the accounts of the entries, and the root of the payment', () => {
    expect(needs(reverse('cash'), knowing)).toEqual({ accounts: ['@settlement:EUR', 'A'], transactions: [] });
    known.delete('auth');
    expect(needs(reverse('cap'), knowing)).toEqual({ accounts: ['A', 'B', 'F'], transactions: ['auth'] });
    expect(needs(reverse('paid'), knowing)).toEqual({ accounts: ['A', 'B', 'F'], transactions: [] });
  });

  test('nothing more if there is no such transaction', () => {
    const none = { account: () => true, transaction: () => undefined };
    for (const command of [capture('x', 1n), voidPayment('x'), reverse('x')]) {
      expect(needs(command, none)).toEqual({ accounts: [], transactions: [] });
    }
  });
});

describe('needs are complete', () => {
  const commands: readonly Command[] = [
    createLedger(),
    open('X', 'ASSET', { currency: 'USD' }),
    update('A', { name: 'x' }),
    freeze('A'),
    unfreeze('A'),
    close('A'),
    deposit('A', 1n),
    withdraw('A', 1n, { settlementAccountId: 'bank' }),
    pay('A', 'B', 9n, { fees: [fee('PAYER', 'F', 1n)] }),
    authorize('A', 'B', 9n),
    capture('auth', 9n, { fees: [fee('PAYEE', 'F', 1n)] }),
    capture('paid', 9n),
    capture('cash', 9n),
    adjust('auth', 90n),
    adjust('auth', 20n),
    adjust('auth', null, { expireTime: spec.now + 1n }),
    adjust('paid', 9n),
    voidPayment('auth'),
    expire('auth'),
    refund('auth', 1n, { fees: [fee('PAYEE', 'F', 1n)] }),
    refund('auth', 1n, { fromAccountId: 'bank', toAccountId: 'none' }),
    refund('auth', 1n, { fromAccountId: 'bank' }),
    refund('none', 1n),
    journal([debit('A', 1n), credit('none', 1n)]),
    reverse('cash'),
    reverse('cap'),
    reverse('back'),
    reverse('paid'),
    annotate('auth'),
  ];

  test.each(commands.map((command) => [command.type, command] as const))(
    '%s decides on what was listed alone, and the same as on everything',
    (_, command) => {
      const everything = spec.when(command);
      expect(decide(command, onlyLoaded([command], spec.ledger), spec.now)).toEqual(everything.decision);
    },
  );

  test('in at most three rounds', () => {
    for (const command of commands) expect(loadedFor(command, spec.ledger).rounds).toBeLessThanOrEqual(3);
  });
});
