/** What an operator can do, as forms: each names the method of the contract that it sends and the fields that it asks for. */
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { AccountCommandService } from '../../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';

export type FieldKind =
  | 'text'
  /** The id of an account, which may be there already. */
  | 'account'
  /** A whole number. */
  | 'count'
  /** A day, to whose end in UTC something goes, or a time. */
  | 'end'
  | 'currency'
  /** A decimal amount with its currency: the contract's Money. */
  | 'money'
  /** A decimal amount in the currency of the field `currency`: the contract's minor units alone. */
  | 'minor units'
  | 'check'
  | 'choice';

export interface ActionField {
  /** As the contract's JSON has it; a field of a field with a point between. */
  readonly name: string;
  readonly label: string;
  readonly kind: FieldKind;
  readonly isRequired?: boolean;
  /** The check that takes its place. */
  readonly unless?: string;
  /** Of a choice: the contract's names and what they are called. */
  readonly choices?: readonly (readonly [string, string])[];
  readonly hint?: string;
  /** The heading below which it stands, shut as long as nothing is typed there. */
  readonly group?: string;
  /** It says how others are to be read, and is not sent. */
  readonly isLocal?: boolean;
}

export interface Action {
  readonly id: string;
  readonly title: string;
  readonly method: DescMethodUnary;
  readonly fields: readonly ActionField[];
  /** Fields that an update mask names where they are no longer what they were. */
  readonly masked?: readonly string[];
}

const account = (name: string, label: string): ActionField => ({
  name,
  label,
  kind: 'account',
  isRequired: true,
});
const newAccount: ActionField = { name: 'accountId', label: 'Account', kind: 'text', isRequired: true };
const amount: ActionField = { name: 'amount', label: 'Amount', kind: 'money', isRequired: true };
const reference: ActionField = {
  name: 'reference',
  label: 'Reference',
  kind: 'text',
  hint: 'your own number, to find it by',
};
const description: ActionField = { name: 'description', label: 'Description', kind: 'text' };
const paymentId: ActionField = { name: 'paymentId', label: 'Payment', kind: 'text', isRequired: true };
const force: ActionField = {
  name: 'force',
  label: 'Force',
  kind: 'check',
  hint: 'moves the money even if the account is frozen or has too little',
};
const between = [
  account('payerAccountId', 'From account'),
  account('payeeAccountId', 'To account'),
  amount,
  reference,
  description,
];
const moved = [account('accountId', 'Account'), amount, reference, description];
const upTo: ActionField = {
  name: 'upTo',
  label: 'As much as there is',
  kind: 'check',
  hint: 'the amount is then the most: the answer says how much it was',
};
const all: ActionField = {
  name: 'all',
  label: 'All that is left',
  kind: 'check',
  hint: 'in place of an amount',
};
const share: ActionField = {
  name: 'amount',
  label: 'Amount',
  kind: 'money',
  isRequired: true,
  unless: 'all',
};
const withUpTo = (fields: readonly ActionField[]) =>
  fields.flatMap((field) => (field === amount ? [amount, upTo] : [field]));

const profile: readonly ActionField[] = [
  { name: 'overdraftLimit', label: 'Overdraft limit', kind: 'minor units' },
  { name: 'name', label: 'Name', kind: 'text' },
  { name: 'ownerReference', label: 'Owner', kind: 'text' },
];
const group = 'Limits';
const period = (name: string): readonly ActionField[] => [
  { name: `limits.${name}.amount`, label: `Debits of a ${name}`, kind: 'minor units', group },
  { name: `limits.${name}.count`, label: `Number of debits of a ${name}`, kind: 'count', group },
];
const limits: readonly ActionField[] = [
  { name: 'limits.debit', label: 'Largest debit', kind: 'minor units', group },
  { name: 'limits.balance', label: 'Largest balance', kind: 'minor units', group },
  ...period('day'),
  ...period('week'),
  ...period('month'),
  {
    name: 'limits.timeZone',
    label: 'Zone of days, weeks and months',
    kind: 'text',
    hint: 'such as Europe/Prague; empty: UTC',
    group,
  },
];

const { method: ofAccounts } = AccountCommandService;
const { method: ofTransactions } = TransactionCommandService;

