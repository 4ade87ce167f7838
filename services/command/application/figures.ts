/** What the write side counts of itself as it goes, as plain numbers; ../metrics.ts shows them. */
import type { CommandType } from '../../../gen/quittance/event/v1/event_pb.js';
import type { DeclineReason, TransactionKind } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { AppendOutcome } from '../../../lib/log/append.js';
import { isAssetUnit } from '../../../lib/base/currency.js';
import { Buckets, SECONDS } from '../../../lib/observe/buckets.js';
import { CallError } from '../../../lib/rpc/errors.js';
import type { Outcome } from './job.js';

/** Commands of a flush. */
export const FLUSH_SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const;

/** What a command came to, beside being declined or refused. */
export const PLAIN_OUTCOMES = ['committed', 'replayed', 'validated'] as const;
type PlainOutcome = (typeof PLAIN_OUTCOMES)[number];

/** The outcomes of one type of command. */
export interface CommandCounts {
  readonly plain: Record<PlainOutcome, number>;
  readonly declined: Map<DeclineReason, number>;
  readonly refused: Map<ErrorReason, number>;
}

export class WriteFigures {
  /** Of each job, from when it was queued to when it was taken. */
  readonly queueWaits = new Buckets(SECONDS);
  readonly flushSizes = new Buckets(FLUSH_SIZES);
  /** From when the jobs of a flush were taken to when they are answered. */
  readonly flushTimes = new Buckets(SECONDS);
  readonly appendTimes = new Buckets(SECONDS);
  readonly appends: Record<AppendOutcome['outcome'], number> = {
    appended: 0,
    behind: 0,
    duplicate_request: 0,
    foreign_history: 0,
    lease_lost: 0,
    refused: 0,
    unknown: 0,
  };
  readonly commands = new Map<CommandType, CommandCounts>();
  /** Minor units posted, by currency and by kind. */
  readonly posted = new Map<string, Map<TransactionKind, bigint>>();
  /** Commands that found in memory all that they read, and those that the state tables were read for. */
  readonly lookups = { hit: 0, miss: 0 };

  /** Counts a command by what it is answered with. */
  answered(type: CommandType, outcome: Outcome): void {
    const counts = this.#countsOf(type);
    if (outcome instanceof CallError) {
      countOne(counts.refused, outcome.reason);
      return;
    }
    const { events, point, replayed } = outcome;
    const payload = events[0]?.payload;
    if (replayed) counts.plain.replayed += 1;
    else if (point === null) counts.plain.validated += 1;
    else if (payload?.case === 'transactionDeclined') countOne(counts.declined, payload.value.reason);
    else {
      counts.plain.committed += 1;
      if (payload?.case !== 'transactionPosted') return;
      const { kind, accounts, entries, amount } = payload.value;
      const currency = accounts[entries[0]?.account ?? 0]?.currency ?? '';
      // Callers name as many assets as they like, and the same code is another asset in another ledger.
      if (isAssetUnit(currency)) return;
      const posted = this.#postedIn(currency);
      posted.set(kind, (posted.get(kind) ?? 0n) + amount);
    }
  }

  #countsOf(type: CommandType): CommandCounts {
    let counts = this.commands.get(type);
    if (counts === undefined) {
      const plain = { committed: 0, replayed: 0, validated: 0 };
      counts = { plain, declined: new Map(), refused: new Map() };
      this.commands.set(type, counts);
    }
    return counts;
  }

  #postedIn(currency: string): Map<TransactionKind, bigint> {
    let kinds = this.posted.get(currency);
    if (kinds === undefined) {
      kinds = new Map();
      this.posted.set(currency, kinds);
    }
    return kinds;
  }
}

function countOne<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
