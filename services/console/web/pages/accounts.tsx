/** Who has how much: accounts by prefix, with their balance and state. */
import { create } from '@bufbuild/protobuf';
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { FilterLine } from '../parts/filter-line.js';
import { type Account, AccountStatus, AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import {
  AccountQueryService,
  ListAccountsRequestSchema,
} from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { useState } from 'react';
import { parseFilter } from '../parts/filter.js';
import { FilterReader } from '../parts/filter-reader.js';
import { ListStatus } from '../parts/list-status.js';
import { NotPinned } from '../parts/not-pinned.js';
import { type Column, Rows } from '../parts/rows.js';
import { Amount, Empty, FailureNote, StateWord } from '../parts/text.js';
import { accountStatusWord, accountTypeWord, freezeWord } from '../parts/words.js';
import { Views } from '../parts/views.js';
import { useExponents } from '../state/exponents.js';
import { useFreshness } from '../state/reads.js';
import { PAGE_ROWS, useKeyset, wholePage } from '../state/keyset.js';
import { usePageCall } from '../state/page-call.js';
import { linkTo, setParams, useRoute } from '../state/route.js';

/** What the list takes, with what each means. */
const FILTERS = {
  prefix: 'how the id begins',
  currency: 'EUR',
  type: 'liability, asset, revenue, expense, equity',
  status: 'open, frozen, closed',
  owner: 'your own id of the owner',
  min: 'posted, an amount of the currency; -0.01 is below zero',
  max: 'likewise',
  metadata: 'order=17, or a key alone',
} as const;
const KEYS = Object.keys(FILTERS);

const VIEWS = [
  ['all', ''],
  ['customers', 'type:liability'],
  ['frozen', 'status:frozen'],
  ['overdrawn', 'type:liability currency:EUR max:-0.01'],
] as const;

const COLUMNS: readonly Column<Account>[] = [
  {
    name: 'Account',
    width: 'minmax(240px, 2fr)',
    cell: ({ accountId }) => (
      <a href={linkTo('account', accountId)} data-row="">
        {accountId}
      </a>
    ),
  },
  { name: 'Type', width: '96px', cell: ({ type }) => accountTypeWord(type) },
  { name: 'State', width: '144px', cell: (account) => <AccountState account={account} /> },
  {
    name: 'Posted',
    width: '160px',
    isRight: true,
    cell: (account) => <BalanceOf account={account} of="posted" />,
  },
  {
    name: 'Held',
    width: '136px',
    isRight: true,
    cell: (account) => <BalanceOf account={account} of="held" />,
  },
  {
    name: 'Available',
    width: '160px',
    isRight: true,
    cell: (account) => <BalanceOf account={account} of="available" />,
  },
  { name: 'Currency', width: '80px', cell: ({ currency }) => currency },
  { name: 'Name', width: 'minmax(120px, 1fr)', cell: ({ name }) => name },
];

function BalanceOf({
  account: { balance },
  of,
}: {
  readonly account: Account;
  readonly of: 'posted' | 'held' | 'available';
}) {
  const value = balance?.[of];
  return value === undefined ? null : <Amount minorUnits={value} exponent={balance?.exponent ?? 0} />;
}

export function AccountState({ account: { status, freezeScope } }: { readonly account: Account }) {
  if (status === AccountStatus.FROZEN)
    return <StateWord tone="warn">frozen: {freezeWord(freezeScope)}</StateWord>;
  return (
    <StateWord tone={status === AccountStatus.OPEN ? 'good' : 'calm'}>{accountStatusWord(status)}</StateWord>
  );
}

export function AccountsPage() {
  const q = useRoute().params.get('q') ?? '';
  return (
    <>
      <div className="title">
        <h1>Accounts</h1>
        <Views views={VIEWS} />
      </div>
      <NotPinned what="accounts with their present balances" />
      <FilterLine
        key={`filter ${q}`}
        text={q}
        example="prefix:customer: currency:EUR type:liability status:frozen owner:crm-7"
        filters={FILTERS}
        onFilter={(text) => setParams({ q: text })}
      />
      <AccountList key={q} q={q} />
    </>
  );
}

function AccountList({ q }: { readonly q: string }) {
  const { ledger } = useRoute();
  const transport = useTransport();
  const consistency = useFreshness();
  const reader = new FilterReader(parseFilter(q, KEYS, ['metadata']));
  const exponentOf = useExponents();
  const [isHeld, setHeld] = useState(false);
  const request = create(ListAccountsRequestSchema, {
    ledgerId: ledger,
    accountIdPrefix: reader.text('prefix'),
    currency: reader.currency(),
    ownerReference: reader.text('owner'),
    type: reader.word<AccountType>('type', AccountType) ?? AccountType.UNSPECIFIED,
    status: reader.word<AccountStatus>('status', AccountStatus) ?? AccountStatus.UNSPECIFIED,
    metadata: reader.metadata(),
    pageSize: PAGE_ROWS,
  });
  const least = reader.amount('min', exponentOf, true);
  const most = reader.amount('max', exponentOf, true);
  if (least !== undefined) request.minPosted = least;
  if (most !== undefined) request.maxPosted = most;
  const wrong = reader.problems;
  usePageCall(AccountQueryService.method.listAccounts, request);
  const load = async (token: string, signal: AbortSignal) => {
    if (wrong.length > 0) return { rows: [], next: '' };
    return wholePage(token, async (page) => {
      const { listAccounts } = AccountQueryService.method;
      const asked = create(ListAccountsRequestSchema, { ...request, consistency, ...page });
      const answer = await callUnaryMethod(transport, listAccounts, asked, { signal });
      return { rows: answer.accounts, next: answer.nextPageToken };
    });
  };
  const token = consistency.requirement.case === 'atLeastAsFresh' ? consistency.requirement.value : '';
  const list = useKeyset(`accounts|${ledger}|${q}|${token}`, load, isHeld);
  if (wrong.length > 0)
    return wrong.map((problem) => (
      <p key={problem} className="error" role="alert">
        {problem}
      </p>
    ));
  if (list.isComplete && list.count === 0) return <NoAccounts isFiltered={q !== ''} />;
  return (
    <>
      <FailureNote error={list.error} />
      <Rows
        label="Accounts"
        columns={COLUMNS}
        count={list.count + (list.isComplete ? 0 : 1)}
        rowAt={list.rowAt}
        keyOf={(index) => list.rowAt(index)?.accountId ?? `row ${String(index)}`}
        onSee={list.see}
        onHold={setHeld}
      >
        <ListStatus isHeld={isHeld} />
      </Rows>
    </>
  );
}

function NoAccounts({ isFiltered }: { readonly isFiltered: boolean }) {
  return (
    <Empty>
      {isFiltered
        ? 'No account is so. Take a part of the filter away.'
        : 'Here would be the accounts of this ledger, with what each has posted, held and available. Press n to open the first one.'}
    </Empty>
  );
}
