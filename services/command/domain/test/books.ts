/** The second opinion: books kept from entries and hold changes alone, against which carried states are held. */
import { expect } from '@jest/globals';
import type { AccountState } from '../account.js';
import type { DomainEvent, PeriodClosed, TransactionEvent, TransactionPosted } from '../event.js';
import type { Fee, HoldChange, PostedEntry, TransactionState } from '../transaction.js';

type Sums = Pick<AccountState, 'credits' | 'debits' | 'held' | 'version'>;

const MAX = 9_223_372_036_854_775_807n;

/** Throws (through expect) as soon as an event says what entries and hold changes do not bear out. */
export class Books {
  readonly accounts = new Map<string, AccountState>();
  readonly transactions = new Map<string, TransactionState>();
  /** Sum of hold changes by payment. */
  private readonly holds = new Map<string, bigint>();

  private readonly postings: TransactionPosted[] = [];
  private closedThrough = -1n;

  record(event: DomainEvent): void {
    switch (event.type) {
      case 'LedgerCreated':
        return;
      case 'PeriodClosed':
        expect(event.closedThrough).toBeGreaterThan(this.closedThrough);
        this.checkTrialBalance(event);
        this.closedThrough = event.closedThrough;
        return;
      case 'PeriodReopened':
        expect(event.closedThrough ?? -1n).toBeLessThan(this.closedThrough);
        this.closedThrough = event.closedThrough ?? -1n;
        return;
      case 'TransactionPosted':
        expect(event.effectiveTime).toBeGreaterThan(this.closedThrough);
        this.postings.push(event);
        break;
      default:
    }
    if ('account' in event) this.recordAccount(event.account.state);
    else this.recordTransaction(event);
    this.checkBooks();
  }

  /** The totals of a close are what all entries come to that are dated in it, and debits equal credits. */
  private checkTrialBalance({ closedThrough, totals }: PeriodClosed): void {
    const sums = new Map<string, [debits: bigint, credits: bigint]>();
    for (const { effectiveTime, entries } of this.postings) {
      if (effectiveTime > closedThrough) continue;
      for (const { accountId, direction, amount } of entries) {
        const { currency, type } = this.account(accountId);
        const [debits, credits] = sums.get(`${currency} ${type}`) ?? [0n, 0n];
        sums.set(
          `${currency} ${type}`,
          direction === 'DEBIT' ? [debits + amount, credits] : [debits, credits + amount],
        );
      }
    }
    const stated = totals.map(
      ({ currency, type, debits, credits }) => [`${currency} ${type}`, [debits, credits]] as const,
    );
    expect(new Map(stated)).toEqual(sums);
    const nets = new Map<string, bigint>();
    for (const { currency, debits, credits } of totals) {
      nets.set(currency, (nets.get(currency) ?? 0n) + credits - debits);
    }
    expect([...nets.values()].every((net) => net === 0n)).toBe(true);
  }

  private recordAccount(state: AccountState): void {
    const before = this.accounts.get(state.accountId);
    const { credits, debits, held, version } = before ?? { credits: 0n, debits: 0n, held: 0n, version: 0n };
    expect(state).toMatchObject({ credits, debits, held, version: version + 1n });
    this.accounts.set(state.accountId, state);
  }

  private recordTransaction(event: TransactionEvent): void {
    const holdChanges = 'holdChanges' in event ? event.holdChanges : [];
    const entries = 'entries' in event ? event.entries : [];
    const sums = new Map<string, Sums>();
    for (const change of holdChanges)
      sums.set(change.accountId, this.applyHold(change, this.sums(sums, change)));
    for (const entry of entries) sums.set(entry.accountId, applyEntry(entry, this.sums(sums, entry)));
    checkBalanced(entries);
    if (event.type === 'TransactionDeclined') this.checkUnmoved(event.accounts);
    else {
      expect(event.accounts.map(({ accountId }) => accountId)).toEqual([...sums.keys()]);
      this.checkRules(event, entries);
    }
    for (const after of event.accounts) {
      const before = this.account(after.accountId);
      const limits = this.limitsAfter(event, before, after);
      expect(after).toEqual({ ...before, ...sums.get(after.accountId), limits });
      this.accounts.set(after.accountId, after);
    }
    this.recordHolds(event, holdChanges);
    for (const after of event.transactions) {
      const version = this.transactions.get(after.transactionId)?.version ?? 0n;
      expect(after.version).toBe(version + 1n);
      this.transactions.set(after.transactionId, after);
    }
  }

