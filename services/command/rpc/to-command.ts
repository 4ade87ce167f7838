/** Requests to commands of the domain; the rest of the shape is checked on the way. One function a command. */
import { AccountType, FreezeScope } from '../../../gen/quittance/common/v1/account_pb.js';
import { Direction } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type * as accounts from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import type * as ledgers from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import type * as transactions from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { CommandCase } from '../../../lib/log/canonical-body.js';
import { fail } from '../../../lib/rpc/errors.js';
import { type AccountType as DomainAccountType, settlementAccountId } from '../domain/account.js';
import type * as domain from '../domain/command.js';
import {
  amountOf,
  currencyOf,
  descriptiveOf,
  distinctFeeAccounts,
  feesOf,
  invalidField,
  maskOf,
  metadataOf,
  textOf,
  timeOf,
  unmasked,
} from './shape.js';

/**
 * The command of a request whose contract rules were checked.
 * @throws CallError INVALID_FIELD and the other errors of shape
 */
export function toCommand(request: CommandCase): domain.Command {
  switch (request.case) {
    case 'createLedger':
      return createLedger(request.value);
    case 'openAccount':
      return openAccount(request.value);
    case 'updateAccount':
      return updateAccount(request.value);
    case 'freezeAccount':
      return freezeAccount(request.value);
    case 'unfreezeAccount':
      return { type: 'UnfreezeAccount', ...account(request.value) };
    case 'closeAccount':
      return { type: 'CloseAccount', ...account(request.value) };
    case 'deposit':
      return { type: 'Deposit', ...cash(request.value) };
    case 'withdraw':
      return { type: 'Withdraw', ...cash(request.value) };
    case 'submitPayment':
      return submitPayment(request.value);
    case 'authorizePayment':
      return authorizePayment(request.value);
    case 'capturePayment':
      return capturePayment(request.value);
    case 'voidPayment':
      return { type: 'VoidPayment', ...common(request.value), paymentId: request.value.paymentId };
    case 'refundPayment':
      return refundPayment(request.value);
    case 'postTransaction':
      return postTransaction(request.value);
    case 'reverseTransaction':
      return reverseTransaction(request.value);
    case 'updateTransaction':
      return updateTransaction(request.value);
  }
}

function common({ ledgerId, requestId }: { ledgerId: string; requestId: string }) {
  return { ledgerId, requestId };
}

function account(request: {
  ledgerId: string;
  requestId: string;
  accountId: string;
  expectedVersion?: bigint | undefined;
}) {
  return {
    ...common(request),
    accountId: request.accountId,
    expectedVersion: request.expectedVersion ?? null,
  };
}

function createLedger(request: ledgers.CreateLedgerRequest): domain.CreateLedger {
  return {
    type: 'CreateLedger',
    ...common(request),
    description: textOf(request.description, 'description'),
    metadata: metadataOf(request.metadata),
  };
}

const ACCOUNT_TYPES: Readonly<Record<AccountType, DomainAccountType>> = {
  [AccountType.UNSPECIFIED]: 'LIABILITY',
  [AccountType.LIABILITY]: 'LIABILITY',
  [AccountType.ASSET]: 'ASSET',
  [AccountType.REVENUE]: 'REVENUE',
  [AccountType.EXPENSE]: 'EXPENSE',
  [AccountType.EQUITY]: 'EQUITY',
};

function openAccount(request: accounts.OpenAccountRequest): domain.OpenAccount {
  const accountType = ACCOUNT_TYPES[request.type];
  if (request.overdraftLimit !== 0n && accountType !== 'LIABILITY') {
    throw invalidField('overdraft_limit', 'is for LIABILITY accounts only');
  }
  return {
    type: 'OpenAccount',
    ...common(request),
    accountId: request.accountId,
    accountType,
    currency: currencyOf(request.currency, 'currency'),
    overdraftLimit: request.overdraftLimit,
    name: textOf(request.name, 'name'),
    ownerReference: textOf(request.ownerReference, 'owner_reference'),
    metadata: metadataOf(request.metadata),
  };
}

function updateAccount(request: accounts.UpdateAccountRequest): domain.UpdateAccount {
  const mask = maskOf(request.updateMask, ['name', 'owner_reference', 'overdraft_limit', 'metadata']);
  const { name, ownerReference, overdraftLimit, metadata } = request;
  return {
    type: 'UpdateAccount',
    ...account(request),
    name: mask.has('name') ? textOf(name, 'name') : unmasked(name === '', 'name'),
    ownerReference: mask.has('owner_reference')
      ? textOf(ownerReference, 'owner_reference')
      : unmasked(ownerReference === '', 'owner_reference'),
    overdraftLimit: mask.has('overdraft_limit')
      ? overdraftLimit
      : unmasked(overdraftLimit === 0n, 'overdraft_limit'),
    metadata: mask.has('metadata')
      ? metadataOf(metadata)
      : unmasked(Object.keys(metadata).length === 0, 'metadata'),
  };
}

