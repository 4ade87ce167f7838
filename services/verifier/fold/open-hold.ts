/** What the open hold of a payment reserves, and how an event changed it. */
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { TransactionFacts } from './facts.js';
import type { Effect } from './transaction-fold.js';

/** By how much an event changed what a payment reserves on its payer's account. */
export function holdDelta({ before, after }: Effect): { readonly accountId: string; readonly delta: bigint } {
  const delta = openHold(after) - (before === undefined ? 0n : openHold(before));
  return { accountId: after.payment?.payerAccountId ?? '', delta };
}

function openHold({ status, payment }: TransactionFacts): bigint {
  if (payment === undefined || status !== TransactionStatus.AUTHORIZED) return 0n;
  return payment.authorized - payment.captured - payment.voided - payment.expired;
}
