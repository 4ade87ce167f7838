/** A log in memory, for tests of those who read one. */
import { createHash } from 'node:crypto';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { EventSchema } from '../gen/quittance/event/v1/event_pb.js';
import type { LogPage, LogReader } from '../lib/log/reader.js';
import { Wakeups } from '../lib/log/wakeups.js';
import { type LogPoint, type RecordedEvent, pointOf } from '../lib/log/recorded-event.js';

/** Recorded time of the event at position 0, UTC microseconds; each later one is a millisecond after the one before. */
export const START = 1_767_225_600_000_000n;

export class FakeLog implements LogReader {
  readonly shard = 0;
  readonly events: RecordedEvent[] = [];
  readonly id: Uint8Array;
  /** Reads so far, by method. */
  readonly reads = { head: 0, at: 0, page: 0 };
  /** What reads of the head wait for. */
  headGate: Promise<void> = Promise.resolve();
  /** Thrown by every read while set. */
  away: Error | undefined;
  epoch = 0;
  readonly wakeups = new Wakeups();

  constructor(id = 7) {
    this.id = new Uint8Array(16).fill(id);
    this.append({ payload: { case: 'logStarted', value: { logId: this.id } } });
  }

  /** Appends an event; the envelope is filled in. */
  append(init: MessageInitShape<typeof EventSchema>): RecordedEvent {
    const position = BigInt(this.events.length);
    const event = create(EventSchema, {
      ...init,
      position,
      epoch: this.epoch,
      recordedTimeMicros: START + position * 1000n,
      previousHash: this.events.at(-1)?.hash ?? new Uint8Array(0),
    });
    const bytes = toBinary(EventSchema, event);
    const record = { position, event, bytes, hash: createHash('sha256').update(bytes).digest() };
    this.events.push(record);
    this.wakeups.wake();
    return record;
  }

  /** Appends `count` events of a ledger, in streams `s0`, `s1`. */
  fill(count: number, ledgerId = 'main'): void {
    for (let index = 0; index < count; index++) {
      this.append({
        ledgerId,
        stream: { case: 'entityStreamId', value: `s${String(index % 2)}` },
        payload: { case: 'ledgerCreatedV2', value: {} },
      });
    }
  }

  /** As if the database had been restored to an older end and the writer went on from there. */
  restoreTo(position: bigint): void {
    this.events.length = Number(position) + 1;
    this.epoch++;
    this.append({ payload: { case: 'epochStarted', value: { forkPosition: position } } });
  }

  point(position: bigint): LogPoint {
    const found = this.events[Number(position)];
    if (found === undefined) throw new Error('beyond the end');
    return pointOf(found);
  }

  logId(): Promise<Uint8Array> {
    return Promise.resolve(this.id);
  }

  async head(): Promise<LogPoint> {
    this.reads.head++;
    this.#present();
    const head = this.point(BigInt(this.events.length - 1));
    await this.headGate;
    return head;
  }

  page({
    after,
    through,
    limit,
    ledgerId,
    streamId,
    isDescending,
  }: LogPage): Promise<readonly RecordedEvent[]> {
    this.reads.page++;
    return this.#read(() => {
      const found = this.events
        .slice(Math.max(0, Number(after) + 1))
        .filter(({ position }) => through === null || position <= through)
        .filter(({ event }) => ledgerId === null || event.ledgerId === ledgerId)
        .filter(({ event }) => streamId === null || event.stream.value === streamId);
      return (isDescending === true ? found.reverse() : found).slice(0, limit);
    });
  }

  lastOfStream(
    streamId: string,
    ledgerIds: readonly string[],
    through: bigint,
  ): Promise<readonly RecordedEvent[]> {
    return this.#read(() =>
      ledgerIds.flatMap((ledgerId) => {
        const last = this.events.findLast(
          ({ position, event }) =>
            position <= through && event.ledgerId === ledgerId && event.stream.value === streamId,
        );
        return last === undefined ? [] : [last];
      }),
    );
  }

  atTime(recordedTime: bigint): Promise<LogPoint | undefined> {
    return this.#read(() => {
      const last = this.events.findLast(({ event }) => event.recordedTimeMicros <= recordedTime);
      return last && pointOf(last);
    });
  }

  at(position: bigint): Promise<RecordedEvent | undefined> {
    this.reads.at++;
    return this.#read(() => this.events[Number(position)]);
  }

  async changed(position: bigint, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && BigInt(this.events.length - 1) <= position) {
      await this.wakeups.wait(1_000, signal);
    }
  }

  now(): Promise<bigint> {
    return Promise.resolve(START + 3_600_000_000n);
  }

  async #read<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    this.#present();
    return work();
  }

  #present(): void {
    if (this.away !== undefined) throw this.away;
  }
}
