/** Wires the query service: the read methods over the log and the views. */
import type { LogReader } from '../../lib/log/reader.js';
import type { Tracer } from '../../lib/observe/tracing.js';
import type { Service } from '../../lib/rpc/service.js';
import type { BalancesView } from '../../lib/views/balances/view.js';
import type { HistoryView } from '../../lib/views/history/view.js';
import type { ReportsView } from '../../lib/views/reports/view.js';
import type { ViewGenerations } from '../../lib/views/view.js';
import { Freshness } from './consistency.js';
import { currentBalances } from './current-balances.js';
import { DEFAULT_HEARTBEAT_MS } from './context.js';
import type { ReadFigures } from './metrics.js';
import { accountQueryService } from './rpc/account-query-service.js';
import { eventQueryService } from './rpc/event-query-service.js';
import { ledgerQueryService } from './rpc/ledger-query-service.js';
import type { LedgersContext } from './rpc/list-ledgers.js';
import { reportQueryService } from './rpc/report-query-service.js';
import { transactionQueryService } from './rpc/transaction-query-service.js';
import { servingView } from './serving-view.js';
import { wholeBalances, wholeHistory, wholeReports } from './whole-views.js';

/** What the query service is built from; the composition root brings the adapters. */
export interface QueryDeps {
  readonly log: LogReader;
  /** The partition that a ledger lives in, as the bus has it. */
  partitionOf(ledgerId: string): number;
  /** How many partitions the bus has; default 1, as embedded. */
  readonly partitions?: number;
  readonly balances: ViewGenerations<BalancesView>;
  readonly history: ViewGenerations<HistoryView>;
  readonly reports: ViewGenerations<ReportsView>;
  /** How often a watch without news sends its as_of, milliseconds. */
  readonly heartbeat_ms?: number;
  /**
   * How long a read waits for its view if its caller set no deadline, milliseconds. Default 5 s, as the
   * contracts say.
   */
  readonly readDeadline_ms?: number | undefined;
  /** Absent where traces are off. */
  readonly tracer?: Tracer | undefined;
  /** For `readMetrics`. */
  readonly figures?: ReadFigures;
}

export function composeQuery(deps: QueryDeps): readonly Service[] {
  const context: LedgersContext = {
    log: deps.log,
    partitionOf: (ledgerId) => deps.partitionOf(ledgerId),
    partitions: deps.partitions ?? 1,
    balances: servingView(wholeBalances(currentBalances(deps.balances, deps.history))),
    history: servingView(wholeHistory(deps.history)),
    reports: servingView(wholeReports(deps.reports)),
    freshness: new Freshness(deps.log, deps),
    heartbeat_ms: deps.heartbeat_ms ?? DEFAULT_HEARTBEAT_MS,
  };
  return [
    ledgerQueryService(context),
    accountQueryService(context),
    transactionQueryService(context),
    reportQueryService(context),
    eventQueryService(context),
  ];
}
