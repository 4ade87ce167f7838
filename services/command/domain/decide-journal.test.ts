import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.js';
import { INT64_MAX } from './limits.js';
import {
  close,
  createLedger,
  credit,
  debit,
  deposit,
  freeze,
  journal,
  MOST,
  open,
  update,
  withdraw,
} from './test/builders.js';
import { brief, given } from './test/given.js';

const ledger = createLedger();
const opened = (...more: readonly Command[]) =>
  given(ledger, open('A'), open('B'), open('C'), open('E', 'EQUITY'), ...more);

describe('PostTransaction up to an amount', () => {
  const move = (amount: bigint) => journal([credit('E', amount), debit('A', amount)], { upTo: true });

  test('moves what is available on the debited account, the overdraft included', () => {
    const spec = opened(deposit('A', 10n), update('A', { overdraftLimit: 5n }));
    const event = spec.when(move(40n)).thenPosted();
    expect(brief(event.entries)).toEqual(['E +15', 'A -15']);
    expect(event.transactions).toMatchObject([{ kind: 'JOURNAL', amount: 15n }]);
    expect(brief(spec.when(move(14n)).thenPosted().entries)).toEqual(['E +14', 'A -14']);
  });

  test('moves all of it out of an account without a floor', () => {
    const event = opened()
      .when(journal([debit('E', 40n), credit('A', 40n)], { upTo: true }))
      .thenPosted();
    expect(brief(event.entries)).toEqual(['E -40', 'A +40']);
  });

  test('is declined as it was asked for where nothing is available', () => {
    const event = opened().when(move(40n)).thenDeclined('INSUFFICIENT_FUNDS', 'A');
    expect(event.transactions).toMatchObject([{ amount: 40n }]);
    opened(deposit('A', 5n), freeze('A')).when(move(40n)).thenDeclined('ACCOUNT_FROZEN', 'A');
  });
});

describe('PostTransaction', () => {
  test('posts entries in order, raising a version for each', () => {
    const event = opened(deposit('A', 10n))
      .when(journal([debit('A', 6n), credit('B', 9n), credit('A', 1n), debit('E', 4n)]))
      .thenPosted();
    expect(event.kind).toBe('JOURNAL');
    expect(event.entries).toMatchObject([
      { accountId: 'A', version: 3n, postedAfter: 4n },
      { accountId: 'B', version: 2n, postedAfter: 9n },
      { accountId: 'A', version: 4n, postedAfter: 5n },
      { accountId: 'E', version: 2n, postedAfter: -4n },
    ]);
    expect(event.accounts).toMatchObject([
      { accountId: 'A', version: 4n, debits: 6n, credits: 11n },
      { accountId: 'B', version: 2n },
      { accountId: 'E', version: 2n },
    ]);
  });

  test('has the debits of its first currency for principal', () => {
    const usd = (id: string) => open(id, 'EQUITY', { currency: 'USD' });
    const entries = [credit('U', 3n, 'USD'), debit('V', 3n, 'USD'), debit('E', 5n), credit('A', 5n)];
    const event = opened(usd('U'), usd('V')).when(journal(entries)).thenPosted();
    expect(event.transactions).toMatchObject([{ amount: 3n, currency: 'USD' }]);
  });

  test('names the first account that is missing', () => {
    const command = journal([debit('A', 1n), credit('X', 1n)]);
    opened()
      .when(command)
      .thenRefused('ACCOUNT_NOT_FOUND', { field: 'entries[1].account_id', resourceId: 'X' });
  });

  test('refuses an entry in another currency than its account has', () => {
    const command = journal([debit('A', 1n, 'USD'), credit('B', 1n, 'USD')]);
    opened()
      .when(command)
      .thenRefused('CURRENCY_MISMATCH', { field: 'entries[0].amount.currency', resourceId: 'A' });
  });

  test('breaks rather than posts entries that do not balance', () => {
    expect(() => opened().when(journal([debit('E', 2n), credit('B', 1n)]))).toThrow('sum to zero');
    const usd = [debit('U', 2n, 'USD'), credit('V', 1n, 'USD')];
    const both = [debit('E', 1n), credit('B', 1n), ...usd];
    const spec = opened(open('U', 'EQUITY', { currency: 'USD' }), open('V', 'EQUITY', { currency: 'USD' }));
    expect(() => spec.when(journal(both))).toThrow('sum to zero');
    expect(() => opened().when(journal([debit('E', 0n), credit('B', 0n)]))).toThrow('more than nothing');
  });

  test('judges funds once per account, after all its entries', () => {
    const through = journal([debit('A', 5n), credit('B', 5n), debit('E', 5n), credit('A', 5n)]);
    expect(opened().when(through).after.money('A').posted).toBe(0n);
    const short = journal([debit('A', 5n), credit('B', 5n), debit('E', 4n), credit('A', 4n)]);
    opened().when(short).thenDeclined('INSUFFICIENT_FUNDS', 'A');
  });

  test('does not judge an account below zero that it does not lower', () => {
    const below = opened(
      update('A', { overdraftLimit: 9n }),
      withdraw('A', 9n),
      update('A', { overdraftLimit: 0n }),
    );
    const raise = journal([debit('A', 5n), credit('A', 6n), debit('E', 1n)]);
    expect(below.when(raise).after.money('A').available).toBe(-8n);
    const level = journal([debit('A', 5n), credit('A', 5n)]);
    expect(below.when(level).thenPosted().kind).toBe('JOURNAL');
    const lower = journal([debit('A', 5n), credit('A', 4n), credit('E', 1n)]);
    below.when(lower).thenDeclined('INSUFFICIENT_FUNDS', 'A');
  });

  test('looks at entries, not at their sum, for frozen accounts', () => {
    const level = journal([credit('A', 5n), debit('A', 5n)]);
    opened(freeze('A')).when(level).thenDeclined('ACCOUNT_FROZEN', 'A');
  });

  test('lets a freeze of debits take credits', () => {
    const command = journal([debit('E', 1n), credit('A', 1n)]);
    expect(opened(freeze('A')).when(command).thenPosted().kind).toBe('JOURNAL');
    opened(freeze('A', { scope: 'ALL' }))
      .when(command)
      .thenDeclined('ACCOUNT_FROZEN', 'A');
  });
});

