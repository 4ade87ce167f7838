/** What is closed of a ledger: until when nothing is posted any more, and what it came to. */
import type { ClosedPeriod } from '../../../../gen/quittance/common/v1/period_pb.js';
import { LedgerCommandService } from '../../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { LedgerQueryService } from '../../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { countText } from '../numbers.js';
import { openAction } from '../state/actions.js';
import { SELDOM_MS, useFreshness, useRead } from '../state/reads.js';
import { linkTo, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';
import { Amount, ExactTime, FailureNote } from './text.js';
import { accountTypeWord } from './words.js';

const { method } = LedgerCommandService;

export function Periods() {
  const { ledger } = useRoute();
  const may = useMay();
  const { data, error } = useRead(
    LedgerQueryService.method.getLedger,
    { ledgerId: ledger, consistency: useFreshness() },
    SELDOM_MS,
  );
  const through = data?.ledger?.closedThrough;
  const period = data?.closedPeriod;
  return (
    <section className="part" aria-label="Closed periods">
      <div className="title">
        <h2>Closed periods</h2>
        <span className="end">
          {may(method.closePeriod, ledger) ? (
            <button
              type="button"
              onClick={() => openAction('close-period', { closedThrough: endOfLastMonth(new Date()) })}
            >
              Close a period…
            </button>
          ) : null}
          {through !== undefined && may(method.reopenPeriod, ledger) ? (
            <button type="button" onClick={() => openAction('reopen-period')}>
              Reopen…
            </button>
          ) : null}
        </span>
      </div>
      <FailureNote error={error} />
      {data !== undefined && through === undefined ? (
        <p className="muted">Nothing is closed: what is dated in the past can still be posted.</p>
      ) : null}
      {through === undefined ? null : (
        <p>
          Nothing dated up to <ExactTime at={through} /> is posted any more.{' '}
          <a href={linkTo('events', '', { q: 'kind:period_closed,period_reopened' })}>All that was closed</a>
        </p>
      )}
      {period === undefined ? null : <PeriodTotals period={period} />}
    </section>
  );
}

/** The day before the first of this month, in UTC. */
function endOfLastMonth(now: Date): string {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 0)).toISOString().slice(0, 10);
}

/** The trial balance through the end of a period. */
export function PeriodTotals({ period }: { readonly period: ClosedPeriod }) {
  const { totals, totalCount, description, closedThrough } = period;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Trial balance of the period">
      <p className="muted">
        {description === '' ? 'The period' : description}, through <ExactTime at={closedThrough} />:{' '}
        {countText(totalCount)} {totalCount === 1 ? 'row' : 'rows'}
      </p>
      <table>
        <thead>
          <tr>
            <th>Currency</th>
            <th>Type</th>
            <th className="right">Debits</th>
            <th className="right">Credits</th>
          </tr>
        </thead>
        <tbody>
          {totals.map(({ currency, exponent, accountType, debits, credits }) => (
            <tr key={`${currency} ${String(accountType)}`}>
              <td>{currency}</td>
              <td>{accountTypeWord(accountType)}</td>
              {[debits, credits].map((sum, index) => (
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
