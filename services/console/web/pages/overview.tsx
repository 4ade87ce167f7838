/** Is money moving? Is anything late, broken, or unproven? */
import { useState } from 'react';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  Interval,
  ReportQueryService,
  type VolumeBucket,
} from '../../../../gen/quittance/query/v1/report_query_service_pb.js';
import {
  type Projection,
  ProjectionService,
  ProjectionState,
} from '../../../../gen/quittance/ops/v1/projection_service_pb.js';
import { TransactionStatus, type Transaction } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import {
  PaymentOrder,
  TransactionQueryService,
} from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { Bars } from '../parts/bars.js';
import { Expiry, remainingOf } from '../parts/payment-summary.js';
import { RebuildShare } from '../parts/rebuild-share.js';
import { Checklist } from '../parts/checklist.js';
import { AccountLink, Amount, FailureNote, StateWord, Time, TransactionState } from '../parts/text.js';
import { kindWord } from '../parts/words.js';
import { countText } from '../numbers.js';
import { moneyText } from '../money.js';
import { OFTEN_MS, SELDOM_MS, useFreshness, useRead } from '../state/reads.js';
import { usePageCall } from '../state/page-call.js';
import { linkTo, useRoute } from '../state/route.js';
import { zoneStore } from '../state/preferences.js';
import { useStore } from '../state/store.js';
import { shortTime } from '../times.js';
import { useTransactionFeed } from '../state/watch.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const FEED_ROWS = 12;
const HOLDS_ROWS = 5;

export function OverviewPage() {
  const { ledger } = useRoute();
  const recent = useRead(
    TransactionQueryService.method.listTransactions,
    { ledgerId: ledger, consistency: useFreshness(), descending: true, pageSize: 200 },
    SELDOM_MS,
  );
  usePageCall(TransactionQueryService.method.listTransactions, {
    ledgerId: ledger,
    descending: true,
    pageSize: FEED_ROWS,
  });
  const feed = useTransactionFeed(ledger);
  const transactions = merged(feed.transactions, recent.data?.transactions ?? []);
  // The rows stay where they are while one is pointed at.
  const [held, setHeld] = useState<readonly Transaction[]>();
  const latest = transactions.slice(0, FEED_ROWS);
  return (
    <>
      <div className="title">
        <h1>{ledger}</h1>
      </div>
      <FailureNote error={recent.error} />
      <Checklist />
      {recent.isSuccess ? <Figures transactions={transactions} /> : null}
      <div className="columns">
        <DayOfMoney />
        <div className="part">
          <ReadModels />
          <OpenHolds />
        </div>
      </div>
      <LiveFeed transactions={held ?? latest} onHold={(isHeld) => setHeld(isHeld ? latest : undefined)} />
    </>
  );
}

/** The newest first, each once. */
function merged(feed: readonly Transaction[], listed: readonly Transaction[]): readonly Transaction[] {
  const known = new Map([...listed, ...feed].map((each) => [each.transactionId, each]));
  return [...known.values()].sort((a, b) => (a.position < b.position ? 1 : -1));
}

function Figures({ transactions }: { readonly transactions: readonly Transaction[] }) {
  const since = Date.now() - MINUTE_MS;
  const minute = transactions.filter(
    ({ recordedTime }) => recordedTime !== undefined && timestampDate(recordedTime).getTime() > since,
  );
  const declined = transactions.filter(({ status }) => status === TransactionStatus.DECLINED).length;
  const share = transactions.length === 0 ? 0 : (100 * declined) / transactions.length;
  return (
    <dl className="figures">
      <div className="figure">
        <dt>Transactions in the last minute</dt>
        <dd>{minute.length >= 200 ? '200+' : countText(minute.length)}</dd>
      </div>
      <div className="figure">
        <dt>Declined, of the last {countText(transactions.length)}</dt>
        <dd>
          <a href={linkTo('transactions', '', { q: 'status:declined' })}>
            {share.toLocaleString('en', { maximumFractionDigits: 1 })} %
          </a>
        </dd>
      </div>
      <div className="figure">
        <dt>Last transaction</dt>
        <dd>
          <Time at={transactions[0]?.recordedTime} />
        </dd>
      </div>
    </dl>
  );
}