describe('the order of declines', () => {
  const move = journal([credit('A', 1n), debit('B', 1n), debit('C', 1n), credit('E', 1n)]);

  test('looks for closed over all accounts before frozen, and for frozen before funds', () => {
    opened(close('E'), freeze('B')).when(move).thenDeclined('ACCOUNT_CLOSED', 'E');
    opened(freeze('A', { scope: 'ALL' }))
      .when(move)
      .thenDeclined('ACCOUNT_FROZEN', 'A');
    opened(freeze('C')).when(move).thenDeclined('ACCOUNT_FROZEN', 'C');
    opened().when(move).thenDeclined('INSUFFICIENT_FUNDS', 'B');
    opened(deposit('B', 1n)).when(move).thenDeclined('INSUFFICIENT_FUNDS', 'C');
  });

  test('takes debited accounts before credited ones, then entry order', () => {
    opened(close('A'), close('B'), close('C')).when(move).thenDeclined('ACCOUNT_CLOSED', 'B');
    opened(close('A'), close('C')).when(move).thenDeclined('ACCOUNT_CLOSED', 'C');
    opened(close('A'), close('E')).when(move).thenDeclined('ACCOUNT_CLOSED', 'A');
    const all = { scope: 'ALL' } as const;
    opened(freeze('A', all), freeze('C', all)).when(move).thenDeclined('ACCOUNT_FROZEN', 'C');
  });
});

describe('force', () => {
  const forced = { force: true };

  test('skips funds and is recorded', () => {
    const outcome = opened().when(journal([debit('A', 5n), credit('B', 5n)], forced));
    expect(outcome.thenPosted().forced).toBe(true);
    expect(outcome.after.money('A').available).toBe(-5n);
  });

  test('skips freezes', () => {
    const spec = opened(freeze('A'), freeze('B', { scope: 'ALL' }));
    expect(spec.when(journal([debit('A', 5n), credit('B', 5n)], forced)).thenPosted().forced).toBe(true);
  });

  test('never skips closed, and a decline records it too', () => {
    const command = journal([debit('A', 5n), credit('B', 5n)], forced);
    expect(opened(close('B')).when(command).thenDeclined('ACCOUNT_CLOSED', 'B').forced).toBe(true);
  });
});

describe('overflow', () => {
  const many = (n: number) => Array.from({ length: n }, () => deposit('A', MOST));

  test('refuses credits beyond 64 bits', () => {
    const spec = opened(...many(9));
    const left = INT64_MAX - 9n * MOST;
    spec.when(deposit('A', left + 1n)).thenRefused('BALANCE_OVERFLOW', { resourceId: '@settlement:EUR' });
    expect(spec.when(deposit('A', left)).after.money('A').posted).toBe(INT64_MAX);
  });

  test('refuses what takes available beyond 64 bits', () => {
    const spec = opened(update('A', { overdraftLimit: INT64_MAX - 5n }));
    spec.when(deposit('A', 6n)).thenRefused('BALANCE_OVERFLOW', { resourceId: 'A' });
    expect(spec.when(deposit('A', 5n)).after.money('A').available).toBe(INT64_MAX);
  });

  test('refuses debits beyond 64 bits on an account without a floor', () => {
    const round = journal([debit('E', MOST), credit('B', MOST)]);
    const spec = opened(...Array.from({ length: 9 }, (_, i) => ({ ...round, requestId: `round${i}` })));
    spec.when(round).thenRefused('BALANCE_OVERFLOW', { resourceId: 'E' });
  });

  test('comes before declines', () => {
    const spec = opened(...many(9), close('C'));
    const entries = [debit('C', MOST), credit('A', MOST)];
    spec.when(journal(entries)).thenRefused('BALANCE_OVERFLOW');
  });

  test('is seen in a version between two entries, since every version is shown', () => {
    const spec = opened(update('A', { overdraftLimit: INT64_MAX - 5n }));
    spec.when(journal([credit('A', 6n), debit('A', 6n)])).thenRefused('BALANCE_OVERFLOW');
  });

  test('bounds the principal of a journal over many accounts', () => {
    const ids = Array.from({ length: 10 }, (_, i) => `E${i}`);
    const spec = given(ledger, ...[...ids, 'F0', 'F1'].map((id) => open(id, 'EQUITY')));
    const entries = [
      ...ids.map((id) => debit(id, MOST)),
      ...ids.map((_, i) => credit(i < 5 ? 'F0' : 'F1', MOST)),
    ];
    spec.when(journal(entries)).thenRefused('BALANCE_OVERFLOW', { field: 'entries' });
  });
});

test('entries are listed as they were intended when declined', () => {
  const event = opened()
    .when(journal([debit('A', 1n), credit('B', 1n)]))
    .thenDeclined('INSUFFICIENT_FUNDS', 'A');
  expect(brief(event.transactions[0]?.entries ?? [])).toEqual(['A -1', 'B +1']);
});
