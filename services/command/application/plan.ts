/** Decides what waits, in order, each command seeing those before it. Pure but for the memory that it reads. */
import { hash } from 'node:crypto';
import * as log from '../../../gen/quittance/event/v1/event_pb.js';
import { encodeMessage } from '../../../lib/base/codec/binary.js';
import type { LogPoint, RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { CallError } from '../../../lib/rpc/errors.js';
import { decideAtomic } from '../domain/atomic-batch.js';
import { decide } from '../domain/decide.js';
import type { DomainEvent } from '../domain/event.js';
import { evolve, overlay, type Overlay } from '../domain/evolve.js';
import { encodeEvent } from './encode.js';
import { type AtomicJob, type Decided, type Job, type Request, requestsOf, type SingleJob } from './job.js';
import { type CommittedStates, entityKey, type Memory, NotLoaded } from './memory.js';
import { refusalError } from './refusal-error.js';

/** A job whose events are in the plan: settled when they are committed. */
interface PlannedJob {
  readonly job: Job;
  /** One an item. */
  readonly items: readonly Decided[];
}

/** What a flush is to append, and what it answers once that is done. */
export interface Plan {
  readonly events: readonly RecordedEvent[];
  readonly states: readonly CommittedStates[];
  readonly planned: readonly PlannedJob[];
  /** To be answered with an error, unless their request ids turn out to be in the log. */
  readonly refused: readonly { readonly job: Job; readonly error: CallError }[];
  /** validate_only: answered without being stored. */
  readonly dry: readonly { readonly job: SingleJob; readonly decided: Decided }[];
  /** Their request ids are in the log: answered by what stands there. */
  readonly replays: readonly Job[];
  /** Their turn comes with the next flush: they share ids with others of this one, or need what was not loaded. */
  readonly deferred: readonly Job[];
}

export interface PlanInput {
  readonly jobs: readonly Job[];
  readonly memory: Memory;
  /** UTC microseconds. */
  readonly now: bigint;
  readonly shard: number;
  /** Whether a request id is known to be in the log. */
  isStored(ledgerId: string, requestId: string): boolean;
}

interface EventOrigin {
  readonly request: Request;
  readonly ordinal: number;
  readonly batch: { readonly batchId: string; readonly index: number; readonly size: number } | null;
}

export function planFlush(input: PlanInput): Plan {
  return new Planner(input).plan();
}

class Planner {
  private readonly overlays = new Map<string, Overlay>();
  private readonly ids = new Set<string>();
  private readonly events: RecordedEvent[] = [];
  private readonly planned: PlannedJob[] = [];
  private readonly refused: { job: Job; error: CallError }[] = [];
  private readonly dry: { job: SingleJob; decided: Decided }[] = [];
  private readonly replays: Job[] = [];
  private readonly deferred: Job[] = [];
  private end: LogPoint;

  constructor(private readonly input: PlanInput) {
    this.end = input.memory.end;
  }

  plan(): Plan {
    for (const job of this.input.jobs) this.take(job);
    const { events, planned, refused, dry, replays, deferred } = this;
    const states = [...this.overlays].map(([ledgerId, changes]) => ({
      ledgerId,
      ledgerCreated: changes.created,
      accounts: changes.accounts.values(),
      transactions: changes.transactions.values(),
    }));
    return { events, states, planned, refused, dry, replays, deferred };
  }

  private take(job: Job): void {
    const keys = requestsOf(job)
      .map(({ command }) => command)
      .filter(({ requestId }) => requestId !== '')
      .map(({ ledgerId, requestId }) => ({ ledgerId, requestId, key: entityKey(ledgerId, requestId) }));
    if (keys.some(({ ledgerId, requestId }) => this.input.isStored(ledgerId, requestId))) {
      this.replays.push(job);
      return;
    }
    // Equal ids in one flush: the first is decided, the others find it in the log when their turn comes.
    if (keys.some(({ key }) => this.ids.has(key))) {
      this.deferred.push(job);
      return;
    }
    try {
      const wasStored = job.shape === 'single' ? this.takeSingle(job) : this.takeAtomic(job);
      if (wasStored) for (const { key } of keys) this.ids.add(key);
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error;
      this.deferred.push(job);
    }
  }

  private takeSingle(job: SingleJob): boolean {
    const { request } = job;
    const ledger = this.ledger(request.command.ledgerId);
    const now = this.nextTime();
    const decision = decide(request.command, ledger, now);
    if (decision.outcome === 'refused') {
      this.refused.push({ job, error: refusalError(decision.refusal) });
      return false;
    }
    const origins = decision.events.map((_, ordinal): EventOrigin => ({ request, ordinal, batch: null }));
    if (request.validateOnly) {
      const events = decision.events.map((event, ordinal) =>
        this.encode(event, { request, ordinal, batch: null }, 0n, now + BigInt(ordinal)),
      );
      this.dry.push({ job, decided: { events, replayed: false, point: null } });
      return false;
    }
    const recorded = this.record(ledger, decision.events, origins, now);
    const events = recorded.map(({ event }) => event);
    this.planned.push({ job, items: [{ events, replayed: false, point: this.end }] });
    return true;
  }

  private takeAtomic(job: AtomicJob): boolean {
    const { requests } = job;
    const batchId = requests[0]?.command.requestId ?? '';
    const ledger = this.ledger(requests[0]?.command.ledgerId ?? '');
    const now = this.nextTime();
    const decision = decideAtomic(
      requests.map(({ command }) => command),
      ledger,
      now,
    );
    if (decision.outcome === 'refused') {
      this.refused.push({ job, error: refusalError(decision.refusal, decision.index) });
      return false;
    }
    const origins = requests.map((request, index): EventOrigin => ({
      request,
      ordinal: 0,
      batch: { batchId, index, size: requests.length },
    }));
    const recorded = this.record(ledger, decision.events, origins, now);
    const items = recorded.map(({ event, position, hash: eventHash }): Decided => ({
      events: [event],
      replayed: false,
      point: { epoch: event.epoch, position, hash: eventHash, recordedTime: event.recordedTimeMicros },
    }));
    this.planned.push({ job, items });
    return true;
  }

  private ledger(ledgerId: string): Overlay {
    let found = this.overlays.get(ledgerId);
    if (found === undefined) {
      found = overlay(this.input.memory.ledger(ledgerId));
      this.overlays.set(ledgerId, found);
    }
    return found;
  }

  /** recorded_time strictly increases with position, whatever the clock does. */
  private nextTime(): bigint {
    const next = this.end.recordedTime + 1n;
    return this.input.now > next ? this.input.now : next;
  }

  private record(
    ledger: Overlay,
    decided: readonly DomainEvent[],
    origins: readonly EventOrigin[],
    now: bigint,
  ): RecordedEvent[] {
    return decided.map((domainEvent, index) => {
      const origin = origins[index];
      if (origin === undefined) throw new Error('every event has an origin');
      evolve(ledger, domainEvent);
      const position = this.end.position + 1n;
      const recordedTime = now + BigInt(index);
      const event = this.encode(domainEvent, origin, position, recordedTime);
      const bytes = encodeMessage(log.EventSchema, event);
      const recorded = { position, event, bytes, hash: hash('sha256', bytes, 'buffer') };
      this.end = { epoch: event.epoch, position, hash: recorded.hash, recordedTime };
      this.events.push(recorded);
      return recorded;
    });
  }

  private encode(
    event: DomainEvent,
    { request, ordinal, batch }: EventOrigin,
    position: bigint,
    recordedTime: bigint,
  ): log.Event {
    const isInternal = request.command.requestId === '';
    return encodeEvent(event, {
      shard: this.input.shard,
      epoch: this.end.epoch,
      position,
      ledgerId: request.command.ledgerId,
      recordedTime,
      requestId: request.command.requestId,
      ordinal,
      command: ordinal === 0 && !isInternal ? { type: request.type, body: request.body } : null,
      actor: request.actor,
      traceId: request.traceId,
      previousHash: this.end.hash,
      batch,
    });
  }
}
