/** Saves how a rebuild goes, for the other processes to show. */
import { pause } from '../../lib/base/pause.js';
import type { ProjectorLog } from './projector-log.js';
import type { RebuildStatus } from './rebuild.js';

/** How long after one status was saved the next one is. */
const SAVE_MS = 200;

/** Saves the latest status, one at a time: a fast rebuild does not wait for it. */
export interface StatusSaving {
  next(status: RebuildStatus): void;
  /** Resolves when the first was saved, or could not be. */
  readonly first: Promise<void>;
  /** Resolves when the last was saved, or could not be. */
  done(): Promise<void>;
}

export function savingOfStatuses(
  save: (status: RebuildStatus) => Promise<void>,
  logger: ProjectorLog,
): StatusSaving {
  let latest: RebuildStatus | undefined;
  let saving: Promise<void> | undefined;
  let onFirst = () => {};
  const loop = async () => {
    while (latest !== undefined) {
      const status = latest;
      latest = undefined;
      await save(status).catch((error: unknown) => {
        logger.warn({ err: error }, 'the status of a rebuild was not saved');
      });
      onFirst();
      await pause(SAVE_MS);
    }
    saving = undefined;
  };
  return {
    next: (status) => {
      latest = status;
      saving ??= loop();
    },
    first: new Promise((resolve) => (onFirst = resolve)),
    done: async () => {
      while (saving !== undefined) await saving;
    },
  };
}
