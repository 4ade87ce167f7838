/** Reads of one ledger, account, balance or transaction. */
import { expect, test } from '@jest/globals';
import { toJson } from '@bufbuild/protobuf';
import { AccountSchema, BalanceSchema } from '../../../../gen/quittance/common/v1/account_pb.js';
import { LedgerSchema, TransactionSchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { emptyCheckpoint } from '../../view.js';
import { expectMessage, type FreshView } from './reading.js';
import { accountListing, entryListing, statementQuery, transactionListing } from './listings.js';
import { naive, scenario } from './logs.js';
import { ACCOUNTS, LEDGERS } from './scenario.js';
import type { NaiveHistory } from './naive-history.js';

export function readsOfOneThing(freshView: FreshView): void {
  test('a view that has seen nothing has nothing and the empty checkpoint', async () => {
    const view = await freshView();
    const nothing = { value: undefined, asOf: emptyCheckpoint(0) };
    expect(await view.checkpoint(0)).toEqual(emptyCheckpoint(0));
    expect(await view.ledger(0, 'main')).toEqual(nothing);
    expect(await view.account(0, 'main', 'alice')).toEqual(nothing);
    expect(await view.balanceAtPosition(0, 'main', 'alice', 9n)).toEqual(nothing);
    expect(await view.transactions(transactionListing('main'))).toEqual({ ...nothing, value: [] });
    expect(await view.statement(statementQuery('main', 'alice'))).toEqual(nothing);
    expect(await view.rows({ ledgerId: null, afterKey: null, limit: 10 })).toEqual([]);
  });

  test('after every event the view is exactly the history up to it', async () => {
    const view = await freshView();
    const fixture = scenario(1, 120);
    for (const { position, event } of fixture.events) {
      await view.apply(fixture.batch(position, position));
      const history = naive(fixture.events, position);
      expect(await view.checkpoint(0)).toEqual({
        partition: 0,
        offset: position,
        ...fixture.point(position),
      });
      const ledgerId = event.ledgerId === '' ? 'main' : event.ledgerId;
      const accounts = await view.accounts(accountListing(ledgerId));
      expect(accounts.asOf.position).toBe(position);
      expect(accounts.value.map(({ account }) => toJson(AccountSchema, account))).toEqual(
        history.accounts(accountListing(ledgerId)).map((account) => toJson(AccountSchema, account)),
      );
      const transactions = await view.transactions(transactionListing(ledgerId));
      expect(transactions.value.map((made) => toJson(TransactionSchema, made))).toEqual(
        history.allTransactions(ledgerId).map((made) => toJson(TransactionSchema, made)),
      );
    }
  });

  test('a ledger, an account and a transaction are found by id, in their own ledger only', async () => {
    const view = await freshView();
    const fixture = scenario(2, 150);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    const asOf = await view.checkpoint(0);
    for (const ledger of history.ledgers()) {
      const { ledgerId } = ledger;
      expectMessage(LedgerSchema, await view.ledger(0, ledgerId), { value: ledger, asOf });
      for (const accountId of [...ACCOUNTS, '@settlement:EUR']) {
        const value = history.account(ledgerId, accountId);
        expectMessage(AccountSchema, await view.account(0, ledgerId, accountId), { value, asOf });
      }
      for (const value of history.allTransactions(ledgerId)) {
        const read = await view.transaction(0, ledgerId, value.transactionId);
        expectMessage(TransactionSchema, read, { value, asOf });
        const elsewhere = LEDGERS.find((other) => other !== ledgerId) ?? '';
        expect((await view.transaction(0, elsewhere, value.transactionId)).value).toBeUndefined();
      }
    }
    expect(await view.ledger(0, 'mai')).toEqual({ value: undefined, asOf });
    expect(await view.account(0, 'main', 'alic')).toEqual({ value: undefined, asOf });
  });

  test('a balance at any past position is what the account was then', async () => {
    const view = await freshView();
    const fixture = scenario(3, 100);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    for (const accountId of ['alice', 'Bob', '@settlement:USD']) {
      for (let position = 0n; position < fixture.events.length; position++) {
        const { value } = await view.balanceAtPosition(0, 'main', accountId, position);
        const expected = history.balanceAt('main', accountId, position);
        expectMessage(BalanceSchema, { value }, { value: expected });
      }
    }
  });

  test('a balance at an effective time sums what is dated so, and has no held, available or version', async () => {
    const view = await freshView();
    const fixture = scenario(4, 120);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    for (const [accountId, time] of timesOfEntries(history)) {
      for (const at of [time - 1n, time]) {
        const { value } = await view.balanceAtEffectiveTime(0, 'main', accountId, at);
        const posted = history.postedAtEffective('main', accountId, at);
        expect(value?.posted).toBe(posted);
        expect([value?.held, value?.available, value?.version]).toEqual([undefined, undefined, 0n]);
        expect((value?.credits ?? 0n) - (value?.debits ?? 0n)).toBe(posted);
        const statement = { ...statementQuery('main', accountId), range: { from: null, to: at + 1n } };
        expect((await view.statement(statement)).value?.closing).toBe(posted);
      }
    }
    expect((await view.balanceAtEffectiveTime(0, 'main', 'nobody', fixture.now)).value).toBeUndefined();
  });
}

export function balancesBeforeTheFirstEntry(freshView: FreshView): void {
  test('before its first dated entry an account has 0, as its statement says, also before it was opened', async () => {
    const view = await freshView();
    const fixture = scenario(4, 120);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    for (const accountId of ['alice', 'Bob', '@settlement:USD']) {
      const { value } = await view.balanceAtEffectiveTime(0, 'main', accountId, 0n);
      const position = history.openedAt('main', accountId);
      const nothing = { accountId, posted: 0n, credits: 0n, debits: 0n, version: 0n, position };
      expect(value).toMatchObject(nothing);
      const statement = { ...statementQuery('main', accountId), range: { from: 1n, to: 2n } };
      expect((await view.statement(statement)).value).toMatchObject({ opening: 0n, closing: 0n });
      // What was known at a position is another question: there the account did not exist yet.
      const before = await view.balanceAtPosition(0, 'main', accountId, position - 1n);
      expect(before.value).toBeUndefined();
    }
    expect((await view.balanceAtEffectiveTime(0, 'main', 'nobody', 0n)).value).toBeUndefined();
  });
}

function timesOfEntries(history: NaiveHistory): [accountId: string, time: bigint][] {
  return history.entries(entryListing('main')).map((row) => [row.entry.accountId, row.effectiveTime]);
}
