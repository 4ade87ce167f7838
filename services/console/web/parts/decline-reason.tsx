/** Why a transaction was declined, in the figures that decided: what the account had when it was asked. */
import { skipToken } from '@connectrpc/connect-query';
import type { ReactNode } from 'react';
import { type Balance, LimitKind } from '../../../../gen/quittance/common/v1/account_pb.js';
import { DeclineReason, type Transaction } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { countText } from '../numbers.js';
import { useFreshness, useRead } from '../state/reads.js';
import { linkTo, useRoute } from '../state/route.js';
import { AccountLink, Amount, FailureNote, Pairs } from './text.js';
import { declineWord, limitWord } from './words.js';

/** Of a declined transaction. */
export function WhyDeclined({ transaction }: { readonly transaction: Transaction }) {
  const { ledger } = useRoute();
  const { declinedAccountId: accountId, declineReason, exceededLimit, amount, position } = transaction;
  const consistency = useFreshness();
  const { data, error } = useRead(
    AccountQueryService.method.getBalance,
    accountId === ''
      ? skipToken
      : { ledgerId: ledger, accountId, consistency, at: { case: 'position', value: position } },
    false,
  );
  const limit = exceededLimit === LimitKind.UNSPECIFIED ? '' : ` (${limitWord(exceededLimit)})`;
  const rows: (readonly [string, ReactNode])[] = [['Reason', `${declineWord(declineReason)}${limit}`]];
  if (amount !== undefined)
    rows.push([
      'Asked for',
      <Amount
        key="asked"
        minorUnits={amount.minorUnits}
        exponent={amount.exponent ?? 0}
        currency={amount.currency}
      />,
    ]);
  if (accountId !== '')
    rows.push(
      ['Account', <AccountLink key="account" id={accountId} />],
      ...figuresOf(transaction, data?.balance),
      [
        'The account then',
        <a key="then" href={linkTo('account', accountId, { at: String(position) })}>
          pinned at {countText(position)}
        </a>,
      ],
    );
  return (
    <section className="part" aria-label="Why it was declined">
      <h2>Why it was declined</h2>
      <FailureNote error={error} />
      <Pairs of={rows} />
    </section>
  );
}

/** What the account had, and by how much that was too little. */
function figuresOf(
  { declineReason, amount }: Transaction,
  balance: Balance | undefined,
): (readonly [string, ReactNode])[] {
  if (balance?.available === undefined) return [];
  const { available, held = 0n, exponent, currency } = balance;
  const money = (minorUnits: bigint) => (
    <Amount minorUnits={minorUnits} exponent={exponent} currency={currency} />
  );
  const rows: (readonly [string, ReactNode])[] = [['Available then', money(available)]];
  if (held > 0n) rows.push(['Held then', money(held)]);
  if (
    declineReason === DeclineReason.INSUFFICIENT_FUNDS &&
    amount?.currency === currency &&
    amount.minorUnits > available
  )
    rows.push(['Short by', money(amount.minorUnits - available)]);
  return rows;
}
