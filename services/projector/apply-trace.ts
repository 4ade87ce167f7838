/** The spans of events that came into a view, where traces are on: each in the trace of the call that made the event. */
import type { RecordedEvent } from '../../lib/log/recorded-event.js';
import { spanPointOfEvent, type Tracer } from '../../lib/observe/tracing.js';
import type { ViewId } from '../../lib/views/view.js';

/** What was applied together. */
export interface AppliedBatch {
  readonly events: readonly RecordedEvent[];
  /** When that began, milliseconds since 1970. */
  readonly began_ms: number;
}

export function traceApplied(tracer: Tracer, view: ViewId, { events, began_ms }: AppliedBatch): void {
  for (const { event, position, hash } of events) {
    const parent = spanPointOfEvent(event, hash);
    if (parent === undefined) continue;
    const attributes = { 'quittance.position': Number(position), 'quittance.batch_events': events.length };
    tracer.start({ name: `project ${view}`, kind: 'consumer', parent, attributes, began_ms })?.end();
  }
}
