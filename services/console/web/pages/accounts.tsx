/** Who has how much: accounts by prefix, with their balance and state. */
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { FilterLine } from '../parts/filter-line.js';
import { type Account, AccountStatus, AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { parseFilter } from '../parts/filter.js';
import { type Column, Rows } from '../parts/rows.js';
import { Amount, Empty, FailureNote, StateWord } from '../parts/text.js';
import { accountStatusWord, accountTypeWord, freezeWord, valueOfWord, wordsOf } from '../parts/words.js';
import { useFreshness } from '../state/reads.js';
import { PAGE_ROWS, useKeyset } from '../state/keyset.js';
import { usePageCall } from '../state/page-call.js';
import { linkTo, setParams, useRoute } from '../state/route.js';

const KEYS = ['prefix', 'currency', 'type', 'status', 'owner'];

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
      </div>
      <FilterLine
        key={`filter ${q}`}
        text={q}
        example="prefix:customer: currency:EUR type:liability status:frozen owner:crm-7"
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
  const { values, problems } = parseFilter(q, KEYS);
  const type = valueOfWord<AccountType>(AccountType, values['type'] ?? '') ?? AccountType.UNSPECIFIED;
  const status =
    valueOfWord<AccountStatus>(AccountStatus, values['status'] ?? '') ?? AccountStatus.UNSPECIFIED;
  const wrong = [
    ...problems,
    ...(values['type'] !== undefined && type === AccountType.UNSPECIFIED
      ? [`type: is one of ${wordsOf(AccountType).join(', ')}`]
      : []),
    ...(values['status'] !== undefined && status === AccountStatus.UNSPECIFIED
      ? [`status: is one of ${wordsOf(AccountStatus).join(', ')}`]
      : []),
  ];
  const request = {
    ledgerId: ledger,
    accountIdPrefix: values['prefix'] ?? '',
    currency: values['currency']?.toUpperCase() ?? '',
    ownerReference: values['owner'] ?? '',
    type,
    status,
    pageSize: PAGE_ROWS,
  };
  usePageCall(AccountQueryService.method.listAccounts, request);
  const load = async (pageToken: string, signal: AbortSignal) => {
    if (wrong.length > 0) return { rows: [], next: '' };
    const page = { ...request, consistency, pageToken };
    const answer = await callUnaryMethod(transport, AccountQueryService.method.listAccounts, page, {
      signal,
    });
    return { rows: answer.accounts, next: answer.nextPageToken };
  };
  const token = consistency.requirement.case === 'atLeastAsFresh' ? consistency.requirement.value : '';
  const list = useKeyset(`accounts|${ledger}|${q}|${token}`, load);
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
      />
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