  /**
   * Counted anew: what a transaction takes from available is a debit, unless it gives back what was moved before; a period goes on to
   * its end. Judged anew: no limit is exceeded unforced, but by what was lowered below what is used, which no debit passes.
   */
  private limitsAfter(event: TransactionEvent, before: AccountState, after: AccountState) {
    const debit = availableOf(before) - availableOf(after);
    const isUndoing = 'kind' in event && (event.kind === 'REFUND' || event.kind === 'REVERSAL');
    if (before.limits === null || event.type === 'TransactionDeclined' || isUndoing) return before.limits;
    const { limits } = before;
    const isForced = 'forced' in event && event.forced;
    const isCapture = 'kind' in event && event.kind === 'CAPTURE';
    const gained = after.credits - after.debits - before.credits + before.debits;
    if (!isForced && !isCapture && gained > 0n && limits.balance !== 0n)
      expect(after.credits - after.debits).toBeLessThanOrEqual(limits.balance);
    if (debit <= 0n) return limits;
    if (!isForced && limits.debit !== 0n) expect(debit).toBeLessThanOrEqual(limits.debit);
    const windows = limits.windows.map((window, index) => {
      const { start = 0n, end = 0n } = after.limits?.windows[index] ?? {};
      const goesOn = end === window.end;
      const usedAmount = goesOn ? least(window.usedAmount + debit, MAX) : debit;
      const usedCount = goesOn ? window.usedCount + 1n : 1n;
      if (!goesOn) expect(start).toBeGreaterThanOrEqual(window.start);
      if (!isForced && window.amount !== 0n) expect(usedAmount).toBeLessThanOrEqual(window.amount);
      if (!isForced && window.count !== 0n) expect(usedCount).toBeLessThanOrEqual(window.count);
      return { ...window, start, end, usedAmount, usedCount };
    });
    return { ...limits, windows };
  }

  private applyHold({ delta, heldAfter, version }: HoldChange, before: Sums): Sums {
    const after = { ...before, held: before.held + delta, version: before.version + 1n };
    expect({ heldAfter, version }).toEqual({ heldAfter: after.held, version: after.version });
    return after;
  }

  private sums(sums: ReadonlyMap<string, Sums>, { accountId }: { accountId: string }): Sums {
    const { credits, debits, held, version } = sums.get(accountId) ?? this.account(accountId);
    return { credits, debits, held, version };
  }

  private account(accountId: string): AccountState {
    const account = this.accounts.get(accountId);
    if (account === undefined) throw new Error(`account ${accountId} was never opened`);
    return account;
  }

  private checkUnmoved(accounts: readonly AccountState[]): void {
    for (const state of accounts) expect(state).toEqual(this.account(state.accountId));
  }

  /** No closed account moves; unforced, no frozen one does, and none that is lowered ends below zero. */
  private checkRules(event: TransactionEvent, entries: readonly PostedEntry[]): void {
    for (const { accountId, direction } of entries) {
      const { status, freezeScope } = this.account(accountId);
      expect(status).not.toBe('CLOSED');
      if ('forced' in event && event.forced) continue;
      if (status === 'FROZEN') expect([direction, freezeScope]).toEqual(['CREDIT', 'DEBITS']);
    }
    if ('forced' in event && event.forced) return;
    for (const after of event.accounts) {
      if (after.type !== 'LIABILITY') continue;
      const left = availableOf(after);
      if (left < availableOf(this.account(after.accountId))) expect(left).toBeGreaterThanOrEqual(0n);
    }
  }

  /** A hold is changed by its payment only, never below zero, and not after it has been resolved. */
  private recordHolds(event: TransactionEvent, changes: readonly HoldChange[]): void {
    for (const { delta } of changes) {
      const paymentId = event.transactions[0]?.paymentId ?? '';
      const before = this.holds.get(paymentId);
      if (event.type === 'PaymentAuthorized') expect(before).toBeUndefined();
      else expect(before).toBeGreaterThan(0n);
      const after = (before ?? 0n) + delta;
      expect(after).toBeGreaterThanOrEqual(0n);
      this.holds.set(paymentId, after);
    }
  }

