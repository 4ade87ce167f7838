/** The statement of an account: its entries in the order of their effective time, with the running balance. */
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { Direction } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type StatementLine,
  TransactionQueryService,
} from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { useFreshness, usePin } from '../state/reads.js';
import { PAGE_ROWS, useKeyset } from '../state/keyset.js';
import { type Column, Rows } from './rows.js';
import { Amount, Empty, FailureNote, Time, TransactionLink } from './text.js';
import { kindWord } from './words.js';

const COLUMNS: readonly Column<StatementLine>[] = [
  { name: 'Effective', width: '144px', cell: ({ entry }) => <Time at={entry?.effectiveTime} /> },
  { name: 'Kind', width: '104px', cell: ({ entry }) => (entry === undefined ? null : kindWord(entry.kind)) },
  { name: 'Debit', width: '144px', isRight: true, cell: (line) => <Side line={line} of={Direction.DEBIT} /> },
  {
    name: 'Credit',
    width: '144px',
    isRight: true,
    cell: (line) => <Side line={line} of={Direction.CREDIT} />,
  },
  {
    name: 'Balance',
    width: '160px',
    isRight: true,
    cell: ({ balance, entry }) => (
      <Amount minorUnits={balance} exponent={entry?.entry?.amount?.exponent ?? 0} />
    ),
  },
  {
    name: 'Transaction',
    width: 'minmax(280px, 1fr)',
    cell: ({ entry }) => <TransactionLink id={entry?.transactionId ?? ''} />,
  },
];

function Side({ line: { entry }, of }: { readonly line: StatementLine; readonly of: Direction }) {
  const amount = entry?.entry?.amount;
  if (amount === undefined || entry?.entry?.direction !== of) return null;
  return <Amount minorUnits={amount.minorUnits} exponent={amount.exponent ?? 0} />;
}

export function Statement({ ledger, account }: { readonly ledger: string; readonly account: string }) {
  const transport = useTransport();
  const consistency = useFreshness();
  const pin = usePin();
  const load = async (pageToken: string, signal: AbortSignal) => {
    const request = {
      ledgerId: ledger,
      accountId: account,
      consistency,
      position: pin ?? 0n,
      pageSize: PAGE_ROWS,
      pageToken,
    };
    const answer = await callUnaryMethod(transport, TransactionQueryService.method.getStatement, request, {
      signal,
    });
    return { rows: answer.lines, next: answer.nextPageToken };
  };
  const list = useKeyset(`statement|${ledger}|${account}|${String(pin)}`, load);
  if (list.isComplete && list.count === 0) {
    return (
      <Empty>
        Here would be every entry of this account with the balance after it. Nothing has moved yet.
      </Empty>
    );
  }
  return (
    <>
      <FailureNote error={list.error} />
      <Rows
        label="Statement"
        columns={COLUMNS}
        count={list.count + (list.isComplete ? 0 : 1)}
        rowAt={list.rowAt}
        keyOf={(index) => String(index)}
        onSee={list.see}
      />
    </>
  );
}
