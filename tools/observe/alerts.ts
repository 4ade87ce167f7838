/** The alerts. docs/operations.md has a runbook for each, under its name. */
import type { Alert, Series } from './definition.js';

const INSTANCE = { instance: 'one:8081', job: 'quittance' };
const COMMANDS = 'instance="one:8081",job="quittance"';

/** Commands that take longer than this are late; a hundredth of them may be. */
const LATE_SECONDS = '0.25';
const UNARY_COMMANDS = 'method=~"quittance[.]command[.].+",method!~".+/StreamCommands"';

/** The share of commands that were late over a window. */
function lateShare(window: string): string {
  const sum = (suffix: string, more: string) =>
    `sum(rate(quittance_call_duration_seconds_${suffix}{${UNARY_COMMANDS}${more}}[${window}]))`;
  return `1 - ${sum('bucket', `,le="${LATE_SECONDS}"`)} / ${sum('count', '')}`;
}

/** Samples of 100 calls per minute, of which `inTime` are in time. */
function calls(inTime: number, minutes: number): Series {
  const labels = `method="quittance.command.v1.TransactionCommandService/SubmitPayment",${COMMANDS}`;
  return {
    [`quittance_call_duration_seconds_bucket{le="${LATE_SECONDS}",${labels}}`]: `0+${String(inTime)}x${String(minutes)}`,
    [`quittance_call_duration_seconds_count{${labels}}`]: `0+100x${String(minutes)}`,
  };
}

/** Samples of `declined` declined commands per minute beside 100 that were committed; `before` for the first two hours. */
function declines(before: number, then: number): Series {
  const of = (outcome: string, reason: string) =>
    `quittance_commands_total{command="SUBMIT_PAYMENT",outcome="${outcome}",reason="${reason}",${COMMANDS}}`;
  const atTurn = String(before * 120);
  return {
    [of('committed', '')]: '0+100x150',
    [of('declined', 'INSUFFICIENT_FUNDS')]: `0+${String(before)}x120 ${atTurn}+${String(then)}x30`,
  };
}

