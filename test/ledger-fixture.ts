/** Events as the log has them, made by the real domain and the real encoding, without a database. */
import { createHash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { CommandSchema } from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { EventSchema, LogStartedSchema } from '../gen/quittance/event/v1/event_pb.js';
import { periodAt } from '../lib/base/calendar.js';
import { canonicalBody, commandTypeOf } from '../lib/log/canonical-body.js';
import type { BusBatch } from '../lib/log/bus.js';
import type { LogPoint, RecordedEvent } from '../lib/log/recorded-event.js';
import { encodeEvent } from '../services/command/application/encode.js';
import { apply, overlay, type Overlay } from '../services/command/domain/evolve.js';
import { decide } from '../services/command/domain/decide.js';
import type { LedgerReader } from '../services/command/domain/decision.js';
import type { DomainEvent } from '../services/command/domain/event.js';
import { decideAtomic } from '../services/command/domain/atomic-batch.js';
import type { Command, MovementCommand } from '../services/command/domain/command.js';
import { toCommand } from '../services/command/rpc/command-table.js';

/** A command as CommandSchema takes it: `{case: 'deposit', value: {...}}`. */
export type CommandInit = NonNullable<MessageInitShape<typeof CommandSchema>['command']>;

/** 2026-01-01T00:00:00Z in microseconds. */
export const FIXTURE_START = 1_767_225_600_000_000n;

/** The n-th request id of a test: a UUID that only n decides. */
export function testId(n: number | bigint): string {
  return `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** A ledger that nobody created. */
const NOTHING: LedgerReader = {
  exists: () => false,
  closedThrough: () => null,
  trialBalance: () => [],
  account: () => undefined,
  transaction: () => undefined,
  calendar: periodAt,
};

export class LedgerFixture {
  /** All events so far, LogStarted at position 0 included. */
  readonly events: RecordedEvent[] = [];
  readonly logId = Buffer.alloc(16, 7);
  readonly #ledgers = new Map<string, Overlay>();
  /** UTC microseconds of the next event. */
  now: bigint;

  constructor(start: bigint = FIXTURE_START) {
    this.now = start;
    const event = create(EventSchema, {
      position: 0n,
      recordedTimeMicros: this.#tick(),
      payload: { case: 'logStarted', value: create(LogStartedSchema, { logId: this.logId }) },
    });
    this.#push(event);
  }

  /** Decides a command and appends its events. @throws Error if the domain refuses it. */
  run(init: CommandInit): RecordedEvent[] {
    const request = create(CommandSchema, { command: init }).command;
    if (request.case === undefined) throw new Error('no command');
    const command = toCommand(request.case, request.value);
    const ledger = this.#ledger(command.ledgerId);
    const decision = decide(command, ledger, this.now);
    if (decision.outcome === 'refused')
      throw new Error(`${decision.refusal.reason}: ${decision.refusal.message}`);
    return this.#append(ledger, decision.events, (index) => ({
      command: index === 0 ? command : null,
      requestId: command.requestId,
      ordinal: index,
      body: index === 0 ? { type: commandTypeOf(request.case), body: canonicalBody(request) } : null,
      batch: null,
    }));
  }

  /** Expires the hold of a payment; the clock must be there. */
  expire(ledgerId: string, paymentId: string): RecordedEvent[] {
    const ledger = this.#ledger(ledgerId);
    const decision = decide({ type: 'ExpirePayment', ledgerId, requestId: '', paymentId }, ledger, this.now);
    if (decision.outcome === 'refused') throw new Error(decision.refusal.reason);
    return this.#append(ledger, decision.events, () => ({
      command: null,
      requestId: '',
      ordinal: 0,
      body: null,
      batch: null,
    }));
  }

  /** Decides an atomic batch and appends its events. */
  runAtomic(inits: readonly CommandInit[]): RecordedEvent[] {
    const requests = inits.map((init) => create(CommandSchema, { command: init }).command);
    const items = requests.map((request) => {
      if (request.case === undefined) throw new Error('no command');
      return { command: toCommand(request.case, request.value) as MovementCommand, request };
    });
    const first = items[0];
    if (first === undefined) throw new Error('an empty batch');
    const ledger = this.#ledger(first.command.ledgerId);
    const decision = decideAtomic(
      items.map(({ command }) => command),
      ledger,
      this.now,
    );
    if (decision.outcome === 'refused') throw new Error(decision.refusal.reason);
    return this.#append(ledger, decision.events, (index) => {
      const item = items[index];
      if (item === undefined) throw new Error('an atomic batch makes one event per command');
      return {
        command: item.command,
        requestId: item.command.requestId,
        ordinal: 0,
        body: { type: commandTypeOf(item.request.case), body: canonicalBody(item.request) },
        batch: { batchId: first.command.requestId, index, size: items.length },
      };
    });
  }

  /** The events from a position on (all by default) as the embedded bus delivers them: offset = position. */
  batch(from = 0n, through?: bigint): BusBatch {
    const events = this.events.filter(
      ({ position }) => position >= from && (through === undefined || position <= through),
    );
    const last = events.at(-1);
    if (last === undefined) throw new Error('no events');
    return { partition: 0, events, offset: last.position, watermark: this.point(last.position) };
  }

  /** The point of the log at a position. */
  point(position: bigint): LogPoint {
    const found = this.events[Number(position)];
    if (found === undefined) throw new Error('beyond the end');
    return { epoch: 0, position, hash: found.hash, recordedTime: found.event.recordedTimeMicros };
  }

  #ledger(ledgerId: string): Overlay {
    let found = this.#ledgers.get(ledgerId);
    if (found === undefined) {
      found = overlay(NOTHING);
      this.#ledgers.set(ledgerId, found);
    }
    return found;
  }

  #append(
    ledger: Overlay,
    events: readonly DomainEvent[],
    about: (index: number) => {
      command: Command | null;
      requestId: string;
      ordinal: number;
      body: Parameters<typeof encodeEvent>[1]['command'];
      batch: Parameters<typeof encodeEvent>[1]['batch'];
    },
  ): RecordedEvent[] {
    const ledgerId = [...this.#ledgers].find(([, found]) => found === ledger)?.[0] ?? '';
    const recordedTime = this.now;
    apply(ledger, events);
    const recorded = events.map((event, index) => {
      const { requestId, ordinal, body, batch } = about(index);
      return this.#push(
        encodeEvent(event, {
          shard: 0,
          epoch: 0,
          position: BigInt(this.events.length),
          ledgerId,
          recordedTime: recordedTime + BigInt(index),
          requestId,
          ordinal,
          command: body,
          actor: 'anonymous',
          traceId: '',
          isTraceSampled: false,
          previousHash: this.events.at(-1)?.hash ?? new Uint8Array(0),
          batch,
        }),
      );
    });
    this.#tick();
    return recorded;
  }

  #push(event: ReturnType<typeof encodeEvent>): RecordedEvent {
    const bytes = toBinary(EventSchema, event);
    const hash = createHash('sha256').update(bytes).digest();
    const recorded = { position: event.position, event, bytes, hash };
    this.events.push(recorded);
    return recorded;
  }

  /** Each command is a millisecond after the one before. */
  #tick(): bigint {
    const { now } = this;
    this.now += 1000n;
    return now;
  }
}
