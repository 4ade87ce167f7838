/** A log in memory that commits at once: what the write path costs without a database. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { uuidFromBytes } from '../../lib/base/uuid.js';
import { decodeEvent } from '../../lib/log/codec.js';
import type { Origin } from '../../lib/log/epochs/origin.js';
import { BEFORE_THE_LOG, type LogPoint, pointOf, type RecordedEvent } from '../../lib/log/recorded-event.js';
import type { StateReader } from '../../services/command/application/loader.js';
import type { WriteLog } from '../../services/command/application/write-log.js';

interface StoredBytes {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

export class LogInMemory implements WriteLog {
  readonly #stored: StoredBytes[] = [];
  /** The position of the first event of a command, by request id: transactions have the ids of their commands. */
  readonly #byRequest = new Map<string, bigint>();

  async append(...[position, , events]: Parameters<WriteLog['append']>): ReturnType<WriteLog['append']> {
    let at = position;
    for (const { bytes, hash, requestId, ordinal } of events) {
      at += 1n;
      this.#stored.push({ bytes, hash });
      if (requestId !== undefined && ordinal === 0) this.#byRequest.set(uuidFromBytes(requestId), at);
    }
    // The answer of a database comes in a later turn of the event loop.
    await nextTurn();
    return { outcome: 'appended' };
  }

  async head(): Promise<LogPoint> {
    const last = this.#at(BigInt(this.#stored.length - 1));
    return last === undefined ? BEFORE_THE_LOG : pointOf(last);
  }

  async after(position: bigint, limit: number): Promise<readonly RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for (let at = position + 1n; events.length < limit; at += 1n) {
      const found = this.#at(at);
      if (found === undefined) break;
      events.push(found);
    }
    return events;
  }

  async at(position: bigint): Promise<RecordedEvent | undefined> {
    return this.#at(position);
  }

  async requests(
    keys: readonly { readonly ledgerId: string; readonly requestId: string }[],
  ): Promise<readonly { ledgerId: string; requestId: string; recorded: RecordedEvent }[]> {
    return keys.flatMap(({ ledgerId, requestId }) => {
      const recorded = this.#ofRequest(requestId);
      return recorded === undefined ? [] : [{ ledgerId, requestId, recorded }];
    });
  }

  async checkpoint() {
    return { epoch: 0, position: -1n, hash: new Uint8Array(0) };
  }

  async refoldState(): Promise<void> {
    throw new Error('there are no state tables');
  }

  async origin(): Promise<Origin> {
    return { epoch: 0, isMoved: false, lostEpoch: undefined };
  }

  async recordOrigin(): Promise<void> {
    throw new Error('a log in memory is never restored');
  }

  async now(): Promise<bigint> {
    return BigInt(Date.now()) * 1_000n;
  }

  /** State tables without rows; a transaction is found in the event that made it, as with PostgreSQL. */
  stateReader(checkpoint: () => bigint): StateReader {
    return {
      ledgers: async () => ({ checkpoint: checkpoint(), rows: [] }),
      accounts: async () => ({ checkpoint: checkpoint(), rows: [] }),
      transactions: async (keys) => ({
        checkpoint: checkpoint(),
        rows: keys.map(({ ledgerId, transactionId }) => ({
          ledgerId,
          transactionId,
          made: this.#ofRequest(transactionId),
          state: undefined,
        })),
      }),
    };
  }

  #ofRequest(requestId: string): RecordedEvent | undefined {
    const position = this.#byRequest.get(requestId);
    return position === undefined ? undefined : this.#at(position);
  }

  #at(position: bigint): RecordedEvent | undefined {
    const stored = this.#stored[Number(position)];
    return stored === undefined ? undefined : decodeEvent(position, stored.bytes, stored.hash);
  }
}
