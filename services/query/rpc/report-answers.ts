/** What the reports share: how fresh they are, errors of what was not found, and how they are dated. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { Account } from '../../../gen/quittance/common/v1/account_pb.js';
import type { AsOf, Consistency } from '../../../gen/quittance/common/v1/consistency_pb.js';
import { TimeBasis } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import type { Call } from '../../../lib/rpc/call.js';
import type { BucketQuery, TimeBasis as Basis } from '../../../lib/views/reports/view.js';
import type { Read } from '../../../lib/views/view.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import type { WholeReports } from '../whole-views.js';
import { accountNotFound, pointAt, requireLedgerInLog } from './answers.js';
import { closedAt } from './closed-period.js';

/** What every request for a report has. */
interface ReportRequest {
  readonly ledgerId: string;
  readonly consistency?: Consistency | undefined;
  /** 0: that of the view. */
  readonly position: bigint;
}

/** The rows of a report, and the point of the log that they are as of. */
interface Report<R> {
  readonly value: readonly R[];
  readonly asOf: LogPoint;
}

/** The time that a report goes by; effective time unless asked otherwise. */
export function basisOf(timeBasis: TimeBasis): Basis {
  return timeBasis === TimeBasis.RECORDED_TIME ? 'recorded' : 'effective';
}

/**
 * Reads a list of rows from the reports view once it is as fresh as the request asks, up to the position that it names: null is
 * that of the view.
 * @throws CallError LEDGER_NOT_FOUND: looked for only if there are no rows, and in the log, which is ahead of
 * every view; POSITION_OUT_OF_RANGE
 */
export async function readReport<R>(
  context: QueryContext,
  { ledgerId, consistency, ...request }: ReportRequest,
  call: Call,
  read: (view: WholeReports, scope: ReportScope) => Promise<Read<readonly R[]>>,
): Promise<Report<R>> {
  const partition = context.partitionOf(ledgerId);
  const position = request.position === 0n ? undefined : request.position;
  await context.freshness.reach(context.reports, partition, { ledgerId, consistency, position }, call);
  const pin = position === undefined ? undefined : await pointAt(context, position);
  const scope = { partition, ledgerId, through: pin?.position ?? null };
  const { value, asOf: viewAsOf } = await readView(context.reports, (view) => read(view, scope));
  if (value.length === 0) await requireLedgerInLog(context, ledgerId);
  return { value, asOf: pin ?? viewAsOf };
}

/** What every query of the view has of the request. */
type ReportScope = Pick<BucketQuery, 'partition' | 'ledgerId' | 'through'>;

/** Up to where a report goes. */
interface ReportEnd {
  readonly asOf: AsOf;
  readonly closedThrough: Timestamp | undefined;
}

/**
 * The as_of of a report of what happened before `before`, and what was closed there. Later events are recorded after as_of.time, so
 * by recorded time the past is final; by effective time it is as long as it is closed.
 */
export async function reportEnd(
  context: QueryContext,
  ledgerId: string,
  point: LogPoint,
  basis: Basis,
  before: bigint | null | undefined,
): Promise<ReportEnd> {
  const final =
    basis === 'recorded' && before !== null && before !== undefined && before < point.recordedTime;
  const [shown, { closedThrough }] = await Promise.all([
    asOf(context, point, { final }),
    closedAt(context, ledgerId, point.position),
  ]);
  return { asOf: shown, closedThrough };
}

/**
 * An account that is in no report, since it has no entries: the history view knows it, once it is as fresh as the caller asks.
 * @throws CallError ACCOUNT_NOT_FOUND
 */
export async function accountWithoutEntries(
  context: QueryContext,
  { ledgerId, accountId, consistency }: ReportRequest & { readonly accountId: string },
  call: Call,
): Promise<Account> {
  const partition = context.partitionOf(ledgerId);
  await context.freshness.reach(context.history, partition, { ledgerId, consistency }, call);
  const { value } = await readView(context.history, (view) => view.account(partition, ledgerId, accountId));
  if (value === undefined) throw accountNotFound(accountId);
  return value;
}