/** Volume and declines by hour. The bounds move once per hour, so the same question is asked again. */
function DayOfMoney() {
  const { ledger } = useRoute();
  const end = new Date((Math.floor(Date.now() / HOUR_MS) + 1) * HOUR_MS);
  const buckets = {
    startTime: timestampFromDate(new Date(end.getTime() - 24 * HOUR_MS)),
    endTime: timestampFromDate(end),
    interval: Interval.HOUR,
  };
  const volume = useRead(ReportQueryService.method.summarizeVolume, { ledgerId: ledger, buckets }, SELDOM_MS);
  const declines = useRead(
    ReportQueryService.method.summarizeDeclines,
    { ledgerId: ledger, buckets },
    SELDOM_MS,
  );
  const zone = useStore(zoneStore);
  const currencies = [
    ...new Set(volume.data?.buckets.flatMap(({ rows }) => rows.map(({ currency }) => currency))),
  ].sort();
  return (
    <section className="part" aria-label="The last 24 hours">
      <h2>Volume, last 24 hours</h2>
      <FailureNote error={volume.error ?? declines.error} />
      {currencies.length === 0 && volume.isSuccess ? (
        <p className="muted">No money has moved in these hours.</p>
      ) : null}
      {currencies.map((currency) => (
        <div key={currency} className="part">
          <div className="muted small">
            {currency}: {sumText(volume.data?.buckets ?? [], currency)}
          </div>
          <Bars
            label={`Volume in ${currency} by hour`}
            bars={(volume.data?.buckets ?? []).map((bucket) => volumeBar(bucket, currency, zone))}
          />
        </div>
      ))}
      <h2>Declines by hour</h2>
      <Bars
        label="Declines by hour"
        isBad
        bars={(declines.data?.buckets ?? []).map(({ startTime, rows }) => {
          const count = rows.reduce((sum, row) => sum + row.count, 0n);
          const at = shortTime(startTime, zone);
          return { key: at, value: count, title: `${at}: ${countText(count)} declined` };
        })}
      />
    </section>
  );
}

function volumeBar({ startTime, rows }: VolumeBucket, currency: string, zone: string) {
  const own = rows.filter((row) => row.currency === currency);
  const value = own.reduce((sum, { volume }) => sum + BigInt(volume), 0n);
  const at = shortTime(startTime, zone);
  return { key: at, value, title: `${at}: ${moneyText(value, own[0]?.exponent ?? 0)} ${currency}` };
}

function sumText(buckets: readonly VolumeBucket[], currency: string): string {
  const rows = buckets.flatMap((bucket) => bucket.rows.filter((row) => row.currency === currency));
  const sum = rows.reduce((total, { volume }) => total + BigInt(volume), 0n);
  return moneyText(sum, rows[0]?.exponent ?? 0);
}