export const ACTIONS: readonly Action[] = [
  { id: 'pay', title: 'Pay', method: ofTransactions.submitPayment, fields: withUpTo(between) },
  { id: 'deposit', title: 'Deposit', method: ofTransactions.deposit, fields: moved },
  { id: 'withdraw', title: 'Withdraw', method: ofTransactions.withdraw, fields: withUpTo(moved) },
  { id: 'authorize', title: 'Authorize a payment', method: ofTransactions.authorizePayment, fields: between },
  {
    id: 'capture',
    title: 'Capture',
    method: ofTransactions.capturePayment,
    fields: [
      paymentId,
      share,
      all,
      { name: 'final', label: 'Final', kind: 'check', hint: 'releases what remains of the hold' },
      reference,
    ],
  },
  {
    id: 'adjust',
    title: 'Adjust an authorization',
    method: ofTransactions.adjustAuthorization,
    fields: [paymentId, { ...amount, label: 'Amount in all', hint: 'what is held, with what was captured' }],
  },
  { id: 'void', title: 'Void', method: ofTransactions.voidPayment, fields: [paymentId] },
  {
    id: 'refund',
    title: 'Refund',
    method: ofTransactions.refundPayment,
    fields: [paymentId, share, all, force, reference],
  },
  {
    id: 'reverse',
    title: 'Reverse',
    method: ofTransactions.reverseTransaction,
    fields: [
      { name: 'transactionId', label: 'Transaction', kind: 'text', isRequired: true },
      force,
      reference,
    ],
  },
  {
    id: 'open-account',
    title: 'Open an account',
    method: ofAccounts.openAccount,
    fields: [
      newAccount,
      { name: 'currency', label: 'Currency', kind: 'currency', isRequired: true },
      {
        name: 'type',
        label: 'Type',
        kind: 'choice',
        choices: [
          ['ACCOUNT_TYPE_LIABILITY', 'liability: of a customer or a merchant'],
          ['ACCOUNT_TYPE_ASSET', 'asset'],
          ['ACCOUNT_TYPE_REVENUE', 'revenue'],
          ['ACCOUNT_TYPE_EXPENSE', 'expense'],
          ['ACCOUNT_TYPE_EQUITY', 'equity'],
        ],
      },
      ...profile,
      ...limits,
    ],
  },
  {
    id: 'update-account',
    title: 'Change an account',
    method: ofAccounts.updateAccount,
    masked: ['name', 'ownerReference', 'overdraftLimit', 'limits'],
    fields: [
      account('accountId', 'Account'),
      {
        name: 'currency',
        label: 'Currency',
        kind: 'currency',
        isLocal: true,
        hint: 'of the account: it says how many digits amounts have',
      },
      ...profile,
      ...limits,
    ],
  },
  {
    id: 'freeze',
    title: 'Freeze an account',
    method: ofAccounts.freezeAccount,
    fields: [
      account('accountId', 'Account'),
      {
        name: 'scope',
        label: 'What to stop',
        kind: 'choice',
        choices: [
          ['FREEZE_SCOPE_DEBITS', 'debits: nothing goes out'],
          ['FREEZE_SCOPE_ALL', 'all: nothing goes out or in'],
        ],
      },
    ],
  },
  {
    id: 'unfreeze',
    title: 'Unfreeze an account',
    method: ofAccounts.unfreezeAccount,
    fields: [account('accountId', 'Account')],
  },
  {
    id: 'close',
    title: 'Close an account',
    method: ofAccounts.closeAccount,
    fields: [account('accountId', 'Account')],
  },
  {
    id: 'close-period',
    title: 'Close a period',
    method: LedgerCommandService.method.closePeriod,
    fields: [
      {
        name: 'closedThrough',
        label: 'Closed through',
        kind: 'end',
        isRequired: true,
        hint: 'a day such as 2026-10-31, to its end in UTC, or a time; nothing dated up to then is posted any more',
      },
      { ...description, hint: 'such as October 2026' },
    ],
  },
  {
    id: 'reopen-period',
    title: 'Reopen a period',
    method: LedgerCommandService.method.reopenPeriod,
    fields: [
      { name: 'reason', label: 'Why', kind: 'text', isRequired: true, hint: 'it is kept in the log' },
      {
        name: 'keepClosedThrough',
        label: 'Stays closed through',
        kind: 'end',
        hint: 'a day, to its end in UTC, or a time; empty: nothing stays closed',
      },
    ],
  },
  {
    id: 'register-asset',
    title: 'Register an asset',
    method: LedgerCommandService.method.registerAsset,
    fields: [
      {
        name: 'code',
        label: 'Code',
        kind: 'text',
        isRequired: true,
        hint: 'such as POINTS; it is never changed',
      },
      { name: 'exponent', label: 'Digits after the point', kind: 'text', hint: '0 to 18' },
      { name: 'name', label: 'Name', kind: 'text', isRequired: true },
    ],
  },
  {
    id: 'create-ledger',
    title: 'Create a ledger',
    method: LedgerCommandService.method.createLedger,
    fields: [{ name: 'ledgerId', label: 'Ledger', kind: 'text', isRequired: true }, description],
  },
];
