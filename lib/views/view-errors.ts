/** Failures that every view adapter reports in the same words, whatever its store. */
import { ViewAbsent } from '../base/view-absent.js';
import type { ViewId } from './view.js';

/**
 * The generation was dropped while it was read. The reader asks `ViewGenerations.current()` again and repeats
 * the read.
 */
export class GenerationGoneError extends ViewAbsent {
  override readonly name = 'GenerationGoneError';
  constructor(
    readonly view: ViewId,
    readonly generation: number,
    cause: unknown,
  ) {
    super(`generation ${generation} of the ${view} view is gone`, { cause });
  }
}

/**
 * The view holds events that the log lost when it was restored to an older end: this generation must be
 * rebuilt.
 */
export class LostEventsError extends Error {
  override readonly name = 'LostEventsError';
  constructor(
    readonly partition: number,
    readonly checkpointPosition: bigint,
  ) {
    super(
      `partition ${partition} of the view is at position ${checkpointPosition} of a history that was lost`,
    );
  }
}

/**
 * The batch goes on from events that the view has not seen. Nothing is changed; the caller reads the missing
 * events from the log first.
 */
export class MissedEventsError extends Error {
  override readonly name = 'MissedEventsError';
  constructor(
    readonly partition: number,
    readonly checkpointPosition: bigint,
    readonly after: bigint,
  ) {
    super(
      `partition ${partition} of the view is at position ${checkpointPosition}; the batch follows event ${after}`,
    );
  }
}

/**
 * Events name a ledger or an account that the view does not have: the store went back behind what it had
 * said, or the view has not seen the event that made it. Nothing is changed.
 */
export class MissingEntityError extends Error {
  override readonly name = 'MissingEntityError';
  constructor(readonly entity: string) {
    super(`events name ${entity}, which the view does not have`);
  }
}

/**
 * Other events of the partition are parked than the caller knew: another process has parked or applied some. Nothing
 * is changed; the caller reads again what is parked, and decides anew what can be applied.
 */
export class ParkedChangedError extends Error {
  override readonly name = 'ParkedChangedError';
  constructor(
    readonly partition: number,
    readonly version: number,
  ) {
    super(`partition ${partition} of the view has other parked events, in version ${version}`);
  }
}
