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
import { entityKey } from './entity-key.js';
import { expiryRequest } from './expiry-request.js';
import type { AtomicJob, Decided, Job, Request, SingleJob } from './job.js';
import { type CommittedStates, type Memory, NotLoaded } from './memory.js';
import { expiriesBefore } from './open-holds.js';
import { refusalError } from './refusal-error.js';

/** What becomes of a job once the flush is settled. */
export type Verdict =
  /** Its events are in the plan: answered when they are committed. */
  | { readonly verdict: 'commit'; readonly decided: readonly Decided[] }
  /** validate_only: answered without being stored, unless the request id turns out to be in the log. */
  | { readonly verdict: 'dry_run'; readonly decided: readonly Decided[] }
  /** Answered with the error, unless a request id turns out to be in the log. */
  | { readonly verdict: 'refused'; readonly error: CallError }
  /** A request id is in the log: answered by what stands there. */
  | { readonly verdict: 'replay' }
  /** Decided in the next flush: it shares a request id with another job of this one, or reads what was not loaded. */
  | { readonly verdict: 'deferred' };

/** What a flush appends, and what each job is answered once that is done. */
export interface Plan {
  readonly events: readonly RecordedEvent[];
  readonly states: readonly CommittedStates[];
  /** In the order of the jobs. */
  readonly verdicts: ReadonlyMap<Job, Verdict>;
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

/** What a command came to, before it is taken into the plan. */
interface Made {
  readonly ledger: Overlay;
  readonly events: readonly DomainEvent[];
  /** The same events as the log is to have them. */
  readonly recorded: readonly RecordedEvent[];
}

export function planFlush(input: PlanInput): Plan {
  return new Planner(input).plan();
}

class Planner {
  readonly #input: PlanInput;
  readonly #overlays = new Map<string, Overlay>();
  /** The request ids whose events are in the plan. */
  readonly #ids = new Set<string>();
  readonly #events: RecordedEvent[] = [];
  #end: LogPoint;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#end = input.memory.end;
  }

  plan(): Plan {
    const verdicts = new Map<Job, Verdict>();
    for (const job of this.#input.jobs) verdicts.set(job, this.#judge(job));
    const states = [...this.#overlays].map(([ledgerId, changes]) => ({
      ledgerId,
      ledgerCreated: changes.created,
      accounts: changes.accounts.values(),
      transactions: changes.transactions.values(),
    }));
    return { events: this.#events, states, verdicts };
  }

