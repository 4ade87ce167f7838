/** How lists show a transaction: when, what, whether it was done, how much, from where to where, and its names. */
import { Direction, type Transaction } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { countText } from '../numbers.js';
import { linkTo } from '../state/route.js';
import type { Column } from './rows.js';
import { AccountLink, Amount, Time, TransactionState } from './text.js';
import { kindWord } from './words.js';

/** The first account of the side, and how many more there are. An authorization has no entries, but a payer and a payee. */
function sideOf(transaction: Transaction, direction: Direction) {
  const { entries, payment } = transaction;
  const accounts = [
    ...new Set(entries.filter((entry) => entry.direction === direction).map(({ accountId }) => accountId)),
  ];
  const held = direction === Direction.DEBIT ? payment?.payerAccountId : payment?.payeeAccountId;
  return (
    <>
      <AccountLink id={accounts[0] ?? held ?? ''} />
      {accounts.length > 1 ? ` +${String(accounts.length - 1)}` : ''}
    </>
  );
}

export const TRANSACTION_COLUMNS: readonly Column<Transaction>[] = [
  {
    name: 'Recorded',
    width: '128px',
    cell: ({ transactionId, recordedTime }) => (
      <a href={linkTo('transaction', transactionId)} data-row="">
        <Time at={recordedTime} />
      </a>
    ),
  },
  { name: 'Kind', width: '104px', cell: ({ kind }) => kindWord(kind) },
  {
    name: 'Amount',
    width: '128px',
    isRight: true,
    cell: ({ amount }) =>
      amount === undefined ? null : (
        <Amount minorUnits={amount.minorUnits} exponent={amount.exponent ?? 0} currency={amount.currency} />
      ),
  },
  {
    name: 'Status',
    width: 'minmax(200px, 1fr)',
    cell: (transaction) => <TransactionState transaction={transaction} />,
  },
  { name: 'From', width: 'minmax(144px, 1fr)', cell: (transaction) => sideOf(transaction, Direction.DEBIT) },
  { name: 'To', width: 'minmax(144px, 1fr)', cell: (transaction) => sideOf(transaction, Direction.CREDIT) },
  { name: 'Reference', width: 'minmax(104px, 1fr)', cell: ({ reference }) => reference },
  { name: 'Actor', width: '96px', cell: ({ actor }) => actor },
  { name: 'Position', width: '72px', isRight: true, cell: ({ position }) => countText(position) },
];
