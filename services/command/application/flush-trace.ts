/**
 * The spans of a flush, where traces are on. The flush is a trace of its own, linked to the calls whose commands it takes; in the
 * trace of each call every event has a span, linked to the flush, whose id is the beginning of the event's hash.
 */
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import { type Span, type SpanPoint, spanPointOfEvent, type Tracer } from '../../../lib/observe/tracing.js';
import type { Job } from './job.js';

/** As many calls are linked to a flush: what the specification of OpenTelemetry takes by default. */
const MOST_LINKS = 128;

export class FlushTrace {
  readonly #tracer: Tracer;
  readonly #began_ms = Date.now();
  /** The spans of the calls that are recorded, by the ids of their traces. */
  readonly #calls: ReadonlyMap<string, SpanPoint>;
  readonly #flush: Span | undefined;

  /** Undefined if no call of the flush is recorded: then the flush is not either. */
  static of(tracer: Tracer | undefined, jobs: readonly Job[]): FlushTrace | undefined {
    if (tracer === undefined) return undefined;
    const calls = new Map<string, SpanPoint>();
    for (const { requests } of jobs) {
      for (const { span } of requests) if (span !== undefined) calls.set(span.traceId, span);
    }
    return calls.size === 0 ? undefined : new FlushTrace(tracer, calls, jobs);
  }

  private constructor(tracer: Tracer, calls: ReadonlyMap<string, SpanPoint>, jobs: readonly Job[]) {
    this.#tracer = tracer;
    this.#calls = calls;
    const commands = jobs.reduce((sum, { requests }) => sum + requests.length, 0);
    this.#flush = tracer.start({
      name: 'flush',
      kind: 'internal',
      links: [...calls.values()].slice(0, MOST_LINKS),
      attributes: { 'quittance.commands': commands },
    });
  }

  /** Begins the span of an attempt to append; to be ended with its outcome. */
  append(events: number): { end(outcome: string): void } {
    const span = this.#tracer.start({
      name: 'append',
      kind: 'client',
      parent: this.#flush?.point,
      attributes: { 'db.system.name': 'postgresql', 'quittance.events': events },
    });
    return {
      end: (outcome) => {
        span?.set({ 'quittance.outcome': outcome });
        if (outcome !== 'appended') span?.failed(outcome);
        span?.end();
      },
    };
  }

  /** The events are in the log. */
  committed(events: readonly RecordedEvent[]): void {
    const links = this.#flush === undefined ? [] : [this.#flush.point];
    for (const { event, position, hash } of events) {
      const point = spanPointOfEvent(event, hash);
      const call = point === undefined ? undefined : this.#calls.get(point.traceId);
      if (point === undefined || call === undefined) continue;
      const attributes = {
        'quittance.position': Number(position),
        'quittance.event': event.payload.case ?? '',
      };
      this.#tracer
        .start({
          name: 'commit',
          kind: 'internal',
          parent: call,
          spanId: point.spanId,
          links,
          attributes,
          began_ms: this.#began_ms,
        })
        ?.end();
    }
  }

  end(): void {
    this.#flush?.end();
  }
}
