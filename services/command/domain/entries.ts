/** The entries of payments, principal first, then fees in the order given. */
import type { Parties } from './payment-totals.js';
import type { Entry, Fee } from './transaction.js';

/** Moves an amount from one account to another. */
export function transfer(from: string, to: string, amount: bigint, currency: string): readonly Entry[] {
  return [
    { accountId: from, direction: 'DEBIT', amount, currency },
    { accountId: to, direction: 'CREDIT', amount, currency },
  ];
}

/** Payer to payee, then each fee from who bears it to its account. */
export function paymentEntries(
  { payerAccountId: payer, payeeAccountId: payee }: Parties,
  amount: bigint,
  currency: string,
  fees: readonly Fee[],
): readonly Entry[] {
  const principal = transfer(payer, payee, amount, currency);
  if (fees.length === 0) return principal;
  const charged = fees.flatMap((fee) =>
    transfer(fee.paidBy === 'PAYER' ? payer : payee, fee.toAccountId, fee.amount, currency),
  );
  return [...principal, ...charged];
}

/** Payee to payer, then each returned fee from its account to who bore it. */
export function refundEntries(
  { payerAccountId: payer, payeeAccountId: payee }: Parties,
  amount: bigint,
  currency: string,
  fees: readonly Fee[],
): readonly Entry[] {
  const returned = fees.flatMap((fee) =>
    transfer(fee.toAccountId, fee.paidBy === 'PAYER' ? payer : payee, fee.amount, currency),
  );
  return [...transfer(payee, payer, amount, currency), ...returned];
}

/** Each entry the other way round, in the same order. */
export function mirrored(entries: readonly Entry[]): readonly Entry[] {
  return entries.map((entry) => ({
    accountId: entry.accountId,
    direction: entry.direction === 'DEBIT' ? 'CREDIT' : 'DEBIT',
    amount: entry.amount,
    currency: entry.currency,
  }));
}
