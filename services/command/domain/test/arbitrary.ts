/** Random commands over a few accounts. A step is plain numbers; ids are picked from what has happened so far. */
import fc from 'fast-check';
import type { RequestedLimits } from '../account-limits.js';
import type { Amount, Command, MovementCommand } from '../command.js';
import { INT64_MAX } from '../limits.js';
import type { Direction, Fee } from '../transaction.js';
import * as make from './builders.js';

export interface Step {
  readonly what: (typeof WHAT)[number];
  /** Picks accounts and transactions. */
  readonly picks: readonly [number, number, number];
  readonly amounts: readonly [bigint, bigint];
  readonly flag: boolean;
  readonly fees: readonly { readonly payer: boolean; readonly to: number; readonly amount: bigint }[];
  /** How long after the step before, microseconds. */
  readonly wait_us: bigint;
}

const MOVEMENTS = [
  'deposit',
  'deposit',
  'withdraw',
  'pay',
  'pay',
  'authorize',
  'authorize',
  'adjust',
  'adjust',
  'void',
  'capture',
  'capture',
  'captureMore',
  'captureAll',
  'refund',
  'refund',
  'refundAll',
  'journal',
  'exchange',
  'reverse',
  'reverse',
] as const;
const WHAT = [...MOVEMENTS, 'limit', 'update', 'freeze', 'unfreeze', 'close', 'expire', 'annotate'] as const;

/** How long before now a period ends that is closed, microseconds; below zero it is in the future. */
const PERIOD_ENDS = [make.DAY_US, 3n * make.DAY_US, 500n, 0n, -1n];

/** Accounts opened first; four in EUR, two in USD and two in an asset besides the settlement accounts. */
export const OPENINGS: readonly Command[] = [
  make.createLedger(),
  make.open('A', 'LIABILITY', { overdraftLimit: 50n }),
  make.open('B'),
  make.open('L', 'LIABILITY', { overdraftLimit: 500n, limits: someLimits(40n, 5n, true) }),
  make.open('C', 'ASSET'),
  make.open('F', 'REVENUE'),
  make.open('U', 'LIABILITY', { currency: 'USD', overdraftLimit: 50n }),
  make.open('V', 'EQUITY', { currency: 'USD' }),
  make.registerAsset(),
  make.openInAsset('W'),
  make.openInAsset('X', 'EQUITY'),
];
const ACCOUNTS = ['A', 'B', 'L', 'C', 'F', 'A', 'L', 'B', 'U', 'V', 'W', '@settlement:EUR', 'none'] as const;

const small = fc.bigInt(1n, 60n);
const huge = fc.constantFrom(make.MOST, make.MOST - 1n, 1n, make.MOST / 2n);

/** Amounts that people pay, or amounts that make totals overflow. */
export function steps(scale: 'small' | 'huge', maxLength: number): fc.Arbitrary<readonly Step[]> {
  const amount = scale === 'small' ? small : huge;
  const pick = fc.nat(999);
  const fee = fc.record({
    payer: fc.boolean(),
    to: pick,
    amount: scale === 'small' ? fc.bigInt(1n, 5n) : amount,
  });
  const step = fc.record({
    what: fc.constantFrom(...WHAT),
    picks: fc.tuple(pick, pick, pick),
    amounts: fc.tuple(amount, amount),
    flag: fc.boolean(),
    fees: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(fee, { maxLength: 2 })),
    wait_us: fc.constantFrom(3n, 3n, 3n, make.DAY_US, 4n * make.DAY_US),
  });
  return fc.array(step, { minLength: 5, maxLength, size: 'max' });
}

/** Limits about an amount; a count of 0n is none. */
function someLimits(amount: bigint, count: bigint, isAll: boolean): RequestedLimits {
  const day = { period: 'DAY', amount: amount + 20n, count } as const;
  if (!isAll) return make.limits({ balance: 3n * amount, windows: [day] });
  const month = { period: 'MONTH', amount: 5n * amount, count: 0n } as const;
  return make.limits({ debit: amount, timeZone: 'Europe/Prague', windows: [day, month] });
}

/** What has happened: ids to pick from. */
export interface History {
  readonly transactions: readonly string[];
  readonly payments: readonly string[];
}

/** The command that a step stands for. Null if it would break a rule of the door. */
export function commandOf(step: Step, history: History, now: bigint): Command | null {
  const [first] = step.picks;
  const account = pick(ACCOUNTS, first);
  const own = account.startsWith('@') ? 'A' : account;
  switch (step.what) {
    case 'limit':
      return make.update('L', { limits: someLimits(step.amounts[0], step.amounts[1] % 7n, step.flag) });
    case 'update':
      return make.update(own, { overdraftLimit: step.flag ? step.amounts[0] : INT64_MAX });
    case 'freeze':
      return make.freeze(own, { scope: step.flag ? 'ALL' : 'DEBITS' });
    case 'unfreeze':
      return step.picks[2] % 2 === 0 ? make.unfreeze(own) : periodOf(step, now);
    case 'close':
      return make.close(own);
    case 'expire':
      return make.expire(pick(history.payments, first));
    case 'annotate':
      return step.picks[2] % 4 === 0
        ? make.annotate(pick(history.transactions, first), { description: 'x' })
        : periodOf(step, now);
    default:
      return movementOf(step, history, now);
  }
}

