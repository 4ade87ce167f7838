/** Decides a flush: its jobs in order, each command seeing those before it. Pure but for the memory that it reads. */
import { hash } from 'node:crypto';
import * as log from '../../../gen/quittance/event/v1/event_pb.js';
import { encodeMessage } from '../../../lib/base/codec/binary.js';
import { type LogPoint, pointOf, type RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { CallError } from '../../../lib/rpc/errors.js';
import { decideAtomic } from '../domain/atomic-batch.js';
import type { Command } from '../domain/command.js';
import { decide } from '../domain/decide.js';
import type { DomainEvent } from '../domain/event.js';
import { evolve, overlay, type Overlay } from '../domain/evolve.js';
import { encodeEvent } from './encode.js';
import { expiryRequest } from './expiry-request.js';
import type { AtomicJob, Decided, Job, Request } from './job.js';
import { historyChanged } from './closing-balances.js';
import { type CommittedStates, type Memory, NotLoaded, NotTracked } from './memory.js';
import { expiriesBefore } from './open-holds.js';
import { refusalError } from './refusal-error.js';

/** What becomes of one command, or of an atomic batch as a whole, once the flush is settled. */
export type Verdict =
  /** Its events are in the plan: answered when they are committed. */
  | { readonly verdict: 'commit'; readonly decided: readonly Decided[] }
  /** validate_only: answered without being stored, unless the request id turns out to be in the log. */
  | { readonly verdict: 'dry_run'; readonly decided: readonly Decided[] }
  /** Answered with the error, unless a request id turns out to be in the log. */
  | { readonly verdict: 'refused'; readonly error: CallError }
  /** A request id is in the log: answered by what stands there. */
  | { readonly verdict: 'replay' }
  /** Decided in the next flush: it shares a request id with another command of this one, or reads what was not loaded. */
  | { readonly verdict: 'deferred' };

/** A job and what becomes of it: a verdict for each of its requests, or one for an atomic batch. */
export interface Judged {
  readonly job: Job;
  readonly verdicts: readonly Verdict[];
}

/** What a flush appends, and what each job is answered once that is done. */
export interface Plan {
  readonly events: readonly RecordedEvent[];
  readonly states: readonly CommittedStates[];
  /** In the order of the jobs. */
  readonly judged: readonly Judged[];
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

/** Where a command stands in an atomic batch. */
interface BatchPlace {
  readonly batchId: string;
  readonly index: number;
  readonly size: number;
}

/** A ledger in a flush: its state so far, and the request ids whose events are in the plan. */
interface LedgerPlan {
  readonly overlay: Overlay;
  /** Each with the position of its command's first event. */
  readonly ids: Map<string, bigint>;
}

const REPLAY: Verdict = { verdict: 'replay' };
const DEFERRED: Verdict = { verdict: 'deferred' };

export function planFlush(input: PlanInput): Plan {
  return new Planner(input).plan();
}

class Planner {
  readonly #input: PlanInput;
  readonly #ledgers = new Map<string, LedgerPlan>();
  readonly #events: RecordedEvent[] = [];
  #end: LogPoint;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#end = input.memory.end;
  }

  plan(): Plan {
    const judged = this.#input.jobs.map((job): Judged => ({
      job,
      verdicts: job.isAtomic ? [this.#judgeBatch(job)] : job.requests.map((request) => this.#judge(request)),
    }));
    const states = [...this.#ledgers].map(([ledgerId, { overlay: changes, ids }]) => ({
      ledgerId,
      ledger: changes.ledger,
      requestIds: ids,
      accounts: changes.accounts.values(),
      transactions: changes.transactions.values(),
    }));
    return { events: this.#events, states, judged };
  }

  #judge(request: Request): Verdict {
    const { command } = request;
    const ledger = this.#ledger(command.ledgerId);
    const known = this.#knownId(ledger, command);
    if (known !== undefined) return known;
    try {
      this.#expireHoldsBefore(command, ledger);
      return this.#decide(request, ledger);
    } catch (error) {
      if (error instanceof NotLoaded) return DEFERRED;
      if (error instanceof NotTracked) return { verdict: 'refused', error: historyChanged() };
      throw error;
    }
  }

  #judgeBatch(job: AtomicJob): Verdict {
    const ledger = this.#ledger(job.requests[0]?.command.ledgerId ?? '');
    const known = job.requests.map(({ command }) => this.#knownId(ledger, command));
    if (known.includes(REPLAY)) return REPLAY;
    if (known.includes(DEFERRED)) return DEFERRED;
    try {
      for (const { command } of job.requests) this.#expireHoldsBefore(command, ledger);
      return this.#decideAtomic(job, ledger);
    } catch (error) {
      if (error instanceof NotLoaded) return DEFERRED;
      throw error;
    }
  }

  /** The verdict on a command whose request id was seen before. */
  #knownId({ ids }: LedgerPlan, { ledgerId, requestId }: Command): Verdict | undefined {
    if (requestId === '') return undefined;
    if (this.#input.isStored(ledgerId, requestId)) return REPLAY;
    // Equal ids in one flush: the first is decided, the others find it in the log when their turn comes.
    return ids.has(requestId) ? DEFERRED : undefined;
  }

  /** Holds past their time reserve nothing: those on the accounts that a command reads are expired before it is decided. */
  #expireHoldsBefore(command: Command, ledger: LedgerPlan): void {
    const { holds } = this.#input.memory;
    if (!holds.hasDue(this.#nextTime())) return;
    const expiries = expiriesBefore(command, holds, (id) => ledger.overlay.transaction(id), this.#nextTime());
    for (const expiry of expiries) {
      const decision = decide(expiry, ledger.overlay, this.#nextTime());
      // The hold may have ended in this flush, and then nothing happens.
      if (decision.outcome === 'refused' || decision.events.length === 0) continue;
      this.#record(decision.events, expiryRequest(expiry), ledger);
    }
  }

  #decide(request: Request, ledger: LedgerPlan): Verdict {
    const now = this.#nextTime();
    const decision = decide(request.command, ledger.overlay, now);
    if (decision.outcome === 'refused') {
      return { verdict: 'refused', error: refusalError(decision.refusal) };
    }
    const { canonical: command } = request;
    if (request.validateOnly) {
      const events = decision.events.map((event, ordinal) =>
        this.#encode(event, request, ordinal, null, 0n, now + BigInt(ordinal)),
      );
      return { verdict: 'dry_run', decided: [{ events, command, replayed: false, point: null }] };
    }
    const events = this.#record(decision.events, request, ledger);
    return { verdict: 'commit', decided: [{ events, command, replayed: false, point: this.#end }] };
  }

  #decideAtomic({ requests }: AtomicJob, ledger: LedgerPlan): Verdict {
    const batchId = requests[0]?.command.requestId ?? '';
    const commands = requests.map(({ command }) => command);
    const decision = decideAtomic(commands, ledger.overlay, this.#nextTime());
    if (decision.outcome === 'refused') {
      return { verdict: 'refused', error: refusalError(decision.refusal, decision.index) };
    }
    const decided = requests.map((request, index): Decided => {
      const event = decision.events[index];
      if (event === undefined) throw new Error('every item of a batch has its event');
      const batch = { batchId, index, size: requests.length };
      const events = this.#record([event], request, ledger, batch);
      return { events, command: request.canonical, replayed: false, point: this.#end };
    });
    return { verdict: 'commit', decided };
  }

  #ledger(ledgerId: string): LedgerPlan {
    let found = this.#ledgers.get(ledgerId);
    if (found === undefined) {
      found = { overlay: overlay(this.#input.memory.ledger(ledgerId)), ids: new Map() };
      this.#ledgers.set(ledgerId, found);
    }
    return found;
  }

  /** recorded_time strictly increases with position, whatever the clock does. */
  #nextTime(): bigint {
    const next = this.#end.recordedTime + 1n;
    return this.#input.now > next ? this.#input.now : next;
  }

  /**
   * Takes the events of a command into the plan, each a microsecond after the one before: later commands of the flush see what
   * they left behind. Returns them as the log is to have them.
   */
  #record(
    events: readonly DomainEvent[],
    request: Request,
    ledger: LedgerPlan,
    batch: BatchPlace | null = null,
  ): readonly log.Event[] {
    const { requestId } = request.command;
    if (requestId !== '') ledger.ids.set(requestId, this.#end.position + 1n);
    return events.map((domainEvent, ordinal) => {
      const position = this.#end.position + 1n;
      const event = this.#encode(domainEvent, request, ordinal, batch, position, this.#nextTime());
      const bytes = encodeMessage(log.EventSchema, event);
      const recorded = { position, event, bytes, hash: hash('sha256', bytes, 'buffer') };
      evolve(ledger.overlay, domainEvent);
      this.#events.push(recorded);
      this.#end = pointOf(recorded);
      return event;
    });
  }

  #encode(
    event: DomainEvent,
    request: Request,
    ordinal: number,
    batch: BatchPlace | null,
    position: bigint,
    recordedTime: bigint,
  ): log.Event {
    const { ledgerId, requestId } = request.command;
    const isOfCaller = ordinal === 0 && requestId !== '';
    return encodeEvent(event, {
      shard: this.#input.shard,
      epoch: this.#end.epoch,
      position,
      ledgerId,
      recordedTime,
      requestId,
      ordinal,
      command: isOfCaller ? { type: request.type, body: request.body } : null,
      actor: request.actor,
      traceId: request.traceId,
      isTraceSampled: request.span !== undefined,
      previousHash: this.#end.hash,
      batch,
    });
  }
}
