/** What an operator can do, as forms: each names the method of the contract that it sends and the fields that it asks for. */
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { AccountCommandService } from '../../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';

export type FieldKind =
  | 'text'
  | 'currency'
  /** A decimal amount with its currency: the contract's Money. */
  | 'money'
  /** A decimal amount in the currency of the field `currency`: the contract's minor units alone. */
  | 'minor units'
  | 'check'
  | 'choice';

export interface ActionField {
  /** As the contract's JSON has it. */
  readonly name: string;
  readonly label: string;
  readonly kind: FieldKind;
  readonly isRequired?: boolean;
  /** The check that takes its place. */
  readonly unless?: string;
  /** Of a choice: the contract's names and what they are called. */
  readonly choices?: readonly (readonly [string, string])[];
  readonly hint?: string;
}

export interface Action {
  readonly id: string;
  readonly title: string;
  readonly method: DescMethodUnary;
  readonly fields: readonly ActionField[];
}

const account = (name: string, label: string): ActionField => ({
  name,
  label,
  kind: 'text',
  isRequired: true,
});
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
      account('accountId', 'Account'),
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
      { name: 'overdraftLimit', label: 'Overdraft limit', kind: 'minor units' },
      { name: 'name', label: 'Name', kind: 'text' },
      { name: 'ownerReference', label: 'Owner', kind: 'text' },
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
