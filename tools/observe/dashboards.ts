/** The dashboards: Money, Commands, Freshness, Runtime, Proof. */
import type { Dashboard, Query } from './definition.js';

/** The rate per second of a counter, summed by labels. */
function rate(by: string, series: string): string {
  return `sum by (${by}) (rate(${series}[$__rate_interval]))`;
}

/** The median and the 99th percentile of a histogram. */
function quantiles(histogram: string, matchers = '', by = ''): readonly Query[] {
  const labels = by === '' ? 'le' : `le, ${by}`;
  const prefix = by === '' ? '' : `{{${by}}} `;
  return ['0.5', '0.99'].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (${labels}) (rate(${histogram}_bucket${matchers}[$__rate_interval])))`,
    legend: `${prefix}p${String(Number(quantile) * 100)}`,
  }));
}

const MONEY: Dashboard = {
  id: 'money',
  title: 'Quittance: Money',
  panels: [
    {
      title: 'Commands that moved or held money, per minute',
      description:
        'Committed commands by type. A line that falls to zero at a busy time is an outage or a caller that left.',
      kind: 'lines',
      unit: 'cpm',
      queries: [
        {
          expr: `60 * ${rate('command', 'quittance_commands_total{outcome="committed",command=~"DEPOSIT|WITHDRAW|.*_PAYMENT|.*_TRANSACTION"}')}`,
          legend: '{{command}}',
        },
      ],
    },
    {
      title: 'Share of commands that were declined',
      description:
        'Of those committed or declined. A jump means customers without funds, a frozen account, or a faulty caller.',
      kind: 'lines',
      unit: 'percentunit',
      queries: [
        {
          expr:
            'sum(rate(quittance_commands_total{outcome="declined"}[$__rate_interval])) / ' +
            'sum(rate(quittance_commands_total{outcome=~"committed|declined"}[$__rate_interval]))',
          legend: 'declined',
        },
      ],
    },
    {
      title: 'Declined per minute, by reason',
      description: 'Why money did not move.',
      kind: 'lines',
      unit: 'cpm',
      queries: [
        {
          expr: `60 * ${rate('reason', 'quittance_commands_total{outcome="declined"}')}`,
          legend: '{{reason}}',
        },
      ],
    },
    {
      title: 'Payments by currency, per minute',
      description: 'Payments and captures in whole units of the currency, without fees.',
      kind: 'lines',
      unit: 'short',
      queries: [
        {
          expr: `60 * ${rate('currency', 'quittance_posted_amount_total{kind=~"PAYMENT|CAPTURE"}')}`,
          legend: '{{currency}}',
        },
      ],
    },
    {
      title: 'Posted in the last hour',
      description: 'By kind of transaction, in whole units of the currency, without fees.',
      kind: 'number',
      unit: 'short',
      queries: [
        {
          expr: 'sum by (kind, currency) (increase(quittance_posted_amount_total[1h]))',
          legend: '{{kind}} {{currency}}',
        },
      ],
    },
    {
      title: 'Open holds',
      description: 'Authorized and neither captured, voided nor expired; counted to 100,000.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: 'sum(quittance_holds_open)', legend: 'open holds' }],
    },
    {
      title: 'Time until the next hold expires',
      description: 'Below zero for more than a few seconds: the expirer does not come after.',
      kind: 'number',
      unit: 's',
      queries: [
        { expr: 'min(quittance_hold_next_expiry_timestamp_seconds) - time()', legend: 'next expiry' },
      ],
    },
  ],
};

const COMMANDS: Dashboard = {
  id: 'commands',
  title: 'Quittance: Commands',
  panels: [
    {
      title: 'Calls per second, by method',
      description: 'All calls that were answered, reads too.',
      kind: 'lines',
      unit: 'ops',
      queries: [{ expr: rate('method', 'quittance_calls_total'), legend: '{{method}}' }],
    },
    {
      title: 'Time to answer a command',
      description:
        'Without streams, which count from open to end. The alert LatencyBurn counts those above 250 ms.',
      kind: 'lines',
      unit: 's',
      queries: quantiles(
        'quittance_call_duration_seconds',
        '{method=~"quittance[.]command[.].+",method!~".+/StreamCommands"}',
      ),
    },
    {
      title: 'Errors per second, by reason',
      description: 'docs/errors.md says what each means and who can do something about it.',
      kind: 'lines',
      unit: 'ops',
      queries: [{ expr: rate('reason', 'quittance_call_errors_total'), legend: '{{reason}}' }],
    },
    {
      title: 'Commands per second, by outcome',
      description: 'Replayed: a caller sent a request id again. Refused: an error, nothing was stored.',
      kind: 'lines',
      unit: 'ops',
      queries: [{ expr: rate('outcome', 'quittance_commands_total'), legend: '{{outcome}}' }],
    },
    {
      title: 'Queue',
      description: 'Commands that wait, and how many may. At the limit calls are refused with QUEUE_FULL.',
      kind: 'lines',
      unit: 'short',
      queries: [
        { expr: 'sum(quittance_queue_commands)', legend: 'waiting' },
        { expr: 'max(quittance_queue_limit_commands)', legend: 'limit' },
      ],
    },
    {
      title: 'Time in the queue',
      description: 'About one flush when all is well.',
      kind: 'lines',
      unit: 's',
      queries: quantiles('quittance_queue_wait_seconds'),
    },
    {
      title: 'Commands per flush',
      description:
        'How many share one append. It grows with the load, and with the time that the disk takes.',
      kind: 'lines',
      unit: 'short',
      queries: [
        {
          expr: 'sum(rate(quittance_flush_commands_sum[$__rate_interval])) / sum(rate(quittance_flush_commands_count[$__rate_interval]))',
          legend: 'mean',
        },
        ...quantiles('quittance_flush_commands').slice(1),
      ],
    },
    {
      title: 'Time of a flush and of its append',
      description:
        'The 99th percentile. If the append takes most of it, the disk or the network to PostgreSQL is slow.',
      kind: 'lines',
      unit: 's',
      queries: [
        ...quantiles('quittance_flush_duration_seconds')
          .slice(1)
          .map(({ expr }) => ({ expr, legend: 'flush p99' })),
        ...quantiles('quittance_append_duration_seconds')
          .slice(1)
          .map(({ expr }) => ({ expr, legend: 'append p99' })),
      ],
    },
    {
      title: 'Appends per second, by outcome',
      description:
        '"behind" and "duplicate_request" are conflicts with another process; "unknown" is a connection that broke.',
      kind: 'lines',
      unit: 'ops',
      queries: [{ expr: rate('outcome', 'quittance_appends_total'), legend: '{{outcome}}' }],
    },
    {
      title: 'Commands whose state was in memory',
      description:
        'The rest had to read the state tables first. It is low after a start, or with more accounts in use than are kept.',
      kind: 'lines',
      unit: 'percentunit',
      queries: [
        {
          expr:
            'sum(rate(quittance_state_lookups_total{result="hit"}[$__rate_interval])) / ' +
            'sum(rate(quittance_state_lookups_total[$__rate_interval]))',
          legend: 'in memory',
        },
      ],
    },
    {
      title: 'Events that the state tables may lack',
      description: 'At the limit commands are refused: the write-behind does not come after.',
      kind: 'lines',
      unit: 'short',
      queries: [
        { expr: 'quittance_state_tail_events', legend: '{{instance}}' },
        { expr: 'max(quittance_state_tail_limit_events)', legend: 'limit' },
      ],
    },
    {
      title: 'Which process decides',
      description: 'One has the lease. None for more than a few seconds: no command is taken.',
      kind: 'lines',
      unit: 'bool_yes_no',
      queries: [{ expr: 'quittance_lease_held', legend: '{{instance}}' }],
      isDistributed: true,
    },
    {
      title: 'Term of the lease',
      description:
        'Raised each time that the lease is taken: a line that climbs is a lease that no process can keep.',
      kind: 'number',
      unit: 'none',
      queries: [{ expr: 'max(quittance_lease_term)', legend: 'term' }],
      isDistributed: true,
    },
  ],
};

const FRESHNESS: Dashboard = {
  id: 'freshness',
  title: 'Quittance: Freshness',
  panels: [
    {
      title: 'How far log and views are',
      description: 'Positions. A view that stands still below the log is paused or failed.',
      kind: 'lines',
      unit: 'none',
      queries: [
        { expr: 'max(quittance_log_position)', legend: 'log' },
        { expr: 'min by (projection) (quittance_projection_position)', legend: '{{projection}}' },
      ],
    },
    {
      title: 'Lag of each view, in events',
      description: 'How many positions a view is behind the end of the log.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: 'max by (projection) (quittance_projection_lag_events)', legend: '{{projection}}' }],
    },
    {
      title: 'Lag of each view, in seconds',
      description: 'How long the oldest event has waited that is not in the view: how old an answer may be.',
      kind: 'lines',
      unit: 's',
      queries: [{ expr: 'max by (projection) (quittance_projection_lag_seconds)', legend: '{{projection}}' }],
    },
    {
      title: 'Events applied per second',
      description: 'Of each view, redelivered ones included.',
      kind: 'lines',
      unit: 'ops',
      queries: [
        { expr: rate('projection', 'quittance_projection_applied_events_total'), legend: '{{projection}}' },
      ],
    },
    {
      title: 'Relay: lag in events',
      description: 'How many positions Kafka is behind the log.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: 'max(quittance_relay_lag_events)', legend: 'relay' }],
      isDistributed: true,
    },
    {
      title: 'Relay: lag in seconds',
      description: 'How long the oldest event has waited that is not in Kafka.',
      kind: 'lines',
      unit: 's',
      queries: [{ expr: 'max(quittance_relay_lag_seconds)', legend: 'relay' }],
      isDistributed: true,
    },
    {
      title: 'Relay: events sent and errors, per second',
      description: 'Errors while nothing is sent: Kafka is away.',
      kind: 'lines',
      unit: 'ops',
      queries: [
        { expr: 'sum(rate(quittance_relay_events_total[$__rate_interval]))', legend: 'events' },
        { expr: 'sum(rate(quittance_relay_messages_total[$__rate_interval]))', legend: 'messages' },
        { expr: 'sum(rate(quittance_relay_errors_total[$__rate_interval]))', legend: 'errors' },
      ],
      isDistributed: true,
    },
    {
      title: 'Projections that do not run',
      description: 'Paused by an operator, or failed: GetProjection says why.',
      kind: 'lines',
      unit: 'bool_yes_no',
      queries: [
        {
          expr: 'max by (projection, state) (quittance_projection_state{state!="running"})',
          legend: '{{projection}} {{state}}',
        },
      ],
    },
    {
      title: 'Dead letters',
      description: 'Events that a view does not have, since its store refused them or one before them.',
      kind: 'lines',
      unit: 'short',
      queries: [
        { expr: 'sum by (projection) (quittance_projection_dead_letters)', legend: '{{projection}}' },
      ],
    },
    {
      title: 'Webhooks that fail',
      description:
        'Those whose last attempt failed, and the deliveries that were given up: ListWebhookDeliveries says why.',
      kind: 'lines',
      unit: 'short',
      queries: [
        { expr: 'max(quittance_webhooks_retrying)', legend: 'retrying' },
        { expr: 'max(quittance_webhook_parked_deliveries)', legend: 'parked deliveries' },
      ],
    },
    {
      title: 'Rebuild: how much of the log is filled in',
      description: 'Of the latest rebuild of each view; then the generations are compared row by row.',
      kind: 'lines',
      unit: 'percentunit',
      queries: [{ expr: 'max by (projection) (quittance_rebuild_filled_ratio)', legend: '{{projection}}' }],
    },
    {
      title: 'Rebuild: rows compared, and rows that differ',
      description: 'A row that differs keeps the old generation serving.',
      kind: 'lines',
      unit: 'short',
      queries: [
        { expr: 'max by (projection) (quittance_rebuild_compared_rows)', legend: '{{projection}} compared' },
        {
          expr: 'max by (projection) (quittance_rebuild_different_rows)',
          legend: '{{projection}} different',
        },
      ],
    },
    {
      title: 'Reads that asked for freshness, per second',
      description: 'By whether they waited for their view. "behind": they failed with READ_MODEL_BEHIND.',
      kind: 'lines',
      unit: 'ops',
      queries: [{ expr: rate('view, result', 'quittance_fresh_reads_total'), legend: '{{view}} {{result}}' }],
    },
    {
      title: 'How long reads waited',
      description: 'Those alone that did not find their view far enough.',
      kind: 'lines',
      unit: 's',
      queries: quantiles('quittance_read_wait_seconds', '', 'view'),
    },
    {
      title: 'Tokens that were known',
      description: 'Tokens checked against the log without a look-up there.',
      kind: 'lines',
      unit: 'percentunit',
      queries: [
        {
          expr:
            'sum(rate(quittance_token_checks_total{result="hit"}[$__rate_interval])) / ' +
            'sum(rate(quittance_token_checks_total[$__rate_interval]))',
          legend: 'known',
        },
      ],
    },
  ],
};

const RUNTIME: Dashboard = {
  id: 'runtime',
  title: 'Quittance: Runtime',
  panels: [
    {
      title: 'Services that serve',
      description: 'As grpc.health.v1 says, per process.',
      kind: 'lines',
      unit: 'bool_yes_no',
      queries: [{ expr: 'quittance_health_serving', legend: '{{instance}} {{service}}' }],
    },
    {
      title: 'Calls denied or limited',
      description:
        'Refused for who makes them, by reason, and for how many they are, by limit. A step up is a key that ended, a caller that runs wild, or an attack.',
      kind: 'lines',
      unit: 'cpm',
      queries: [
        {
          expr: '60 * sum by (reason) (rate(quittance_calls_denied_total[$__rate_interval]))',
          legend: '{{reason}}',
        },
        {
          expr: '60 * sum by (limit) (rate(quittance_calls_limited_total[$__rate_interval]))',
          legend: 'limit of the {{limit}}',
        },
      ],
      isSecured: true,
    },
    {
      title: 'Days until the certificate ends',
      description: 'Per process. At 0 callers refuse it.',
      kind: 'lines',
      unit: 'short',
      queries: [
        {
          expr: '(quittance_tls_certificate_end_timestamp_seconds - time()) / 86400',
          legend: '{{instance}}',
        },
      ],
      isSecured: true,
    },
    {
      title: 'Processor',
      description:
        'Cores in use per process. JavaScript runs on one; the embedded process has a second thread for its views.',
      kind: 'lines',
      unit: 'short',
      queries: [
        { expr: 'rate(quittance_process_cpu_seconds_total[$__rate_interval])', legend: '{{instance}}' },
      ],
    },
    {
      title: 'Memory',
      description: 'Resident memory per process. It should be flat after the first hour.',
      kind: 'lines',
      unit: 'bytes',
      queries: [{ expr: 'quittance_process_resident_memory_bytes', legend: '{{instance}}' }],
    },
    {
      title: 'Heap in use, of its limit',
      description: 'At 1 the process ends.',
      kind: 'lines',
      unit: 'percentunit',
      queries: [
        {
          expr: 'quittance_nodejs_heap_size_used_bytes / quittance_heap_limit_bytes',
          legend: '{{instance}}',
        },
      ],
    },
    {
      title: 'Delay of the event loop',
      description: 'How long ready work waits for the thread: every call waits as long, several times.',
      kind: 'lines',
      unit: 's',
      queries: [
        { expr: 'quittance_nodejs_eventloop_lag_p50_seconds', legend: '{{instance}} p50' },
        { expr: 'quittance_nodejs_eventloop_lag_p99_seconds', legend: '{{instance}} p99' },
      ],
    },
    {
      title: 'Garbage collection',
      description: 'Share of the time.',
      kind: 'lines',
      unit: 'percentunit',
      queries: [
        {
          expr: 'sum by (instance) (rate(quittance_nodejs_gc_duration_seconds_sum[$__rate_interval]))',
          legend: '{{instance}}',
        },
      ],
    },
    {
      title: 'Calls under way',
      description: 'Streams and watches count as long as they are open.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: 'sum by (instance) (quittance_calls_in_flight)', legend: '{{instance}}' }],
    },
    {
      title: 'Up since',
      description: 'A short line is a process that was started again.',
      kind: 'number',
      unit: 's',
      queries: [{ expr: 'time() - quittance_process_start_time_seconds', legend: '{{instance}}' }],
    },
    {
      title: 'Version',
      description: 'What runs where.',
      kind: 'number',
      unit: 'none',
      queries: [{ expr: 'quittance_build_info', legend: '{{instance}} {{version}}' }],
    },
    {
      title: 'Disk of the data directory: free',
      description: 'Without room nothing is committed.',
      kind: 'lines',
      unit: 'percentunit',
      queries: [
        { expr: 'quittance_data_disk_free_bytes / quittance_data_disk_size_bytes', legend: '{{instance}}' },
      ],
      isEmbedded: true,
    },
  ],
};

const PROOF: Dashboard = {
  id: 'proof',
  title: 'Quittance: Proof',
  panels: [
    {
      title: 'Verdict of the last proof',
      description: 'Of the last VerifyLedger in each process: log, state tables and all views agree.',
      kind: 'number',
      unit: 'bool_yes_no',
      queries: [{ expr: 'quittance_proof_ok', legend: '{{instance}} shard {{shard}}' }],
    },
    {
      title: 'Since the last proof',
      description: 'Since when it is known that the books are right.',
      kind: 'number',
      unit: 's',
      queries: [
        { expr: 'time() - max by (shard) (quittance_proof_timestamp_seconds)', legend: 'shard {{shard}}' },
      ],
    },
    {
      title: 'Ledgers that differ',
      description: 'Whose last proof found differences: each is to be looked at, none may stay.',
      kind: 'number',
      unit: 'none',
      queries: [{ expr: 'sum(quittance_proof_differing_ledgers)', legend: 'ledgers' }],
    },
    {
      title: 'Findings of the last proof',
      description: 'How many differences it named or counted.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: 'quittance_proof_findings', legend: '{{instance}}' }],
    },
    {
      title: 'Proofs in the last hour, by verdict',
      description: '"gave_up": the caller left, or a store was away.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: 'sum by (verdict) (increase(quittance_proofs_total[1h]))', legend: '{{verdict}}' }],
    },
    {
      title: 'How long the last proof took',
      description: 'It walks the whole log and grows with it.',
      kind: 'lines',
      unit: 's',
      queries: [{ expr: 'quittance_proof_duration_seconds', legend: '{{instance}}' }],
    },
    {
      title: 'Positions that are not verified yet',
      description: 'From where the last proof ended to the end of the log.',
      kind: 'lines',
      unit: 'short',
      queries: [
        {
          expr: 'max(quittance_log_position) - max(quittance_proof_position)',
          legend: 'since the last proof',
        },
      ],
    },
  ],
};

export const DASHBOARDS: readonly Dashboard[] = [MONEY, COMMANDS, FRESHNESS, RUNTIME, PROOF];
