/**
 * Why a projection does not go on. The texts reach operators through the API: no driver's words are in them.
 */
import { UnknownEventError, type ViewId } from '../../lib/views/view.js';

/**
 * - `store`: the view's store is away; the projection tries again.
 * - `bus`: events cannot be read; the projection tries again.
 * - `event`: the store answers, but this event, which is of no ledger, cannot be applied; the projection tries it again,
 *   ever more rarely. (An event of a ledger is parked.)
 * - `too_many_parked`: a partition would have more parked events than the operator allows; the projection tries again,
 *   since some may have been retried with success.
 * - `unknown_event`: this program does not know the event; nothing but an upgrade or an operator helps.
 * - `history_lost`: the view holds events that the log has not; a rebuild helps.
 */
export type FailureKind = 'store' | 'bus' | 'event' | 'too_many_parked' | 'unknown_event' | 'history_lost';

/** A failure of a projection. Its cause is for the log. */
export class ProjectionFailure extends Error {
  override readonly name = 'ProjectionFailure';
  constructor(
    readonly kind: FailureKind,
    message: string,
    cause?: unknown,
    /** Of the event concerned. */
    readonly position?: bigint,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }

  /** Whether it may pass without an operator. */
  get passes(): boolean {
    return this.kind !== 'unknown_event' && this.kind !== 'history_lost';
  }
}

export function storeFailure(view: ViewId, cause: unknown): ProjectionFailure {
  return new ProjectionFailure('store', `the store of the ${view} view fails or cannot be reached`, cause);
}

/** Of a view that another process is making. */
export function viewMissing(view: ViewId, cause: unknown): ProjectionFailure {
  return new ProjectionFailure('store', `the ${view} view is being built from the log`, cause);
}

export function busFailure(cause: unknown): ProjectionFailure {
  return new ProjectionFailure('bus', 'events cannot be read', cause);
}

export function eventFailure(position: bigint, cause: unknown): ProjectionFailure {
  if (cause instanceof UnknownEventError) {
    return new ProjectionFailure('unknown_event', cause.message, cause, position);
  }
  const message = `event at position ${String(position)} cannot be applied; the server's log has more`;
  return new ProjectionFailure('event', message, cause, position);
}

export function tooManyParked(view: ViewId, most: number, position: bigint | undefined): ProjectionFailure {
  const message =
    `the ${view} view has ${String(most)} dead letters in a partition, as many as it may have; ` +
    'see ListDeadLetters and RetryDeadLetter';
  return new ProjectionFailure('too_many_parked', message, undefined, position);
}

export function historyLost(view: ViewId, position: bigint, cause?: unknown): ProjectionFailure {
  const message = `the ${view} view is at position ${String(position)} of a history that the log has lost; rebuild it`;
  return new ProjectionFailure('history_lost', message, cause, position);
}
