/** The metrics of the write side for Prometheus. */
import type { Registry } from 'prom-client';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { DeclineReason, TransactionKind } from '../../gen/quittance/common/v1/transaction_pb.js';
import { CommandType } from '../../gen/quittance/event/v1/event_pb.js';
import { knownExponent } from '../../lib/base/currency.js';
import type { OpenHoldsSummary } from '../../lib/log/state/rows.js';
import { registerHistogram, SECONDS } from '../../lib/observe/buckets.js';
import {
  registerCounters,
  registerGauge,
  registerGauges,
  type Sample,
  sharedRead,
} from '../../lib/observe/gauges.js';
import type { Executor } from './application/executor.js';
import { type CommandCounts, FLUSH_SIZES, PLAIN_OUTCOMES, type WriteFigures } from './application/figures.js';
import type { Memory } from './application/memory.js';
import { type MeasuredSchedules, scheduleMetrics } from './schedules/metrics.js';
import type { Standing } from './standing/standing.js';

/** What the metrics show. */
export interface MeasuredCommand {
  readonly executor: Executor;
  readonly memory: Memory;
  /** Events in the retained tail at most. */
  readonly tailLimit: number;
  /** The open holds as the state tables have them. */
  openHolds(): Promise<OpenHoldsSummary>;
  readonly schedules: MeasuredSchedules;
}

/** Registers the metrics of what decides commands; values are read at each scrape. */
export function commandMetrics(registry: Registry, measured: MeasuredCommand): void {
  const { executor, memory, tailLimit } = measured;
  const { figures, queue } = executor;
  registerOutcomes(registry, figures);
  registerFlushes(registry, figures);
  const gauge = (name: string, help: string, value: () => number) =>
    registerGauge(registry, name, help, value);
  gauge('quittance_queue_commands', 'Commands that wait to be decided.', () => queue.size);
  gauge(
    'quittance_queue_limit_commands',
    'Commands that may wait; more are refused with QUEUE_FULL.',
    () => queue.limit,
  );
  gauge('quittance_log_position', 'The end of the log, as this process knows it.', () =>
    Number(memory.end.position),
  );
  gauge('quittance_log_epoch', 'How often the log was restored to an older end.', () => memory.end.epoch);
  gauge(
    'quittance_state_tail_events',
    'Events that are in memory since the state tables may not have them yet.',
    () => memory.tailSize,
  );
  gauge(
    'quittance_state_tail_limit_events',
    'Events that may be in that tail; with more, commands are refused with QUEUE_FULL.',
    () => tailLimit,
  );
  registerHolds(registry, measured);
  scheduleMetrics(registry, measured.schedules);
}

/** Registers the metrics of the lease, where several processes share one. */
export function leaseMetrics(registry: Registry, standing: Pick<Standing, 'isHolder' | 'place'>): void {
  registerGauge(registry, 'quittance_lease_held', 'Whether this process decides commands: 1 or 0.', () =>
    standing.isHolder ? 1 : 0,
  );
  registerGauge(
    registry,
    'quittance_lease_term',
    'How often the lease was taken, as this process knows it; no value while it knows of no holder.',
    () => {
      const { place } = standing;
      return place.at === 'unknown' ? undefined : Number(place.term);
    },
  );
}

function registerOutcomes(registry: Registry, figures: WriteFigures): void {
  registerCounters(registry, {
    name: 'quittance_commands_total',
    help: 'Commands answered, by type, outcome, and the reason of those declined or refused.',
    labelNames: ['command', 'outcome', 'reason'],
    samples: () =>
      [...figures.commands].flatMap(([type, counts]) => [...outcomesOf(CommandType[type], counts)]),
  });
  registerCounters(registry, {
    name: 'quittance_posted_amount_total',
    help: 'Money posted by commands, in whole units of the currency of ISO 4217, without fees, by kind of transaction; no assets.',
    labelNames: ['kind', 'currency'],
    samples: () =>
      [...figures.posted].flatMap(([currency, kinds]) =>
        [...kinds].map(([kind, amount]): Sample<'kind' | 'currency'> => {
          const labels = { kind: TransactionKind[kind], currency };
          // Prometheus knows floats alone: the sum itself is exact.
          return [labels, Number(amount) / 10 ** knownExponent(currency)];
        }),
      ),
  });
  registerCounters(registry, {
    name: 'quittance_state_lookups_total',
    help: 'Commands whose accounts and transactions were in memory (hit), or had to be read from the state tables (miss).',
    labelNames: ['result'],
    samples: () => Object.entries(figures.lookups).map(([result, commands]) => [{ result }, commands]),
  });
}

type OutcomeLabel = 'command' | 'outcome' | 'reason';

function* outcomesOf(
  command: string,
  { plain, declined, refused }: CommandCounts,
): Generator<Sample<OutcomeLabel>> {
  for (const outcome of PLAIN_OUTCOMES) {
    if (plain[outcome] > 0) yield [{ command, outcome, reason: '' }, plain[outcome]];
  }
  for (const [reason, commands] of declined) {
    yield [{ command, outcome: 'declined', reason: DeclineReason[reason] }, commands];
  }
  for (const [reason, commands] of refused) {
    yield [{ command, outcome: 'refused', reason: ErrorReason[reason] }, commands];
  }
}

function registerFlushes(registry: Registry, figures: WriteFigures): void {
  const histogram = (
    name: string,
    help: string,
    bounds: readonly number[],
    of: 'queueWaits' | 'flushSizes' | 'flushTimes' | 'appendTimes',
  ) => registerHistogram(registry, { name, help, bounds, series: () => [[{}, figures[of]]] });
  histogram(
    'quittance_queue_wait_seconds',
    'How long calls with commands waited to be taken into a flush.',
    SECONDS,
    'queueWaits',
  );
  histogram(
    'quittance_flush_commands',
    'Commands per flush: what shares one append to the log.',
    FLUSH_SIZES,
    'flushSizes',
  );
  histogram(
    'quittance_flush_duration_seconds',
    'Time to decide a flush, append it and answer its commands.',
    SECONDS,
    'flushTimes',
  );
  histogram(
    'quittance_append_duration_seconds',
    'Time of one attempt to append to the log.',
    SECONDS,
    'appendTimes',
  );
  registerCounters(registry, {
    name: 'quittance_appends_total',
    help: 'Attempts to append to the log, by outcome; "behind" is a conflict with another process, "unknown" a connection that broke.',
    labelNames: ['outcome'],
    samples: () => Object.entries(figures.appends).map(([outcome, attempts]) => [{ outcome }, attempts]),
  });
}

/** Only the process that decides reads them: the others would show the same ones again. */
function registerHolds(registry: Registry, { executor, openHolds }: MeasuredCommand): void {
  const read = sharedRead(async () => (executor.isServing ? openHolds() : undefined));
  registerGauge(
    registry,
    'quittance_holds_open',
    'Open holds, as the state tables have them (up to 10 s late); at 100,000 they are not counted further.',
    async () => (await read())?.count,
  );
  registerGauges(registry, {
    name: 'quittance_hold_next_expiry_timestamp_seconds',
    help: 'When the first of the open holds expires, seconds since 1970; no value while there is none.',
    labelNames: [],
    samples: async () => {
      const next = (await read())?.nextExpiry ?? null;
      return next === null ? [] : [[{}, Number(next) / 1e6]];
    },
  });
}