/** What makes the service unable to do its work now. */
const AVAILABILITY: readonly Alert[] = [
  {
    name: 'NotServing',
    expr: 'up{job="quittance"} == 0 or quittance_health_serving{service="all"} == 0',
    for: '1m',
    severity: 'page',
    summary: 'A process of Quittance is away, or says that it does not serve.',
    fires: {
      series: {
        [`quittance_health_serving{service="all",${COMMANDS}}`]: '1x5 0x10',
        [`up{${COMMANDS}}`]: '1x15',
        'up{instance="two:8081",job="quittance"}': '1x5 0x10',
      },
      at: '10m',
      labels: [
        { ...INSTANCE, service: 'all' },
        { instance: 'two:8081', job: 'quittance' },
      ],
    },
    rests: {
      [`quittance_health_serving{service="all",${COMMANDS}}`]: '0x3 1x12',
      [`up{${COMMANDS}}`]: '1x15',
    },
  },
  {
    name: 'NoLeaseHolder',
    expr: 'sum(quittance_lease_held) == 0',
    for: '1m',
    severity: 'page',
    summary: 'No command process has the lease: no command is decided.',
    fires: {
      series: {
        [`quittance_lease_held{${COMMANDS}}`]: '0x10',
        'quittance_lease_held{instance="two:8081"}': '0x10',
      },
      at: '5m',
      labels: [{}],
    },
    rests: {
      [`quittance_lease_held{${COMMANDS}}`]: '0x10',
      'quittance_lease_held{instance="two:8081"}': '1x10',
    },
  },
  {
    name: 'QueueFull',
    expr: 'sum(rate(quittance_call_errors_total{reason="QUEUE_FULL"}[5m])) > 0',
    for: '2m',
    severity: 'page',
    summary: 'Commands are refused since more come than are committed.',
    fires: {
      series: { [`quittance_call_errors_total{reason="QUEUE_FULL",${COMMANDS}}`]: '0+5x15' },
      at: '10m',
      labels: [{}],
    },
    rests: {
      [`quittance_call_errors_total{reason="QUEUE_FULL",${COMMANDS}}`]: '7x15',
      [`quittance_call_errors_total{reason="NOT_SERVING",${COMMANDS}}`]: '0+5x15',
    },
  },
  {
    name: 'OutcomeUnknown',
    expr: 'sum(increase(quittance_call_errors_total{reason="OUTCOME_UNKNOWN"}[10m])) > 0',
    for: '0m',
    severity: 'page',
    summary: 'Callers were told that the outcome of a command is unknown.',
    fires: {
      series: { [`quittance_call_errors_total{reason="OUTCOME_UNKNOWN",${COMMANDS}}`]: '0x5 1x10' },
      at: '10m',
      labels: [{}],
    },
    rests: { [`quittance_call_errors_total{reason="OUTCOME_UNKNOWN",${COMMANDS}}`]: '3x15' },
  },
  {
    name: 'LatencyBurnFast',
    expr: `(${lateShare('5m')}) > 0.144 and (${lateShare('1h')}) > 0.144`,
    for: '2m',
    severity: 'page',
    summary:
      'More than 14 of 100 commands take longer than 250 ms: in two days the budget of a month is used up.',
    fires: { series: calls(80, 90), at: '75m', labels: [{}] },
    rests: calls(95, 90),
  },
  {
    name: 'LatencyBurnSlow',
    expr: `(${lateShare('30m')}) > 0.06 and (${lateShare('6h')}) > 0.06`,
    for: '15m',
    severity: 'ticket',
    summary: 'More than 6 of 100 commands take longer than 250 ms, for hours.',
    fires: { series: calls(90, 420), at: '400m', labels: [{}] },
    rests: calls(99, 420),
  },
];

/** What says something of money and of the books. */
const BOOKS: readonly Alert[] = [
  {
    name: 'ProofFailed',
    expr: 'quittance_proof_ok == 0 or quittance_proof_differing_ledgers > 0',
    for: '0m',
    severity: 'page',
    summary: 'VerifyLedger found that log, state tables and views do not agree.',
    fires: {
      series: {
        [`quittance_proof_ok{shard="0",${COMMANDS}}`]: '1x5 0x10',
        'quittance_proof_differing_ledgers{instance="two:8081",job="quittance"}': '2x15',
      },
      at: '10m',
      labels: [
        { ...INSTANCE, shard: '0' },
        { instance: 'two:8081', job: 'quittance' },
      ],
    },
    rests: {
      [`quittance_proof_ok{shard="0",${COMMANDS}}`]: '1x15',
      [`quittance_proof_differing_ledgers{${COMMANDS}}`]: '0x15',
    },
  },
  {
    name: 'ProofTooOld',
    expr: 'time() - (max(quittance_proof_timestamp_seconds) or min(quittance_process_start_time_seconds)) > 7 * 86400',
    for: '1h',
    severity: 'ticket',
    summary: 'For a week no VerifyLedger has ended in a process that runs.',
    fires: {
      // The clock of a test begins at 0: this process was started eight days before.
      series: { [`quittance_process_start_time_seconds{${COMMANDS}}`]: '-700000x150' },
      at: '2h',
      labels: [{}],
    },
    rests: {
      [`quittance_process_start_time_seconds{${COMMANDS}}`]: '-700000x150',
      [`quittance_proof_timestamp_seconds{shard="0",${COMMANDS}}`]: '-500000x150',
    },
  },
  {
    name: 'DeclineSpike',
    expr:
      '(sum(rate(quittance_commands_total{outcome="declined"}[10m])) / ' +
      'sum(rate(quittance_commands_total{outcome=~"committed|declined"}[10m]))) > 0.1 and ' +
      '(sum(rate(quittance_commands_total{outcome="declined"}[10m])) / ' +
      'sum(rate(quittance_commands_total{outcome=~"committed|declined"}[10m]))) > ' +
      '3 * (sum(rate(quittance_commands_total{outcome="declined"}[2h] offset 10m)) / ' +
      'sum(rate(quittance_commands_total{outcome=~"committed|declined"}[2h] offset 10m)))',
    for: '5m',
    severity: 'ticket',
    summary: 'More than a tenth of the commands is declined, three times as many as in the hours before.',
    fires: { series: declines(2, 100), at: '140m', labels: [{}] },
    rests: declines(40, 50),
  },
];

