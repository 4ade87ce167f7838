/**
 * The trial balances that closes are decided on. The state tables say what the accounts come to at their checkpoint; what is dated
 * after the time of the close was recorded after it, too, so that only the events since then have to be read to leave it out. That
 * may be long, so it is done before the command is queued: no flush waits for it. Then the memory keeps the balance up with the
 * log until the close is decided.
 */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { AtCheckpoint, TotalRow } from '../../../lib/log/state/rows.js';
import type { Call } from '../../../lib/rpc/call.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { Clock } from '../../../lib/base/time.js';
import { type Memory, WHOLE_LEDGER } from './memory.js';
import { TrackedBalance } from './tracked-balance.js';

/** What a balance is worked out from. */
export interface BalanceSource {
  /** What all entries of a ledger come to at the checkpoint of the state tables. */
  totals(ledgerId: string): Promise<AtCheckpoint<TotalRow>>;
  /** The end of the log. */
  end(): Promise<bigint>;
  /** The last position recorded at or before a time, UTC microseconds; -1n: none. */
  positionAt(recordedTime: bigint): Promise<bigint>;
  /** The first events of a ledger after a position and at or before another one. */
  page(ledgerId: string, after: bigint, through: bigint, limit: number): Promise<readonly RecordedEvent[]>;
}

/** A balance that is worked out or kept up. */
interface Kept {
  readonly key: string;
  readonly reading: Promise<TrackedBalance>;
  /** Calls that wait for it or decide on it. */
  users: number;
  expiry: NodeJS.Timeout | undefined;
}

const PAGE_EVENTS = 500;
/** One that its caller has left is kept for the next attempt so long. */
const KEEP_MS = 600_000;
const MOST_KEPT = 20;

export class ClosingBalances {
  readonly #memory: Memory;
  readonly #source: BalanceSource;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  /** One is worked out after the other: each reads as fast as the database lets it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(memory: Memory, source: BalanceSource, clock: Clock) {
    this.#memory = memory;
    this.#source = source;
    this.#clock = clock;
  }

  /** Whether a close would be decided on a balance: not one in the future, or of what is known to be closed. */
  isWanted(ledgerId: string, through: bigint): boolean {
    const closedThrough = this.#memory.ledgers.known(ledgerId, WHOLE_LEDGER)?.closedThrough ?? null;
    return through <= this.#clock() && (closedThrough === null || through > closedThrough);
  }

  /**
   * Runs what decides a close while the memory has the trial balance for it.
   * @throws CallError QUEUE_FULL, what ends the call, what the stores throw, and what `decide` throws
   */
  async during<T>(
    ledgerId: string,
    through: bigint,
    call: Pick<Call, 'onAbort'>,
    decide: () => Promise<T>,
  ): Promise<T> {
    const kept = this.#keptFor(ledgerId, through);
    kept.users += 1;
    clearTimeout(kept.expiry);
    let isDecided = false;
    try {
      await unlessLeft(kept.reading, call);
      const decided = await decide();
      isDecided = true;
      return decided;
    } finally {
      kept.users -= 1;
      if (kept.users === 0) {
        if (isDecided) this.#forget(kept);
        else kept.expiry = setTimeout(() => this.#forget(kept), KEEP_MS).unref();
      }
    }
  }

  #keptFor(ledgerId: string, through: bigint): Kept {
    const key = `${ledgerId} ${String(through)}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    if (this.#kept.size >= MOST_KEPT) {
      throw fail(ErrorReason.QUEUE_FULL, 'too many periods are being closed at once');
    }
    const reading = this.#last.then(() => this.#read(ledgerId, through));
    this.#last = reading.catch(() => undefined);
    const kept: Kept = { key, reading, users: 0, expiry: undefined };
    this.#kept.set(key, kept);
    reading.catch(() => this.#forget(kept));
    return kept;
  }

  #forget(kept: Kept): void {
    if (this.#kept.get(kept.key) === kept) this.#kept.delete(kept.key);
    clearTimeout(kept.expiry);
    kept.reading.then(
      (balance) => this.#memory.untrack(balance),
      () => undefined,
    );
  }

  async #read(ledgerId: string, through: bigint): Promise<TrackedBalance> {
    const { history } = this.#memory;
    const totals = await this.#source.totals(ledgerId);
    const balance = new TrackedBalance(ledgerId, through, totals);
    const recorded = await this.#source.positionAt(through);
    await this.#eachEvent(ledgerId, recorded, totals.checkpoint, ({ event }) => balance.leaveOut(event));
    do {
      const end = await this.#source.end();
      await this.#eachEvent(ledgerId, balance.position, end, ({ event }) => balance.add(event));
      balance.reached(end);
      if (this.#memory.history !== history) throw historyChanged();
    } while (!this.#memory.track(balance));
    return balance;
  }

  async #eachEvent(
    ledgerId: string,
    after: bigint,
    through: bigint,
    take: (recorded: RecordedEvent) => void,
  ): Promise<void> {
    for (let from = after; from < through;) {
      const events = await this.#source.page(ledgerId, from, through, PAGE_EVENTS);
      for (const recorded of events) take(recorded);
      const last = events.at(-1);
      if (last === undefined || events.length < PAGE_EVENTS) return;
      from = last.position;
    }
  }
}

/** What was read of the log is not of it any more: another attempt reads it anew. */
export function historyChanged() {
  const message = 'the log was restored while its trial balance was read; send the command again';
  return fail(ErrorReason.NOT_SERVING, message);
}

/** Resolves when the balance is there, rejects when the caller leaves before. */
function unlessLeft(reading: Promise<unknown>, call: Pick<Call, 'onAbort'>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = call.onAbort(reject);
    reading.then(
      () => {
        stop();
        resolve();
      },
      (error: unknown) => {
        stop();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
