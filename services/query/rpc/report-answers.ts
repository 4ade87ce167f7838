/** What the reports share: how fresh they are, errors of what was not found, and how they are dated. */
import type { AsOf, Consistency } from '../../../gen/quittance/common/v1/consistency_pb.js';
import { TimeBasis } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import type { Call } from '../../../lib/rpc/call.js';
import type { TimeBasis as Basis } from '../../../lib/views/reports/view.js';
import type { Read } from '../../../lib/views/view.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import type { WholeReports } from '../whole-views.js';
import { requireLedgerInLog } from './answers.js';

/** What every request for a report has. */
interface ReportRequest {
  readonly ledgerId: string;
  readonly consistency?: Consistency | undefined;
}

/** The time that a report goes by; effective time unless asked otherwise. */
export function basisOf(timeBasis: TimeBasis): Basis {
  return timeBasis === TimeBasis.RECORDED_TIME ? 'recorded' : 'effective';
}

/**
 * Reads a list of rows from the reports view once it is as fresh as the request asks.
 * @throws CallError LEDGER_NOT_FOUND: looked for only if there are no rows, and in the log, which is ahead of
 * every view
 */
export async function readReport<R>(
  context: QueryContext,
  { ledgerId, consistency }: ReportRequest,
  call: Call,
  read: (view: WholeReports, partition: number) => Promise<Read<readonly R[]>>,
): Promise<Read<readonly R[]>> {
  const partition = context.partitionOf(ledgerId);
  await context.freshness.reach(context.reports, partition, { ledgerId, consistency }, call);
  const report = await readView(context.reports, (view) => read(view, partition));
  if (report.value.length === 0) await requireLedgerInLog(context, ledgerId);
  return report;
}

/**
 * The as_of of a report of what happened before `before`. Later events are recorded after as_of.time, so by
 * recorded time the past is final; by effective time it never is.
 */
export function reportAsOf(
  context: QueryContext,
  point: LogPoint,
  basis: Basis,
  before: bigint | null | undefined,
): Promise<AsOf> {
  const final =
    basis === 'recorded' && before !== null && before !== undefined && before < point.recordedTime;
  return asOf(context, point, { final });
}