/** What makes reads old. */
const FRESHNESS: readonly Alert[] = [
  {
    name: 'ProjectionFailed',
    expr: 'max by (projection) (quittance_projection_state{state="failed"}) == 1',
    for: '1m',
    severity: 'page',
    summary: 'A view is not kept up: its projection has failed.',
    fires: {
      series: {
        [`quittance_projection_state{projection="history",state="failed",${COMMANDS}}`]: '0x3 1x12',
        [`quittance_projection_state{projection="balances",state="paused",${COMMANDS}}`]: '1x15',
      },
      at: '10m',
      labels: [{ projection: 'history' }],
    },
    rests: {
      [`quittance_projection_state{projection="history",state="failed",${COMMANDS}}`]: '0x15',
      [`quittance_projection_state{projection="history",state="paused",${COMMANDS}}`]: '1x15',
    },
  },
  {
    name: 'ProjectionLag',
    expr: 'max by (projection) (quittance_projection_lag_seconds) > 30',
    for: '2m',
    severity: 'ticket',
    summary: 'A view is more than 30 s behind the log.',
    fires: {
      series: { [`quittance_projection_lag_seconds{projection="reports",${COMMANDS}}`]: '0+20x15' },
      at: '10m',
      labels: [{ projection: 'reports' }],
    },
    rests: { [`quittance_projection_lag_seconds{projection="reports",${COMMANDS}}`]: '1x5 60x1 2x10' },
  },
  {
    name: 'DeadLetters',
    expr: 'sum by (projection) (quittance_projection_dead_letters) > 0',
    for: '1m',
    severity: 'ticket',
    summary: 'A view lacks events that its store has refused.',
    fires: {
      series: { [`quittance_projection_dead_letters{projection="history",${COMMANDS}}`]: '0x3 2x12' },
      at: '10m',
      labels: [{ projection: 'history' }],
    },
    rests: { [`quittance_projection_dead_letters{projection="history",${COMMANDS}}`]: '2x3 0x12' },
  },
  {
    name: 'RebuildFailed',
    expr: 'max by (projection) (quittance_rebuild_failed) == 1',
    for: '0m',
    severity: 'ticket',
    summary: 'The latest rebuild of a view failed; the old generation serves.',
    fires: {
      series: { [`quittance_rebuild_failed{projection="history",${COMMANDS}}`]: '0x3 1x12' },
      at: '10m',
      labels: [{ projection: 'history' }],
    },
    rests: { [`quittance_rebuild_failed{projection="history",${COMMANDS}}`]: '0x15' },
  },
  {
    name: 'WebhookFails',
    expr: 'max(quittance_webhook_oldest_retry_seconds) > 3600',
    for: '5m',
    severity: 'ticket',
    summary: 'The receiver of a webhook has taken nothing for more than an hour.',
    fires: {
      series: {
        [`quittance_webhook_oldest_retry_seconds{${COMMANDS}}`]: '0+300x30',
        'quittance_webhook_oldest_retry_seconds{instance="two:8081"}': '0+300x30',
      },
      at: '25m',
      labels: [{}],
    },
    rests: { [`quittance_webhook_oldest_retry_seconds{${COMMANDS}}`]: '0+60x20 0x10' },
  },
  {
    name: 'SchedulesLate',
    expr: 'max(quittance_schedule_lag_seconds) > 300',
    for: '5m',
    severity: 'ticket',
    summary: 'Payments of schedules have been due for more than five minutes, and are not made.',
    fires: {
      series: { [`quittance_schedule_lag_seconds{${COMMANDS}}`]: '0+60x30' },
      at: '20m',
      labels: [{}],
    },
    rests: { [`quittance_schedule_lag_seconds{${COMMANDS}}`]: '0+60x4 0x20' },
  },
  {
    name: 'RelayDown',
    expr: 'min(quittance_relay_up) == 0',
    for: '1m',
    severity: 'page',
    summary: 'The relay cannot send to Kafka: all views get older.',
    fires: {
      series: {
        [`quittance_relay_up{${COMMANDS}}`]: '1x3 0x12',
        'quittance_relay_up{instance="two:8081"}': '1x15',
      },
      at: '10m',
      labels: [{}],
    },
    rests: { [`quittance_relay_up{${COMMANDS}}`]: '1x15' },
  },
  {
    name: 'RelayLag',
    expr: 'max(quittance_relay_lag_seconds) > 15',
    for: '2m',
    severity: 'ticket',
    summary: 'Kafka is more than 15 s behind the log.',
    fires: { series: { [`quittance_relay_lag_seconds{${COMMANDS}}`]: '0+10x15' }, at: '10m', labels: [{}] },
    rests: { [`quittance_relay_lag_seconds{${COMMANDS}}`]: '1x15' },
  },
];

