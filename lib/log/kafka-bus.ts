/**
 * The bus on Kafka, for projections. The offsets that Kafka keeps for the group are written for tools to
 * show, and never read: where to go on is in the view's own store. This file does not look for messages that
 * Kafka no longer has: each message names the event before it, and a view that has not seen that event reads
 * it from the log.
 */
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { BusBatch, BusHandler, EventBus } from './bus.js';
import type { LogPoint, RecordedEvent } from './recorded-event.js';
import type { Log } from '../base/logging.js';
import { fromKafkaMessage, type IncomingMessage, UnreadableMessage } from './cloud-event.js';
import type { BusSecurity } from './bus-config.js';
import { kafkaClient, PATIENT } from './kafka-client.js';
import { kafkaError } from './kafka-errors.js';
import type { DecodeRecord } from './shared-records.js';

export interface KafkaBusOptions {
  readonly brokers: readonly string[];
  /** Absent: the brokers are open. */
  readonly security?: BusSecurity;
  readonly topic: string;
  readonly partitions: number;
  partitionOf(ledgerId: string): number;
  /** Consumers of the same group share the partitions: one group per view. */
  readonly group: string;
  readonly logger: Pick<Log, 'info' | 'warn'>;
  /** How events are decoded: several buses of a process may share it. */
  readonly decode?: DecodeRecord;
  /** What each consumption connects with; by default a client of its own to the brokers. */
  readonly connect?: (clientId: string) => Pick<Kafka, 'admin' | 'consumer'>;
}

/** At most so many messages per batch. */
const BATCH_MESSAGES = 1_000;
const FETCH_MAX_BYTES = 1024 * 1024;
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 1_000;
/** A consumer that leaves waits for its open fetch. */
const FETCH_WAIT_MS = 250;
/** How long to wait until the consumer has left. */
const LEAVE_MS = 3_000;
/** How often the group's offsets are written. */
const COMMIT_MS = 1_000;
/** After so many seeks to one place that gave other messages, a further seek will not help. */
const MOST_SEEKS = 5;

export function kafkaBus(options: KafkaBusOptions): EventBus {
  return {
    partitions: options.partitions,
    partitionOf: (ledgerId) => options.partitionOf(ledgerId),
    consume: (handler, signal) => new Consumption(options, handler, signal).run(),
  };
}

/** How far an assigned partition is read. */
interface Lane {
  /** The offset of the next message. */
  next: bigint;
  seeks: number;
  committedAt_ms: number;
}