  #judge(job: Job): Verdict {
    const commands = job.requests.map(({ command }) => command).filter(({ requestId }) => requestId !== '');
    if (commands.some(({ ledgerId, requestId }) => this.#input.isStored(ledgerId, requestId))) {
      return { verdict: 'replay' };
    }
    const keys = commands.map(({ ledgerId, requestId }) => entityKey(ledgerId, requestId));
    // Equal ids in one flush: the first is decided, the others find it in the log when their turn comes.
    if (keys.some((key) => this.#ids.has(key))) return { verdict: 'deferred' };
    try {
      for (const { command } of job.requests) this.#expireHoldsBefore(command);
      const verdict = job.isAtomic ? this.#decideAtomic(job) : this.#decideSingle(job);
      if (verdict.verdict === 'commit') for (const key of keys) this.#ids.add(key);
      return verdict;
    } catch (error) {
      if (error instanceof NotLoaded) return { verdict: 'deferred' };
      throw error;
    }
  }

  /** Holds past their time reserve nothing: those on the accounts that a command reads are expired before it is decided. */
  #expireHoldsBefore(command: Command): void {
    const { holds } = this.#input.memory;
    if (!holds.hasDue(this.#nextTime())) return;
    const ledger = this.#ledger(command.ledgerId);
    const expiries = expiriesBefore(command, holds, (id) => ledger.transaction(id), this.#nextTime());
    for (const expiry of expiries) {
      const now = this.#nextTime();
      const decision = decide(expiry, ledger, now);
      // The hold may have ended in this flush, and then nothing happens.
      if (decision.outcome === 'refused' || decision.events.length === 0) continue;
      const origins = [{ request: expiryRequest(expiry), ordinal: 0, batch: null }];
      this.#take({
        ledger,
        events: decision.events,
        recorded: this.#recorded(decision.events, origins, now),
      });
    }
  }

  #decideSingle(job: SingleJob): Verdict {
    const [request] = job.requests;
    const ledger = this.#ledger(request.command.ledgerId);
    const now = this.#nextTime();
    const decision = decide(request.command, ledger, now);
    if (decision.outcome === 'refused') {
      return { verdict: 'refused', error: refusalError(decision.refusal) };
    }
    const { canonical: command } = request;
    const origins = decision.events.map((_, ordinal): EventOrigin => ({ request, ordinal, batch: null }));
    if (request.validateOnly) {
      const events = decision.events.map((event, ordinal) =>
        this.#encode(event, { request, ordinal, batch: null }, 0n, now + BigInt(ordinal), this.#end),
      );
      const decided = [{ events, command, replayed: false, point: null }];
      return { verdict: 'dry_run', decided };
    }
    const recorded = this.#recorded(decision.events, origins, now);
    const last = recorded.at(-1);
    const point = last === undefined ? this.#end : pointOf(last);
    const decided = [{ events: recorded.map(({ event }) => event), command, replayed: false, point }];
    this.#take({ ledger, events: decision.events, recorded });
    return { verdict: 'commit', decided };
  }

  #decideAtomic(job: AtomicJob): Verdict {
    const { requests } = job;
    const batchId = requests[0]?.command.requestId ?? '';
    const ledger = this.#ledger(requests[0]?.command.ledgerId ?? '');
    const now = this.#nextTime();
    const commands = requests.map(({ command }) => command);
    const decision = decideAtomic(commands, ledger, now);
    if (decision.outcome === 'refused') {
      return { verdict: 'refused', error: refusalError(decision.refusal, decision.index) };
    }
    const origins = requests.map((request, index): EventOrigin => ({
      request,
      ordinal: 0,
      batch: { batchId, index, size: requests.length },
    }));
    const recorded = this.#recorded(decision.events, origins, now);
    const decided = recorded.map((item, index): Decided => ({
      events: [item.event],
      command: requests[index]?.canonical ?? null,
      replayed: false,
      point: pointOf(item),
    }));
    this.#take({ ledger, events: decision.events, recorded });
    return { verdict: 'commit', decided };
  }

  /** Takes the events of a command into the plan: later commands of the flush see what they left behind. */
  #take({ ledger, events, recorded }: Made): void {
    for (const event of events) evolve(ledger, event);
    this.#events.push(...recorded);
    const last = recorded.at(-1);
    if (last !== undefined) this.#end = pointOf(last);
  }

  #ledger(ledgerId: string): Overlay {
    let found = this.#overlays.get(ledgerId);
    if (found === undefined) {
      found = overlay(this.#input.memory.ledger(ledgerId));
      this.#overlays.set(ledgerId, found);
    }
    return found;
  }

  /** recorded_time strictly increases with position, whatever the clock does. */
  #nextTime(): bigint {
    const next = this.#end.recordedTime + 1n;
    return this.#input.now > next ? this.#input.now : next;
  }

  /** The events as the log is to have them, after the end of the plan so far. */
  #recorded(
    events: readonly DomainEvent[],
    origins: readonly EventOrigin[],
    now: bigint,
  ): readonly RecordedEvent[] {
    let end = this.#end;
    return events.map((domainEvent, index) => {
      const origin = origins[index];
      if (origin === undefined) throw new Error('every event has an origin');
      const position = end.position + 1n;
      const event = this.#encode(domainEvent, origin, position, now + BigInt(index), end);
      const bytes = encodeMessage(log.EventSchema, event);
      const recorded = { position, event, bytes, hash: hash('sha256', bytes, 'buffer') };
      end = pointOf(recorded);
      return recorded;
    });
  }

  #encode(
    event: DomainEvent,
    { request, ordinal, batch }: EventOrigin,
    position: bigint,
    recordedTime: bigint,
    after: LogPoint,
  ): log.Event {
    const isInternal = request.command.requestId === '';
    return encodeEvent(event, {
      shard: this.#input.shard,
      epoch: after.epoch,
      position,
      ledgerId: request.command.ledgerId,
      recordedTime,
      requestId: request.command.requestId,
      ordinal,
      command: ordinal === 0 && !isInternal ? { type: request.type, body: request.body } : null,
      actor: request.actor,
      traceId: request.traceId,
      previousHash: after.hash,
      batch,
    });
  }
}
