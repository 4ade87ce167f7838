/** One account: what has it now, what had it then, and why. */
import { create } from '@bufbuild/protobuf';
import { type ReactNode, useState } from 'react';
import { skipToken, useTransport } from '@connectrpc/connect-query';
import {
  type Account,
  AccountStatus,
  type Balance,
  type LimitUse,
} from '../../../../gen/quittance/common/v1/account_pb.js';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { ListTransactionsRequestSchema } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { moneyText, plainMoney } from '../money.js';
import { BalanceHistory } from '../parts/balance-history.js';
import { BalanceTrend } from '../parts/balance-trend.js';
import { Statement } from '../parts/statement.js';
import { Amount, ExactTime, FailureNote, Id, Pairs } from '../parts/text.js';
import { accountTypeWord, periodWord } from '../parts/words.js';
import { countText, typedPosition } from '../numbers.js';
import { useFreshness, usePin, useRead } from '../state/reads.js';
import { ACTIONS } from '../actions/catalogue.js';
import { openAction } from '../state/actions.js';
import { usePageCall } from '../state/page-call.js';
import { failureOf } from '../state/errors.js';
import { pinOf } from '../state/pin-of.js';
import { linkTo, setParams, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';
import { AccountState } from './accounts.js';
import { TransactionList } from './transactions.js';

const TABS = ['transactions', 'statement', 'over time'] as const;

export function AccountPage() {
  const { ledger, id, params } = useRoute();
  const consistency = useFreshness();
  const pin = usePin();
  const of = { ledgerId: ledger, accountId: id, consistency };
  const account = useRead(AccountQueryService.method.getAccount, of);
  const then = useRead(
    AccountQueryService.method.getBalance,
    pin === undefined ? skipToken : { ...of, at: { case: 'position', value: pin } },
    false,
  );
  usePageCall(AccountQueryService.method.getBalance, {
    ledgerId: ledger,
    accountId: id,
    ...(pin === undefined ? {} : atPosition(pin)),
  });
  const tab = params.get('tab') ?? 'transactions';
  const found = account.data?.account;
  return (
    <>
      <FailureNote error={account.error ?? then.error} />
      {found === undefined ? null : (
        <Summary account={found} balance={pin === undefined ? found.balance : then.data?.balance} pin={pin} />
      )}
      <Compare />
      <div className="title" role="group" aria-label="What to list">
        {TABS.map((name) => (
          <button
            key={name}
            type="button"
            className="chip"
            aria-pressed={tab === name}
            onClick={() => setParams({ tab: name })}
          >
            {name}
          </button>
        ))}
      </div>
      {tab === 'statement' ? (
        <Statement ledger={ledger} account={id} />
      ) : tab === 'over time' ? (
        <BalanceHistory />
      ) : (
        <TransactionList request={create(ListTransactionsRequestSchema, { accountId: id })} />
      )}
    </>
  );
}

function atPosition(position: bigint) {
  return { at: { case: 'position' as const, value: position } };
}

interface SummaryProps {
  readonly account: Account;
  readonly balance: Balance | undefined;
  readonly pin: bigint | undefined;
}

function Summary({ account, balance, pin }: SummaryProps) {
  return (
    <>
      <div className="title">
        <h1>
          <Id value={account.accountId} />
        </h1>
        <AccountState account={account} />
        <span className="muted">
          {accountTypeWord(account.type)} · {account.currency}
          {account.name === '' ? '' : ` · ${account.name}`}
        </span>
        <AccountActions account={account} />
      </div>
      <dl
        className="figures"
        aria-label={pin === undefined ? 'Balance now' : `Balance at position ${String(pin)}`}
      >
        <BalanceFigure name="Posted" value={balance?.posted} exponent={balance?.exponent} />
        <BalanceFigure
          name="Held"
          value={balance?.held}
          exponent={balance?.exponent}
          href={linkTo('payments', '', { q: `payer:${account.accountId} open:yes` })}
        />
        <BalanceFigure name="Available" value={balance?.available} exponent={balance?.exponent} />
        <BalanceTrend account={account} />
      </dl>
      <details>
        <summary>More of the account</summary>
        <Pairs
          of={[
            ['Opened', <ExactTime key="opened" at={account.openTime} />],
            [
              'Overdraft limit',
              <Amount
                key="limit"
                minorUnits={account.overdraftLimit}
                exponent={account.balance?.exponent ?? 0}
              />,
            ],
            ...limitPairs(account),
            ['Owner', account.ownerReference],
            ['Version', countText(account.balance?.version ?? 0n)],
            ...Object.entries(account.metadata),
          ]}
        />
      </details>
    </>
  );
}

/** The limits of the account; those of a period with what is used of them, and until when. */
function limitPairs({ limits, balance }: Account): (readonly [string, ReactNode])[] {
  const amount = (minorUnits: bigint) => moneyText(minorUnits, balance?.exponent ?? 0);
  const pairs: (readonly [string, ReactNode])[] = [];
  const until = (words: string, { endTime }: LimitUse) =>
    endTime === undefined ? (
      words
    ) : (
      <span key={words}>
        {words} until <ExactTime at={endTime} />
      </span>
    );
  if (limits !== undefined && limits.debit > 0n) pairs.push(['Largest debit', amount(limits.debit)]);
  if (limits !== undefined && limits.balance > 0n) pairs.push(['Largest balance', amount(limits.balance)]);
  for (const use of balance?.limitUses ?? []) {
    const period = periodWord(use.period);
    if (use.amount > 0n)
      pairs.push([
        `Debits of the ${period}`,
        until(`${amount(use.usedAmount)} of ${amount(use.amount)}`, use),
      ]);
    if (use.count > 0n)
      pairs.push([
        `Number of the ${period}`,
        until(`${countText(use.usedCount)} of ${countText(use.count)}`, use),
      ]);
  }
  return pairs;
}

/** What a form that changes the account begins with. */
function presentOf(account: Account): Readonly<Record<string, string>> {
  const { accountId, currency, name, ownerReference, overdraftLimit, limits, balance } = account;
  const amount = (minorUnits: bigint | undefined) =>
    minorUnits === undefined || minorUnits === 0n ? '' : plainMoney(minorUnits, balance?.exponent ?? 0);
  const count = (number: bigint | undefined) => (number === undefined || number === 0n ? '' : String(number));
  return {
    accountId,
    currency,
    name,
    ownerReference,
    overdraftLimit: amount(overdraftLimit),
    'limits.debit': amount(limits?.debit),
    'limits.balance': amount(limits?.balance),
    'limits.day.amount': amount(limits?.day?.amount),
    'limits.day.count': count(limits?.day?.count),
    'limits.week.amount': amount(limits?.week?.amount),
    'limits.week.count': count(limits?.week?.count),
    'limits.month.amount': amount(limits?.month?.amount),
    'limits.month.count': count(limits?.month?.count),
    'limits.timeZone': limits?.timeZone ?? '',
  };
}

function AccountActions({ account }: { readonly account: Account }) {
  const { accountId, currency, status } = account;
  const { ledger } = useRoute();
  const may = useMay();
  const money = { 'amount.currency': currency };
  const offers = [
    ['pay', 'Pay…', status === AccountStatus.OPEN, { payerAccountId: accountId, ...money }],
    ['withdraw', 'Withdraw…', status === AccountStatus.OPEN, { accountId, ...money }],
    ['deposit', 'Deposit…', status !== AccountStatus.CLOSED, { accountId, ...money }],
    ['freeze', 'Freeze…', status === AccountStatus.OPEN, { accountId }],
    ['unfreeze', 'Unfreeze…', status === AccountStatus.FROZEN, { accountId }],
    ['update-account', 'Change…', status !== AccountStatus.CLOSED, presentOf(account)],
    ['close', 'Close…', status !== AccountStatus.CLOSED, { accountId }],
  ] as const;
  return (
    <span className="end">
      {offers
        .filter(
          ([id, , isPossible]) =>
            isPossible && ACTIONS.some((action) => action.id === id && may(action.method, ledger)),
        )
        .map(([id, words, , preset]) => (
          <button key={id} type="button" onClick={() => openAction(id, preset)}>
            {words}
          </button>
        ))}
    </span>
  );
}

function BalanceFigure({
  name,
  value,
  exponent,
  href,
}: {
  readonly name: string;
  readonly value: bigint | undefined;
  readonly exponent: number | undefined;
  /** What explains the figure, where there is anything to explain. */
  readonly href?: string;
}) {
  if (value === undefined) return null;
  const amount = <Amount minorUnits={value} exponent={exponent ?? 0} />;
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{href === undefined || value === 0n ? amount : <a href={href}>{amount}</a>}</dd>
    </div>
  );
}

