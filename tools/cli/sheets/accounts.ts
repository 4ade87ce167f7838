/** How accounts and balances are shown. */
import {
  type Account,
  AccountSchema,
  AccountStatus,
  AccountType,
  type Balance,
  BalanceSchema,
  FreezeScope,
  LimitPeriod,
} from '../../../gen/quittance/common/v1/account_pb.js';
import { wordOf } from '../flags.js';
import { decimalOf } from '../money.js';
import { type Column, jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';
import { metadataText } from './texts.js';

/** A balance and nothing of its account: what watches and past balances answer. */
export const BALANCES: Sheet<Balance> = {
  columns: [
    { name: 'account', of: (balance) => balance.accountId },
    ...moneyColumns<Balance>((balance) => balance),
    { name: 'currency', of: (balance) => balance.currency },
    { name: 'version', of: (balance) => String(balance.version), isRight: true },
    { name: 'position', of: (balance) => String(balance.position), isRight: true },
    ...sumColumns<Balance>((balance) => balance),
  ],
  id: (balance) => balance.accountId,
  json: (balance) => jsonOf(BalanceSchema, balance),
};

export const ACCOUNTS: Sheet<Account> = {
  columns: [
    { name: 'account', of: (account) => account.accountId },
    { name: 'type', of: (account) => wordOf(AccountType, account.type) },
    { name: 'status', of: (account) => wordOf(AccountStatus, account.status) },
    ...moneyColumns<Account>((account) => account.balance),
    { name: 'currency', of: (account) => account.currency },
    { name: 'name', of: (account) => account.name },
    { name: 'frozen', of: (account) => wordOf(FreezeScope, account.freezeScope), isWide: true },
    {
      name: 'overdraft',
      of: ({ overdraftLimit, balance }) => decimalOf(overdraftLimit, balance?.exponent ?? 0),
      isRight: true,
      isWide: true,
    },
    ...sumColumns<Account>((account) => account.balance),
    { name: 'version', of: ({ balance }) => String(balance?.version ?? ''), isRight: true, isWide: true },
    { name: 'limits', of: limitsText, isWide: true },
    { name: 'owner', of: (account) => account.ownerReference, isWide: true },
    {
      name: 'opened',
      of: ({ openTime }) => isoOf(openTime),
      brief: ({ openTime }) => briefOf(openTime),
      isWide: true,
    },
    { name: 'metadata', of: (account) => metadataText(account.metadata), isWide: true },
  ],
  id: (account) => account.accountId,
  json: (account) => jsonOf(AccountSchema, account),
};

/**
 * The limits, those of periods with what is used of them and until when: `debit 100.00, day 20.00 of 500.00 until
 * 2026-11-29T23:00:00Z`.
 */
function limitsText({ limits, balance }: Account): string {
  if (limits === undefined || balance === undefined) return '';
  const amount = (minorUnits: bigint) => decimalOf(minorUnits, balance.exponent);
  const parts: string[] = [];
  if (limits.debit > 0n) parts.push(`debit ${amount(limits.debit)}`);
  if (limits.balance > 0n) parts.push(`balance ${amount(limits.balance)}`);
  for (const use of balance.limitUses) {
    const period = wordOf(LimitPeriod, use.period);
    const until = use.endTime === undefined ? '' : ` until ${isoOf(use.endTime)}`;
    if (use.amount > 0n) parts.push(`${period} ${amount(use.usedAmount)} of ${amount(use.amount)}${until}`);
    if (use.count > 0n)
      parts.push(`${period}-count ${String(use.usedCount)} of ${String(use.count)}${until}`);
  }
  return parts.join(', ');
}

/** What may be spent and what is there. */
function moneyColumns<T>(balanceOf: (row: T) => Balance | undefined): Column<T>[] {
  return [
    amountColumn('posted', balanceOf, ({ posted }) => posted),
    amountColumn('held', balanceOf, ({ held }) => held),
    amountColumn('available', balanceOf, ({ available }) => available),
  ];
}

function sumColumns<T>(balanceOf: (row: T) => Balance | undefined): Column<T>[] {
  return [
    wide(amountColumn('credits', balanceOf, ({ credits }) => credits)),
    wide(amountColumn('debits', balanceOf, ({ debits }) => debits)),
  ];
}

function wide<T>(column: Column<T>): Column<T> {
  return { ...column, isWide: true };
}

/** An amount that the balance may not have: a past balance by effective time knows no holds. */
function amountColumn<T>(
  name: string,
  balanceOf: (row: T) => Balance | undefined,
  amountOf: (balance: Balance) => bigint | undefined,
): Column<T> {
  const of = (row: T): string => {
    const balance = balanceOf(row);
    const amount = balance === undefined ? undefined : amountOf(balance);
    return balance === undefined || amount === undefined ? '' : decimalOf(amount, balance.exponent);
  };
  return { name, of, isRight: true };
}