function freezeAccount(request: accounts.FreezeAccountRequest): domain.FreezeAccount {
  return {
    type: 'FreezeAccount',
    ...account(request),
    scope: request.scope === FreezeScope.ALL ? 'ALL' : 'DEBITS',
  };
}

function cash(request: transactions.DepositRequest | transactions.WithdrawRequest) {
  const amount = amountOf(request.amount, 'amount');
  const settlement =
    request.settlementAccountId === '' ? settlementAccountId(amount.currency) : request.settlementAccountId;
  if (settlement === request.accountId) {
    throw invalidField('account_id', 'must differ from the settlement account');
  }
  return {
    ...account(request),
    ...descriptiveOf(request),
    amount,
    settlementAccountId: request.settlementAccountId === '' ? null : request.settlementAccountId,
  };
}

function submitPayment(request: transactions.SubmitPaymentRequest): domain.SubmitPayment {
  const { payerAccountId, payeeAccountId } = request;
  const amount = amountOf(request.amount, 'amount');
  const fees = feesOf(request.fees, amount);
  distinctFeeAccounts(fees, payerAccountId, payeeAccountId);
  return {
    type: 'SubmitPayment',
    ...common(request),
    ...descriptiveOf(request),
    payerAccountId,
    payeeAccountId,
    amount,
    fees,
  };
}

function authorizePayment(request: transactions.AuthorizePaymentRequest): domain.AuthorizePayment {
  const { payerAccountId, payeeAccountId } = request;
  return {
    type: 'AuthorizePayment',
    ...common(request),
    ...descriptiveOf(request),
    payerAccountId,
    payeeAccountId,
    amount: amountOf(request.amount, 'amount'),
    expireTime: timeOf(request.expireTime, 'expire_time'),
  };
}

function capturePayment(request: transactions.CapturePaymentRequest): domain.CapturePayment {
  const { paymentId, final } = request;
  const amount = amountOf(request.amount, 'amount');
  return {
    type: 'CapturePayment',
    ...common(request),
    ...descriptiveOf(request),
    paymentId,
    amount,
    fees: feesOf(request.fees, amount),
    final,
  };
}

function refundPayment(request: transactions.RefundPaymentRequest): domain.RefundPayment {
  const { paymentId, force } = request;
  const amount = amountOf(request.amount, 'amount');
  // What the payee bore comes back to the payee here, so its sum is bounded by what was charged, not by this amount.
  const fees = request.fees.flatMap((fee) =>
    feesOf([fee], { ...amount, minorUnits: fee.amount?.minorUnits ?? 0n }),
  );
  return {
    type: 'RefundPayment',
    ...common(request),
    ...descriptiveOf(request),
    paymentId,
    amount,
    fees,
    force,
  };
}

function postTransaction(request: transactions.PostTransactionRequest): domain.PostTransaction {
  const sums = new Map<string, bigint>();
  const entries = request.entries.map(({ accountId, direction, amount: money }, index) => {
    const amount = amountOf(money, `entries[${String(index)}].amount`);
    const isDebit = direction === Direction.DEBIT;
    const signed = isDebit ? -amount.minorUnits : amount.minorUnits;
    sums.set(amount.currency, (sums.get(amount.currency) ?? 0n) + signed);
    return { accountId, direction: isDebit ? ('DEBIT' as const) : ('CREDIT' as const), amount };
  });
  for (const [currency, sum] of sums) {
    if (sum === 0n) continue;
    const description = `debits and credits in ${currency} differ`;
    throw fail(ErrorReason.UNBALANCED_ENTRIES, `entries: ${description}`, {
      fields: [{ field: 'entries', description }],
    });
  }
  return {
    type: 'PostTransaction',
    ...common(request),
    ...descriptiveOf(request),
    entries,
    force: request.force,
  };
}

function reverseTransaction(request: transactions.ReverseTransactionRequest): domain.ReverseTransaction {
  const { transactionId, force } = request;
  return { type: 'ReverseTransaction', ...common(request), ...descriptiveOf(request), transactionId, force };
}

function updateTransaction(request: transactions.UpdateTransactionRequest): domain.UpdateTransaction {
  const mask = maskOf(request.updateMask, ['description', 'metadata']);
  const { transactionId, description, metadata } = request;
  return {
    type: 'UpdateTransaction',
    ...common(request),
    transactionId,
    description: mask.has('description')
      ? textOf(description, 'description')
      : unmasked(description === '', 'description'),
    metadata: mask.has('metadata')
      ? metadataOf(metadata)
      : unmasked(Object.keys(metadata).length === 0, 'metadata'),
  };
}