/** What concerns callers: who they are, how much they ask for, and by what they know the platform. */
const SECURITY: readonly Alert[] = [
  {
    name: 'CallsDenied',
    expr: 'sum by (reason) (rate(quittance_calls_denied_total[10m])) > 0.5',
    for: '5m',
    severity: 'ticket',
    summary: 'More than 30 calls per minute are refused for who makes them.',
    fires: {
      series: {
        [`quittance_calls_denied_total{method="a.B/C",reason="UNAUTHENTICATED",${COMMANDS}}`]: '0+40x30',
        [`quittance_calls_denied_total{method="a.B/D",reason="UNAUTHENTICATED",${COMMANDS}}`]: '0+40x30',
        [`quittance_calls_denied_total{method="a.B/C",reason="PERMISSION_DENIED",${COMMANDS}}`]: '0+5x30',
      },
      at: '25m',
      labels: [{ reason: 'UNAUTHENTICATED' }],
    },
    rests: {
      [`quittance_calls_denied_total{method="a.B/C",reason="UNAUTHENTICATED",${COMMANDS}}`]: '0+20x30',
      [`quittance_calls_denied_total{method="a.B/C",reason="PERMISSION_DENIED",${COMMANDS}}`]: '5000x30',
    },
  },
  {
    name: 'CallsLimited',
    expr: 'sum by (limit) (rate(quittance_calls_limited_total[10m])) > 1',
    for: '10m',
    severity: 'ticket',
    summary: 'For 10 minutes more than 60 calls per minute have been beyond a limit.',
    fires: {
      series: {
        [`quittance_calls_limited_total{method="a.B/C",limit="caller",${COMMANDS}}`]: '0+100x40',
        [`quittance_calls_limited_total{method="a.B/C",limit="ledger",${COMMANDS}}`]: '0+10x40',
      },
      at: '30m',
      labels: [{ limit: 'caller' }],
    },
    rests: { [`quittance_calls_limited_total{method="a.B/C",limit="caller",${COMMANDS}}`]: '0+30x40' },
  },
  {
    name: 'CertificateEndsSoon',
    expr: 'quittance_tls_certificate_end_timestamp_seconds - time() < 14 * 86400',
    for: '1h',
    severity: 'ticket',
    summary: 'The certificate of a process ends within two weeks.',
    fires: {
      // The clock of a test begins at 0.
      series: { [`quittance_tls_certificate_end_timestamp_seconds{${COMMANDS}}`]: '1000000x120' },
      at: '90m',
      labels: [INSTANCE],
    },
    rests: { [`quittance_tls_certificate_end_timestamp_seconds{${COMMANDS}}`]: '3000000x120' },
  },
  {
    name: 'CertificateEndsNow',
    expr: 'quittance_tls_certificate_end_timestamp_seconds - time() < 2 * 86400',
    for: '5m',
    severity: 'page',
    summary: 'The certificate of a process ends within two days, or has ended: then callers refuse it.',
    fires: {
      series: { [`quittance_tls_certificate_end_timestamp_seconds{${COMMANDS}}`]: '600x30' },
      at: '25m',
      labels: [INSTANCE],
    },
    rests: { [`quittance_tls_certificate_end_timestamp_seconds{${COMMANDS}}`]: '200000x30' },
  },
];