/** The difference between an earlier position, which may be typed as a time, and what the page shows. */
function Compare() {
  const { ledger, params } = useRoute();
  const transport = useTransport();
  const [problem, setProblem] = useState('');
  const from = typedPosition(params.get('from') ?? '');
  const compare = async (typed: string) => {
    setProblem('');
    const position = typed.trim() === '' ? undefined : await pinOf(transport, ledger, typed, new Date());
    setParams({ from: position === undefined ? undefined : String(position) });
  };
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        const typed = new FormData(event.currentTarget).get('from');
        compare(typeof typed === 'string' ? typed : '').catch((error: unknown) =>
          setProblem(failureOf(error).message),
        );
      }}
    >
      <label title="18231, 2026-11-27T10:00Z, 2026-11-27 or -2h">
        Compare with position or time{' '}
        <input
          key={String(from)}
          name="from"
          defaultValue={params.get('from') ?? ''}
          size={17}
          style={{ flex: 'none', minWidth: 0 }}
        />
      </label>
      <button type="submit">Compare</button>
      {problem === '' ? null : (
        <span className="bad" role="alert">
          {problem}
        </span>
      )}
      {from === undefined ? null : <Difference from={from} />}
    </form>
  );
}

function Difference({ from }: { readonly from: bigint }) {
  const { ledger, id } = useRoute();
  const pin = usePin();
  const of = { ledgerId: ledger, accountId: id, consistency: useFreshness() };
  const at = (position: bigint) => ({ ...of, at: { case: 'position' as const, value: position } });
  const before = useRead(AccountQueryService.method.getBalance, at(from), false);
  const after = useRead(AccountQueryService.method.getBalance, pin === undefined ? of : at(pin), false);
  const [one, two] = [before.data?.balance, after.data?.balance];
  return (
    <>
      <FailureNote error={before.error ?? after.error} />
      {one === undefined || two === undefined ? null : (
        <span role="status">
          posted <Amount minorUnits={one.posted} exponent={one.exponent} /> then,{' '}
          <Amount minorUnits={two.posted} exponent={two.exponent} />{' '}
          {pin === undefined ? 'now' : `at ${countText(pin)}`}: changed by{' '}
          <Amount minorUnits={two.posted - one.posted} exponent={two.exponent} currency={two.currency} />
        </span>
      )}
    </>
  );
}