  private checkBooks(): void {
    const posted = new Map<string, bigint>();
    const held = new Map<string, bigint>();
    for (const [paymentId, amount] of this.holds) {
      const payer = this.transactions.get(paymentId)?.payment?.payerAccountId ?? '';
      held.set(payer, (held.get(payer) ?? 0n) + amount);
    }
    for (const account of this.accounts.values()) {
      const { accountId, currency, credits, debits } = account;
      posted.set(currency, (posted.get(currency) ?? 0n) + credits - debits);
      must(account.held === (held.get(accountId) ?? 0n), `${accountId} holds the sum of its open holds`);
      for (const total of [credits, debits, account.held]) {
        must(total >= 0n && total <= MAX, `${accountId} has totals in int64`);
      }
      const left = account.type === 'LIABILITY' ? availableOf(account) : 0n;
      must(left <= MAX && left >= -MAX - 1n, `${accountId} has an available in int64`);
    }
    for (const total of posted.values()) must(total === 0n, 'all accounts sum to zero');
    this.checkPayments();
  }

  /** The totals of every payment, counted anew from its transactions. */
  private checkPayments(): void {
    const chains = new Map<string, TransactionState[]>();
    for (const transaction of this.transactions.values()) {
      const { paymentId } = transaction;
      if (paymentId !== null) chains.set(paymentId, [...(chains.get(paymentId) ?? []), transaction]);
    }
    for (const [paymentId, chain] of chains) {
      const root = this.transactions.get(paymentId);
      if (root?.payment === undefined || root.payment === null)
        throw new Error(`payment ${paymentId} has no root`);
      if (root.status === 'DECLINED') continue;
      const { payment, status } = root;
      const captures = chain.filter(
        ({ kind, status: s }) => s === 'POSTED' && (kind === 'CAPTURE' || kind === 'PAYMENT'),
      );
      const refunds = chain.filter(
        (t) => t.status === 'POSTED' && t.kind === 'REFUND' && t.reversedBy === null,
      );
      const standing = captures.filter(({ reversedBy }) => reversedBy === null);
      must(payment.captured === sum(captures), `${paymentId} captured its captures`);
      must(payment.reversed === sum(captures) - sum(standing), `${paymentId} reversed its reversed captures`);
      must(payment.refunded === sum(refunds), `${paymentId} refunded its standing refunds`);
      must(payment.refunded <= payment.captured - payment.reversed, `${paymentId} refunded what it could`);
      const resolved = payment.captured + payment.voided + payment.expired;
      const held = this.holds.get(paymentId) ?? 0n;
      must(payment.authorized - resolved === held, `${paymentId} holds what is not resolved`);
      must((status === 'AUTHORIZED') === held > 0n, `${paymentId} is ${status}`);
      for (const total of payment.fees) {
        must(total.charged === feeSum(standing, total), `${paymentId} charged the fees of standing captures`);
        must(total.refunded === feeSum(refunds, total), `${paymentId} returned the fees of standing refunds`);
        must(total.refunded <= total.charged, `${paymentId} returned what it charged at most`);
      }
    }
  }
}

/** An assertion that costs nothing while it holds: there are millions. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

function availableOf({ credits, debits, held, overdraftLimit }: AccountState): bigint {
  return credits - debits - held + overdraftLimit;
}

function applyEntry({ direction, amount, version, postedAfter }: PostedEntry, before: Sums): Sums {
  const side = direction === 'CREDIT' ? 'credits' : 'debits';
  const after = { ...before, [side]: before[side] + amount, version: before.version + 1n };
  expect({ version, postedAfter }).toEqual({
    version: after.version,
    postedAfter: after.credits - after.debits,
  });
  return after;
}

function checkBalanced(entries: readonly PostedEntry[]): void {
  const sums = new Map<string, bigint>();
  for (const { currency, direction, amount } of entries) {
    expect(amount).toBeGreaterThan(0n);
    sums.set(currency, (sums.get(currency) ?? 0n) + (direction === 'CREDIT' ? amount : -amount));
  }
  for (const total of sums.values()) expect(total).toBe(0n);
}

function sum(transactions: readonly TransactionState[]): bigint {
  return transactions.reduce((total, { amount }) => total + amount, 0n);
}

function feeSum(transactions: readonly TransactionState[], of: Omit<Fee, 'amount'>): bigint {
  const fees = transactions.flatMap((transaction) => transaction.fees);
  const same = fees.filter((fee) => fee.paidBy === of.paidBy && fee.toAccountId === of.toAccountId);
  return same.reduce((total, { amount }) => total + amount, 0n);
}
