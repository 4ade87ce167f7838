/** The port of the event bus: how committed events reach the projections. Adapters: the log itself, Kafka. */
import type { LogPoint, RecordedEvent } from './recorded-event.js';

/** Some events of one partition in order, and how far its reader has then seen all there is. */
export interface BusBatch {
  readonly partition: number;
  /** In order of position; may be empty, when only the watermark moved. */
  readonly events: readonly RecordedEvent[];
  /** The offset of the last message of the batch. */
  readonly offset: bigint;
  /**
   * The position of the partition's last event before this batch, -1n for none: a view that has not seen it
   * has missed something. Undefined where the reader asked for exactly this span of the log.
   */
  readonly after?: bigint;
  /** After this batch the reader of the partition has seen every event of it up to here. */
  readonly watermark: LogPoint;
}

/**
 * What a consumer does. One batch of a partition is handled at a time; an exception ends the consumption of
 * all.
 */
export interface BusHandler {
  /**
   * The offset of the last message that the consumer's own store holds; -1n for none. Asked at each
   * assignment.
   */
  offsetOf(partition: number): Promise<bigint>;
  handle(batch: BusBatch): Promise<void>;
  /** From now on another process has the partition. */
  released?(partition: number): void;
}

export interface EventBus {
  /** How many partitions there are; a ledger lives in one. */
  readonly partitions: number;
  partitionOf(ledgerId: string): number;
  /**
   * Consumes until the signal aborts, then resolves; rejects when the handler threw or the bus failed for
   * good.
   */
  consume(handler: BusHandler, signal: AbortSignal): Promise<void>;
}

/** What the relay sends: an event, or only the watermark of a partition that had none. */
export interface OutgoingMessage {
  readonly partition: number;
  /** Undefined: only the watermark moves. */
  readonly record: RecordedEvent | undefined;
  /** The position of the partition's event before this message; -1n for none. */
  readonly after: bigint;
  /** With this message its partition has every event up to here; always set where there is no record. */
  readonly watermark: LogPoint | undefined;
}

/** The sending side of a bus that is not the log itself. */
export interface BusPublisher {
  /**
   * Sends in order; resolves when all are stored. After a rejection nothing is known of any of them, and the
   * publisher cannot be used again: close it, open another, send again.
   */
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens a publisher. @throws Error while the bus is away */
export type OpenPublisher = () => Promise<BusPublisher>;
