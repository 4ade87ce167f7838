/** Does it balance? The trial balance now or at the pinned position, who has most, and cash in and out by day. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { skipToken } from '@connectrpc/connect-query';
import { useState } from 'react';
import {
  Interval,
  RankBy,
  ReportQueryService,
  TrialBalanceGrouping,
  type TrialBalanceRow,
  type TrialBalanceTotal,
} from '../../../../gen/quittance/query/v1/report_query_service_pb.js';
import { csvField, download } from '../parts/export.js';
import { Periods } from '../parts/periods.js';
import { AccountLink, Amount, FailureNote, StateWord, Time } from '../parts/text.js';
import { accountTypeWord, kindWord } from '../parts/words.js';
import { plainMoney } from '../money.js';
import { countText } from '../numbers.js';
import { usePageCall } from '../state/page-call.js';
import { SELDOM_MS, useFreshness, usePin, useRead } from '../state/reads.js';
import { setParams, useRoute } from '../state/route.js';

const DAY_MS = 86_400_000;
const DAYS = 7;
const GROUPINGS = [
  ['type', TrialBalanceGrouping.ACCOUNT_TYPE],
  ['prefix', TrialBalanceGrouping.ID_PREFIX],
  ['account', TrialBalanceGrouping.ACCOUNT],
] as const;
const { method } = ReportQueryService;

export function ReportsPage() {
  return (
    <>
      <h1>Reports</h1>
      <TrialBalance />
      <Periods />
      <div className="columns">
        <Ranking />
        <CashFlow />
      </div>
    </>
  );
}

function TrialBalance() {
  const { ledger, params } = useRoute();
  const pin = usePin();
  const chosen = params.get('by') ?? 'type';
  const groupBy = GROUPINGS.find(([name]) => name === chosen)?.[1] ?? TrialBalanceGrouping.ACCOUNT_TYPE;
  const request = { ledgerId: ledger, groupBy, position: pin ?? 0n, pageSize: 1000 };
  const consistency = useFreshness();
  const { data, error } = useRead(method.getTrialBalance, { ...request, consistency }, SELDOM_MS);
  usePageCall(method.getTrialBalance, request);
  const rows = data?.rows ?? [];
  return (
    <section className="part" aria-label="Trial balance">
      <div className="title">
        <h2>Trial balance</h2>
        <span className="muted">as of {countText(data?.asOf?.position ?? 0n)}</span>
        {GROUPINGS.map(([name]) => (
          <button
            key={name}
            type="button"
            className="chip"
            aria-pressed={chosen === name}
            onClick={() => setParams({ by: name })}
          >
            by {name}
          </button>
        ))}
        <span className="end">
          <button type="button" onClick={() => saveTrialBalance(rows)}>
            CSV
          </button>
          <button type="button" onClick={() => window.print()}>
            Print
          </button>
        </span>
      </div>
      <FailureNote error={error} />
      <TrialTable chosen={chosen} rows={rows} totals={data?.totals ?? []} />
    </section>
  );
}

function saveTrialBalance(rows: readonly TrialBalanceRow[]): void {
  const lines = rows.map((row) =>
    [
      row.currency,
      row.key,
      accountTypeWord(row.accountType),
      ...[row.debits, row.credits, row.net].map((sum) => plainMoney(sum, row.exponent)),
    ]
      .map(csvField)
      .join(','),
  );
  download('trial-balance.csv', `${['currency,key,type,debits,credits,net', ...lines].join('\n')}\n`);
}

interface TrialTableProps {
  readonly chosen: string;
  readonly rows: readonly TrialBalanceRow[];
  readonly totals: readonly TrialBalanceTotal[];
}

function TrialTable({ chosen, rows, totals }: TrialTableProps) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Table of the trial balance">
      <table>
        <thead>
          <tr>
            <th>Currency</th>
            <th>{chosen === 'type' ? 'Type' : chosen === 'prefix' ? 'Prefix' : 'Account'}</th>
            <th className="right">Debits</th>
            <th className="right">Credits</th>
            <th className="right">Net</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ currency, key, accountType, exponent, debits, credits, net }) => (
            <tr key={`${currency} ${key} ${String(accountType)}`}>
              <td>{currency}</td>
              <td>
                {chosen === 'account' ? (
                  <AccountLink id={key} />
                ) : chosen === 'type' ? (
                  accountTypeWord(accountType)
                ) : (
                  key
                )}
              </td>
              {[debits, credits, net].map((sum, index) => (
                <td key={String(index)} className="right">
                  <Amount minorUnits={sum} exponent={exponent} />
                </td>
              ))}
            </tr>
          ))}
          {totals.map((total) => (
            <Total key={total.currency} total={total} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Total({ total: { currency, exponent, debits, credits } }: { readonly total: TrialBalanceTotal }) {
  return (
    <tr>
      <th>{currency}</th>
      <th>
        {debits === credits ? (
          <StateWord tone="good">balances</StateWord>
        ) : (
          <StateWord tone="bad">does not balance</StateWord>
        )}
      </th>
      <th className="right">
        <Amount minorUnits={debits} exponent={exponent} />
      </th>
      <th className="right">
        <Amount minorUnits={credits} exponent={exponent} />
      </th>
      <th className="right">
        <Amount minorUnits={BigInt(credits) - BigInt(debits)} exponent={exponent} />
      </th>
    </tr>
  );
}

function Ranking() {
  const { ledger } = useRoute();
  const totals = useRead(
    method.getTrialBalance,
    { ledgerId: ledger, groupBy: TrialBalanceGrouping.ACCOUNT_TYPE },
    SELDOM_MS,
  );
  const currencies = totals.data?.totals.map(({ currency }) => currency) ?? [];
  const [chosen, setChosen] = useState<string>();
  const currency = chosen ?? currencies[0];
  const { data, error } = useRead(
    method.rankAccounts,
    currency === undefined ? skipToken : { ledgerId: ledger, currency, rankBy: RankBy.POSTED, limit: 10 },
    SELDOM_MS,
  );
  return (
    <section className="part" aria-label="Largest accounts">
      <div className="title">
        <h2>Largest accounts</h2>
        <select
          aria-label="Currency"
          value={currency ?? ''}
          onChange={({ target }) => setChosen(target.value)}
        >
          {currencies.map((code) => (
            <option key={code}>{code}</option>
          ))}
        </select>
      </div>
      <FailureNote error={error} />
      <table>
        <thead>
          <tr>
            <th>Account</th>
            <th className="right">Posted</th>
            <th className="right">Entries</th>
          </tr>
        </thead>
        <tbody>
          {data?.accounts.map(({ accountId, posted, count }) => (
            <tr key={accountId}>
              <td>
                <AccountLink id={accountId} />
              </td>
              <td className="right">
                <Amount minorUnits={posted} exponent={data.exponent} />
              </td>
              <td className="right">{countText(count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function CashFlow() {
  const { ledger } = useRoute();
  const end = new Date((Math.floor(Date.now() / DAY_MS) + 1) * DAY_MS);
  const buckets = {
    startTime: timestampFromDate(new Date(end.getTime() - DAYS * DAY_MS)),
    endTime: timestampFromDate(end),
    interval: Interval.DAY,
  };
  const { data, error } = useRead(method.summarizeCashFlow, { ledgerId: ledger, buckets }, SELDOM_MS);
  const rows =
    data?.buckets.flatMap(({ startTime, rows: ofDay }) => ofDay.map((row) => ({ startTime, row }))) ?? [];
  return (
    <section className="part" aria-label="Cash in and out">
      <h2>Cash in and out, {DAYS} days</h2>
      <FailureNote error={error} />
      {data !== undefined && rows.length === 0 ? (
        <p className="muted">No cash has come in or gone out in these days.</p>
      ) : null}
      <table>
        <thead>
          <tr>
            <th>Day</th>
            <th>Kind</th>
            <th>Currency</th>
            <th className="right">In</th>
            <th className="right">Out</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ startTime, row: { kind, currency, exponent, inflow, outflow } }) => (
            <tr key={`${String(startTime?.seconds)} ${String(kind)} ${currency}`}>
              <td>
                <Time at={startTime} />
              </td>
              <td>{kindWord(kind)}</td>
              <td>{currency}</td>
              <td className="right">
                <Amount minorUnits={inflow} exponent={exponent} />
              </td>
              <td className="right">
                <Amount minorUnits={outflow} exponent={exponent} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