/** What a machine or a process runs out of. */
const RESOURCES: readonly Alert[] = [
  {
    name: 'EventLoopLag',
    expr: 'quittance_nodejs_eventloop_lag_p99_seconds > 0.25',
    for: '5m',
    severity: 'ticket',
    summary: 'Work that is ready waits for more than 250 ms for the thread of a process.',
    fires: {
      series: { [`quittance_nodejs_eventloop_lag_p99_seconds{${COMMANDS}}`]: '0.4x15' },
      at: '10m',
      labels: [INSTANCE],
    },
    rests: { [`quittance_nodejs_eventloop_lag_p99_seconds{${COMMANDS}}`]: '0.02x15' },
  },
  {
    name: 'HeapNearLimit',
    expr: 'quittance_nodejs_heap_size_used_bytes / quittance_heap_limit_bytes > 0.9',
    for: '10m',
    severity: 'ticket',
    summary: 'A process uses more than nine tenths of the heap that it may have.',
    fires: {
      series: {
        [`quittance_nodejs_heap_size_used_bytes{${COMMANDS}}`]: '950x20',
        [`quittance_heap_limit_bytes{${COMMANDS}}`]: '1000x20',
      },
      at: '15m',
      labels: [INSTANCE],
    },
    rests: {
      [`quittance_nodejs_heap_size_used_bytes{${COMMANDS}}`]: '600x20',
      [`quittance_heap_limit_bytes{${COMMANDS}}`]: '1000x20',
    },
  },
  {
    name: 'DiskFull',
    expr:
      'quittance_data_disk_free_bytes / quittance_data_disk_size_bytes < 0.1 or ' +
      'node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs"} / node_filesystem_size_bytes < 0.1',
    for: '5m',
    severity: 'page',
    summary: 'Less than a tenth of a disk is free: without room nothing is committed.',
    fires: {
      series: {
        [`quittance_data_disk_free_bytes{${COMMANDS}}`]: '5x15',
        [`quittance_data_disk_size_bytes{${COMMANDS}}`]: '100x15',
        'node_filesystem_avail_bytes{instance="db:9100",mountpoint="/",fstype="ext4"}': '7x15',
        'node_filesystem_size_bytes{instance="db:9100",mountpoint="/",fstype="ext4"}': '100x15',
      },
      at: '10m',
      labels: [INSTANCE, { instance: 'db:9100', mountpoint: '/', fstype: 'ext4' }],
    },
    rests: {
      [`quittance_data_disk_free_bytes{${COMMANDS}}`]: '50x15',
      [`quittance_data_disk_size_bytes{${COMMANDS}}`]: '100x15',
      'node_filesystem_avail_bytes{instance="db:9100",mountpoint="/tmp",fstype="tmpfs"}': '1x15',
      'node_filesystem_size_bytes{instance="db:9100",mountpoint="/tmp",fstype="tmpfs"}': '100x15',
    },
  },
];

export const ALERTS: readonly Alert[] = [...AVAILABILITY, ...BOOKS, ...FRESHNESS, ...SECURITY, ...RESOURCES];