/** One membership in the group, from joining to leaving. */
class Consumption {
  readonly #options: KafkaBusOptions;
  readonly #handler: BusHandler;
  readonly #signal: AbortSignal;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  /** By partition; a promise from the assignment on. */
  readonly #lanes = new Map<number, Promise<Lane>>();
  #end: (failure: Error | undefined) => void = () => {};
  #isOver = false;
  /** From a crash of the consumer until it fetches again, or does not start again. */
  #starting: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(options: KafkaBusOptions, handler: BusHandler, signal: AbortSignal) {
    this.#options = options;
    this.#handler = handler;
    this.#signal = signal;
    const { brokers, group, security } = options;
    const { connect = (clientId: string) => kafkaClient(brokers, clientId, PATIENT, security) } = options;
    const kafka = connect(`quittance-${group}`);
    this.#admin = kafka.admin();
    this.#consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: SESSION_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytesPerPartition: FETCH_MAX_BYTES,
      allowAutoTopicCreation: false,
      retry: { ...PATIENT, restartOnFailure: () => Promise.resolve(!this.#isOver) },
    });
  }

  async run(): Promise<void> {
    const ended = new Promise<Error | undefined>((resolve) => (this.#end = resolve));
    const onAbort = () => this.#end(undefined);
    this.#signal.addEventListener('abort', onAbort, { once: true });
    if (this.#signal.aborted) onAbort();
    this.#listen();
    const starting = this.#start().catch((error: unknown) => this.#end(asError(kafkaError(error))));
    const failure = await ended;
    this.#isOver = true;
    this.#signal.removeEventListener('abort', onAbort);
    await this.#leave(starting);
    if (failure !== undefined) throw failure;
  }

  async #start(): Promise<void> {
    const { topic, partitions } = this.#options;
    await Promise.all([this.#consumer.connect(), this.#admin.connect()]);
    if (this.#signal.aborted) return;
    await this.#consumer.subscribe({ topic, fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: partitions,
      eachBatch: (payload) => this.#eachBatch(payload),
    });
  }

  #listen(): void {
    const { CRASH, FETCH_START, GROUP_JOIN } = this.#consumer.events;
    const { logger, topic, group } = this.#options;
    this.#consumer.on(CRASH, ({ payload: { error, restart } }) => {
      logger.warn({ group, restart, err: error }, 'the consumer has crashed');
      if (restart) {
        this.#starting ??= newPhase();
        // kafkajs had asked whether to start again just before the end.
        if (this.#isOver) void this.#disconnect().catch(() => undefined);
        return;
      }
      this.#started();
      // A consumer that does not restart stays down: the caller of `consume` makes another.
      this.#end(asError(kafkaError(error)));
    });
    this.#consumer.on(GROUP_JOIN, ({ payload: { memberAssignment } }) => {
      if (!this.#isOver) this.#assign(memberAssignment[topic] ?? []);
    });
    this.#consumer.on(FETCH_START, () => this.#started());
  }

  #started(): void {
    this.#starting?.end();
    this.#starting = undefined;
  }

  /**
   * Every partition begins again where its store is: another process may have been further, or not so far.
   */
  #assign(partitions: readonly number[]): void {
    for (const partition of this.#lanes.keys()) {
      if (!partitions.includes(partition)) this.#handler.released?.(partition);
    }
    this.#lanes.clear();
    this.#options.logger.info({ group: this.#options.group, partitions }, 'partitions were assigned');
    const ends = this.#admin.fetchTopicOffsets(this.#options.topic).catch((error: unknown) => {
      throw kafkaError(error);
    });
    for (const partition of partitions) {
      const lane = this.#open(partition, ends);
      // A failure ends the consumption, and must not count as unhandled meanwhile.
      lane.catch((error: unknown) => this.#end(asError(error)));
      this.#lanes.set(partition, lane);
    }
  }

  async #open(partition: number, ends: ReturnType<Admin['fetchTopicOffsets']>): Promise<Lane> {
    const [stored, found] = await Promise.all([this.#handler.offsetOf(partition), ends]);
    const range = found.find((each) => each.partition === partition);
    if (range === undefined) throw new Error(`the topic has no partition ${String(partition)}`);
    const [low, high, next] = [BigInt(range.low), BigInt(range.high), stored + 1n];
    // Where Kafka has dropped these messages, or never had them, the view notices the gap and reads the log.
    const lane = { next: next >= low && next <= high ? next : low, seeks: 0, committedAt_ms: 0 };
    this.#seek(partition, lane);
    return lane;
  }

  #seek(partition: number, lane: Lane): void {
    this.#consumer.seek({ topic: this.#options.topic, partition, offset: String(lane.next) });
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, isRunning, isStale } = payload;
    const opening = this.#lanes.get(batch.partition);
    if (opening === undefined || this.#signal.aborted) return;
    // While a batch takes long, heartbeats keep this consumer in the group.
    const beat = setInterval(() => void payload.heartbeat().catch(() => undefined), HEARTBEAT_MS);
    try {
      const lane = await opening;
      const isOurs = () => this.#lanes.get(batch.partition) === opening;
      if (!isRunning() || isStale() || !isOurs()) return;
      if (!this.#isNext(batch.partition, lane, BigInt(batch.firstOffset() ?? lane.next))) return;
      for (let from = 0; from < batch.messages.length; from += BATCH_MESSAGES) {
        const messages = batch.messages.slice(from, from + BATCH_MESSAGES);
        await this.#handle(batch.partition, messages, isOurs);
        const last = messages.at(-1);
        if (last === undefined || !isOurs()) return;
        lane.next = BigInt(last.offset) + 1n;
        payload.resolveOffset(last.offset);
      }
      await this.#commit(batch.partition, lane);
    } catch (error) {
      // If kafkajs saw the error, it would repeat the batch without end.
      this.#end(asError(error));
    } finally {
      clearInterval(beat);
    }
  }

  /** Whether the batch begins at the next offset; if not, seeks there. */
  #isNext(partition: number, lane: Lane, first: bigint): boolean {
    if (first === lane.next) {
      lane.seeks = 0;
      return true;
    }
    lane.seeks += 1;
    if (lane.seeks <= MOST_SEEKS) {
      this.#seek(partition, lane);
      return false;
    }
    // Kafka does not have the message: reading goes on where Kafka begins, and the view notices the gap.
    const { logger, group } = this.#options;
    const fields = { group, partition, wanted: String(lane.next), found: String(first) };
    logger.warn(fields, 'Kafka does not have the messages that come next');
    lane.next = first;
    lane.seeks = 0;
    return true;
  }

  /** One batch for all messages that follow each other and are of one epoch; a gap among them begins another. */
  async #handle(partition: number, messages: readonly KafkaMessage[], isOurs: () => boolean): Promise<void> {
    let gathered: Gathered | undefined;
    for (const message of messages) {
      const incoming = this.#decode(partition, message);
      if (
        gathered !== undefined &&
        (incoming.after > gathered.last || epochOf(incoming) !== gathered.epoch)
      ) {
        await this.#handler.handle(batchOf(partition, gathered));
        if (!isOurs()) return;
        gathered = undefined;
      }
      gathered ??= {
        after: incoming.after,
        last: incoming.after,
        epoch: epochOf(incoming),
        events: [],
        offset: -1n,
        watermark: undefined,
      };
      gather(gathered, incoming, BigInt(message.offset));
    }
    if (gathered !== undefined) await this.#handler.handle(batchOf(partition, gathered));
  }

  #decode(partition: number, { value, headers, offset }: KafkaMessage): IncomingMessage {
    try {
      const header = (name: string) => {
        const found = headers?.[name];
        return Array.isArray(found) ? undefined : found?.toString();
      };
      return fromKafkaMessage(value, header, this.#options.decode);
    } catch (cause) {
      const { topic } = this.#options;
      const reason = cause instanceof Error ? cause.message : 'it cannot be read';
      throw new UnreadableMessage(`${topic}, partition ${String(partition)}, offset ${offset}: ${reason}`, {
        cause,
      });
    }
  }

  async #commit(partition: number, lane: Lane): Promise<void> {
    const now_ms = performance.now();
    if (now_ms - lane.committedAt_ms < COMMIT_MS) return;
    lane.committedAt_ms = now_ms;
    const { topic } = this.#options;
    // Only for tools that show how far a group is: a failure costs nothing.
    await this.#consumer
      .commitOffsets([{ topic, partition, offset: String(lane.next) }])
      .catch(() => undefined);
  }

  /** Leaves the group, so that another consumer gets the partitions at once. */
  async #leave(starting: Promise<void>): Promise<void> {
    for (const partition of this.#lanes.keys()) this.#handler.released?.(partition);
    this.#lanes.clear();
    const left = starting.then(() => Promise.allSettled([this.#disconnect(), this.#admin.disconnect()]));
    // Waiting for a broker that is away has an end: the group forgets this member by itself.
    await Promise.race([left, new Promise((resolve) => setTimeout(resolve, LEAVE_MS).unref())]);
  }

  /**
   * Stops the consumer. kafkajs does not stop one that is about to join the group after a crash: it forgets it, and the consumer joins
   * all the same, gets partitions and keeps them for ever. So it may join first.
   */
  async #disconnect(): Promise<void> {
    await this.#starting?.over;
    await this.#consumer.disconnect();
  }
}

function newPhase() {
  let end = () => {};
  const over = new Promise<void>((resolve) => (end = resolve));
  return { over, end };
}

/** Messages that follow each other. */
interface Gathered {
  readonly after: bigint;
  readonly epoch: number;
  /** The position of the last event so far. */
  last: bigint;
  readonly events: RecordedEvent[];
  offset: bigint;
  watermark: LogPoint | undefined;
}

/** Of what a message says: events of an epoch that was lost stand in Kafka before those that took their positions. */
function epochOf({ record, watermark }: IncomingMessage): number {
  return record?.event.epoch ?? watermark?.epoch ?? 0;
}

function gather(gathered: Gathered, { record, watermark }: IncomingMessage, offset: bigint): void {
  gathered.offset = offset;
  if (record !== undefined) {
    gathered.events.push(record);
    if (record.position > gathered.last) gathered.last = record.position;
    const { epoch, recordedTimeMicros: recordedTime } = record.event;
    later(gathered, { epoch, position: record.position, hash: record.hash, recordedTime });
  }
  if (watermark !== undefined) later(gathered, watermark);
}

/** After a restart the relay sends some messages again: the watermark does not go back for that. */
function later(gathered: Gathered, point: LogPoint): void {
  const before = gathered.watermark;
  if (before === undefined || point.position > before.position) gathered.watermark = point;
}

function batchOf(partition: number, { after, events, offset, watermark }: Gathered): BusBatch {
  if (watermark === undefined) throw new Error('a batch has an event or a watermark');
  return { partition, events, offset, after, watermark };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
