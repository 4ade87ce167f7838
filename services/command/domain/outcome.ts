/** Small constructors of decisions. */
import type { Decision, Refusal, RefusalReason } from './decision.js';
import type { DomainEvent } from './event.js';

/** What a refusal is about. */
export type At = Omit<Refusal, 'reason' | 'message'>;

/** A refusal as a value; checks answer it, or null if all is well, so that they chain with `??`. */
export function refusal(reason: RefusalReason, message: string, at: At = {}): Refusal {
  return { reason, message, ...at };
}

/** The decision to refuse. */
export function refuse(because: Refusal): Decision {
  return { outcome: 'refused', refusal: because };
}

/** The decision that these events happened, in this order. */
export function happened(...events: readonly DomainEvent[]): Decision {
  return { outcome: 'events', events };
}