function ReadModels() {
  const { data, error } = useRead(ProjectionService.method.listProjections, {}, OFTEN_MS);
  return (
    <section className="part" aria-label="Read models">
      <h2>
        <a href={linkTo('read-models')}>Read models</a>
      </h2>
      <FailureNote error={error} />
      <table>
        <thead>
          <tr>
            <th>View</th>
            <th>State</th>
            <th className="right">Events behind</th>
            <th className="right">Dead letters</th>
          </tr>
        </thead>
        <tbody>
          {data?.projections.map((projection) => (
            <tr key={projection.projectionId}>
              <td>{projection.projectionId}</td>
              <td>
                <ProjectionWord projection={projection} />
                {projection.rebuild === undefined ? null : (
                  <RebuildShare rebuild={projection.rebuild} head={projection.headPosition} />
                )}
              </td>
              <td className="right">{countText(projection.lagEvents)}</td>
              <td className="right">{countText(projection.deadLetters)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The holds that end next: what is not captured by then is released. */
function OpenHolds() {
  const { ledger } = useRoute();
  const { data, error } = useRead(
    TransactionQueryService.method.listPayments,
    {
      ledgerId: ledger,
      consistency: useFreshness(),
      hasRemaining: true,
      orderBy: PaymentOrder.EXPIRE_TIME,
      pageSize: HOLDS_ROWS,
    },
    SELDOM_MS,
  );
  const payments = data?.payments ?? [];
  return (
    <section className="part" aria-label="Open holds">
      <h2>
        <a href={linkTo('payments', '', { q: 'open:yes' })}>Open holds, the next to expire first</a>
      </h2>
      <FailureNote error={error} />
      {data !== undefined && payments.length === 0 ? <p className="muted">No hold is open.</p> : null}
      {payments.length === 0 ? null : (
        <table>
          <thead>
            <tr>
              <th>Expires</th>
              <th className="right">Remaining</th>
              <th>Payer</th>
              <th>Reference</th>
            </tr>
          </thead>
          <tbody>
            {payments.map(({ transactionId, reference, payment }) =>
              payment === undefined ? null : (
                <tr key={transactionId}>
                  <td>
                    <a href={linkTo('payment', transactionId)}>
                      <Expiry payment={payment} />
                    </a>
                  </td>
                  <td className="right">
                    <Amount
                      minorUnits={remainingOf(payment)}
                      exponent={payment.exponent}
                      currency={payment.currency}
                    />
                  </td>
                  <td>
                    <AccountLink id={payment.payerAccountId} />
                  </td>
                  <td>{reference}</td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      )}
    </section>
  );
}

export function ProjectionWord({ projection: { state, failure } }: { readonly projection: Projection }) {
  switch (state) {
    case ProjectionState.RUNNING:
      return <StateWord tone="good">running</StateWord>;
    case ProjectionState.PAUSED:
      return <StateWord tone="warn">paused</StateWord>;
    case ProjectionState.FAILED:
      return <StateWord tone="bad">failed: {failure}</StateWord>;
    default:
      return <StateWord tone="calm">unknown</StateWord>;
  }
}

interface LiveFeedProps {
  readonly transactions: readonly Transaction[];
  readonly onHold: (isHeld: boolean) => void;
}

function LiveFeed({ transactions, onHold }: LiveFeedProps) {
  if (transactions.length === 0) return null;
  return (
    <section className="part" aria-label="Latest transactions">
      <h2>
        <a href={linkTo('transactions')}>Latest transactions</a>
      </h2>
      <div
        className="scroll"
        tabIndex={0}
        role="region"
        aria-label="Table of the latest transactions"
        onPointerEnter={() => onHold(true)}
        onPointerLeave={() => onHold(false)}
      >
        <table>
          <thead>
            <tr>
              <th>Recorded</th>
              <th>Kind</th>
              <th className="right">Amount</th>
              <th>Status</th>
              <th>Accounts</th>
            </tr>
          </thead>
          <tbody>
            {transactions.map((transaction) => (
              <FeedRow key={transaction.transactionId} transaction={transaction} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function FeedRow({ transaction }: { readonly transaction: Transaction }) {
  const { transactionId, recordedTime, kind, amount, entries, payment } = transaction;
  const accounts = [
    ...new Set([
      ...entries.map(({ accountId }) => accountId),
      payment?.payerAccountId ?? '',
      payment?.payeeAccountId ?? '',
    ]),
  ];
  return (
    <tr className="slide">
      <td>
        <a href={linkTo('transaction', transactionId)} data-row="">
          <Time at={recordedTime} />
        </a>
      </td>
      <td>{kindWord(kind)}</td>
      <td className="right">
        {amount === undefined ? null : (
          <Amount minorUnits={amount.minorUnits} exponent={amount.exponent ?? 0} currency={amount.currency} />
        )}
      </td>
      <td>
        <TransactionState transaction={transaction} />
      </td>
      <td>
        {accounts
          .filter((id) => id !== '')
          .slice(0, 3)
          .map((id, index) => (
            <span key={id}>
              {index === 0 ? '' : ', '}
              <AccountLink id={id} />
            </span>
          ))}
      </td>
    </tr>
  );
}
