/** Writes the state tables again from the log, where they hold a history that the log does not have. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { StateCheckpoint } from '../../../lib/log/state/rows.js';
import { StateFold } from '../../../lib/log/state/state-changes.js';
import type { StateWriter } from './write-behind.js';

export interface RefoldDeps {
  /** Empties the tables, if they are still at this checkpoint. */
  clear(lost: StateCheckpoint): Promise<void>;
  readonly write: StateWriter['write'];
  /** Events after a position, in order, at most `limit`. */
  after(position: bigint, limit: number): Promise<readonly RecordedEvent[]>;
}

/** Events per write. */
const PAGE_EVENTS = 1_000;

/** Takes as long as the log is; what is committed meanwhile is left to the write-behind. Safe beside other writers of the tables. */
export async function refoldState(deps: RefoldDeps, lost: StateCheckpoint): Promise<void> {
  await deps.clear(lost);
  for (let isAtEnd = false; !isAtEnd;) {
    await deps.write(async ({ position }) => {
      const events = await deps.after(position, PAGE_EVENTS);
      isAtEnd = events.length < PAGE_EVENTS;
      const last = events.at(-1);
      if (last === undefined) return undefined;
      const fold = new StateFold();
      for (const { event } of events) fold.add(event);
      await nextTurn();
      const through = { epoch: last.event.epoch, position: last.position, hash: last.hash };
      return { changes: fold.changes(), through };
    });
  }
}
