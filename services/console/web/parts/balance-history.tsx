/** What an account had at the end of each hour, day, week or month: as a line, and as figures. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  type BalanceBucket,
  Interval,
  ReportQueryService,
} from '../../../../gen/quittance/query/v1/report_query_service_pb.js';
import { moneyText } from '../money.js';
import { zoneStore } from '../state/preferences.js';
import { SELDOM_MS, useFreshness, usePin, useRead } from '../state/reads.js';
import { setParams, useRoute } from '../state/route.js';
import { useStore } from '../state/store.js';
import { shortTime } from '../times.js';
import { Sparkline } from './sparkline.js';
import { Amount, FailureNote, Time } from './text.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Of each choice: its bucket, and how far back it looks. */
const RANGES = [
  ['hours', Interval.HOUR, 2 * DAY_MS],
  ['days', Interval.DAY, 31 * DAY_MS],
  ['weeks', Interval.WEEK, 26 * 7 * DAY_MS],
  ['months', Interval.MONTH, 730 * DAY_MS],
] as const;

export function BalanceHistory() {
  const { params } = useRoute();
  const zone = useStore(zoneStore);
  const chosen = params.get('by') ?? 'days';
  const { data, error } = useHistory(RANGES.find(([name]) => name === chosen) ?? RANGES[1], zone);
  const buckets = data?.buckets ?? [];
  const exponent = data?.exponent ?? 0;
  const last = buckets.at(-1);
  return (
    <section className="part" aria-label="Balance over time">
      <div className="title" role="group" aria-label="How wide">
        {RANGES.map(([name]) => (
          <button
            key={name}
            type="button"
            className="chip"
            aria-pressed={chosen === name}
            onClick={() => setParams({ by: name })}
          >
            {name}
          </button>
        ))}
        <span className="muted small">by the effective time of entries</span>
      </div>
      <FailureNote error={error} />
      {last === undefined ? null : (
        <div className="trend">
          <Sparkline
            label={`Balance at the end of each of ${String(buckets.length)} ${chosen}, at last ${moneyText(last.closing, exponent)}`}
            values={buckets.map(({ closing }) => BigInt(closing))}
          />
          <div className="muted small ends">
            <span>{shortTime(buckets[0]?.startTime, zone)}</span>
            <span>{shortTime(last.endTime, zone)}</span>
          </div>
        </div>
      )}
      <BucketTable buckets={buckets} exponent={exponent} />
    </section>
  );
}

function useHistory([, interval, reach_ms]: (typeof RANGES)[number], timeZone: string) {
  const { ledger, id } = useRoute();
  const position = usePin() ?? 0n;
  // The bounds move once per hour, so the same question is asked again.
  const end = new Date((Math.floor(Date.now() / HOUR_MS) + 1) * HOUR_MS);
  const startTime = timestampFromDate(new Date(end.getTime() - reach_ms));
  const buckets = { startTime, endTime: timestampFromDate(end), interval, timeZone };
  const request = { ledgerId: ledger, accountId: id, consistency: useFreshness(), position, buckets };
  return useRead(ReportQueryService.method.getBalanceHistory, request, SELDOM_MS);
}

interface BucketTableProps {
  readonly buckets: readonly BalanceBucket[];
  readonly exponent: number;
}

/** The latest first. */
function BucketTable({ buckets, exponent }: BucketTableProps) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Table of the balance over time">
      <table>
        <thead>
          <tr>
            <th>From</th>
            <th className="right">Opening</th>
            <th className="right">Debits</th>
            <th className="right">Credits</th>
            <th className="right">Closing</th>
          </tr>
        </thead>
        <tbody>
          {buckets.toReversed().map(({ startTime, opening, debits, credits, closing }) => (
            <tr key={String(startTime?.seconds)}>
              <td>
                <Time at={startTime} />
              </td>
              {[opening, debits, credits, closing].map((sum, index) => (
                <td key={String(index)} className="right">
                  <Amount minorUnits={sum} exponent={exponent} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