/** Closes a period, or reopens one. */
function periodOf({ picks: [first, second], flag }: Step, now: bigint): Command {
  return second % 2 === 0
    ? make.reopenPeriod(flag ? null : now - make.DAY_US)
    : make.closePeriod(now - (PERIOD_ENDS[first % PERIOD_ENDS.length] ?? 0n));
}

/** The command of a step that moves money; null for the others. */
export function movementOf(step: Step, history: History, now: bigint): MovementCommand | null {
  const { picks, amounts, flag } = step;
  const [first, second] = picks;
  const [amount] = amounts;
  const account = pick(ACCOUNTS, first);
  const other = pick(ACCOUNTS, second);
  const payment = pick(history.payments, first);
  const fees = step.fees.map((fee): Fee =>
    make.fee(fee.payer ? 'PAYER' : 'PAYEE', pick(['F', 'F', 'C', 'U'], fee.to), fee.amount),
  );
  const effectiveTime = picks[2] % 5 === 0 ? now - BigInt(first) : null;
  switch (step.what) {
    case 'deposit':
      return make.deposit(account, amount, {
        effectiveTime,
        amount: amountFor(account, amount),
      });
    case 'withdraw':
      return make.withdraw(account, amount, {
        settlementAccountId: flag ? 'C' : null,
        upTo: picks[2] % 3 === 0,
      });
    case 'pay':
      if (account === other) return null;
      return picks[2] % 3 === 0
        ? make.pay(account, other, amount, { fees, upTo: true, effectiveTime })
        : make.pay(account, other, amount, { fees, effectiveTime });
    case 'authorize':
      return account === other ? null : make.authorize(account, other, amount);
    case 'adjust':
      return make.adjust(
        payment,
        flag && picks[2] % 2 === 0 ? null : second % 2 === 0 ? amount : amount / 8n + 1n,
        {
          expireTime: flag ? now + BigInt(1 + (second % 5)) * make.DAY_US : null,
        },
      );
    case 'void':
      return make.voidPayment(payment);
    case 'capture':
      return make.capture(payment, amount, { fees, final: flag });
    case 'captureMore':
      return make.capture(payment, amount / 2n + 1n, { fees });
    case 'captureAll':
      return make.captureAll(payment);
    case 'refund':
      return make.refund(payment, amount / 3n + 1n, {
        fees,
        force: flag && first % 2 === 0,
        fromAccountId: picks[2] % 4 === 0 ? account : null,
        toAccountId: picks[2] % 4 < 2 ? other : null,
      });
    case 'refundAll':
      return make.refundAll(payment, { force: flag });
    case 'journal':
      return journalOf(step);
    case 'exchange':
      return make.journal([
        ...pair('A', 'B', amounts[0], flag, 'EUR'),
        ...(first % 2 === 0
          ? pair('U', 'V', amounts[1], flag, 'USD')
          : pair('W', 'X', amounts[1], flag, 'BTC')),
      ]);
    case 'reverse':
      return make.reverse(pick(history.transactions, first), { force: flag && first % 2 === 0 });
    default:
      return null;
  }
}

function journalOf({ picks, amounts, flag }: Step): MovementCommand {
  const [first, second, third] = picks.map((at) => pick(ACCOUNTS, at));
  const [amount, more] = amounts;
  if (picks[2] % 4 === 0)
    return make.journal([make.credit(second ?? '', amount), make.debit(first ?? '', amount)], { upTo: true });
  const entries = [
    make.debit(first ?? '', amount),
    make.credit(second ?? '', amount),
    make.credit(third ?? '', more),
    make.debit(first ?? '', more),
  ];
  return make.journal(entries, { force: flag });
}

function pair(from: string, to: string, amount: bigint, turned: boolean, currency: string) {
  const [one, two]: readonly Direction[] = turned ? ['CREDIT', 'DEBIT'] : ['DEBIT', 'CREDIT'];
  const entry = (accountId: string, direction: Direction) => ({
    accountId,
    direction,
    amount: currency === 'BTC' ? make.assetMoney(amount) : make.money(amount, currency),
  });
  return [entry(from, one ?? 'DEBIT'), entry(to, two ?? 'CREDIT')];
}

function amountFor(accountId: string, amount: bigint): Amount {
  if (accountId === 'W') return make.assetMoney(amount);
  return make.money(amount, accountId === 'U' || accountId === 'V' ? 'USD' : 'EUR');
}

/** Rather one of the last few: chains are what is interesting. */
function pick(from: readonly string[], at: number): string {
  const last = at % 7 === 0 ? from : from.slice(-10);
  return last[at % Math.max(last.length, 1)] ?? 'none';
}
