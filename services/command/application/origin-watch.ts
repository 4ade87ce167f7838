/**
 * Notices that the database was restored to an older end, or that a standby was promoted in its place, also while nothing is
 * decided: it asks every second whether the log is written where it was, whether a projection has seen what the log does not have,
 * and whether the log still has the end of the memory.
 */
import { isSameBytes } from '../../../lib/base/bytes.js';
import type { Log } from '../../../lib/base/logging.js';
import { Repeated } from '../../../lib/base/repeated.js';
import type { EpochWork } from './committer.js';
import type { Memory } from './memory.js';
import type { WriteLog } from './write-log.js';

export interface OriginWatchDeps {
  readonly log: WriteLog;
  readonly memory: Memory;
  readonly logger: Log;
  /** The epochs that this process begins: what is read of the origin meanwhile may be half of the old and half of the new. */
  readonly epochWork: () => EpochWork;
  /** Called with the latest epoch of which something is lost; undefined: only the memory is to be compared with the log. */
  onSuspicion(lostEpoch: number | undefined): void;
}

const INTERVAL_MS = 1_000;

export class OriginWatch {
  readonly #deps: OriginWatchDeps;
  readonly #looks: Repeated;

  constructor(deps: OriginWatchDeps) {
    this.#deps = deps;
    this.#looks = new Repeated({
      interval_ms: INTERVAL_MS,
      logger: deps.logger,
      texts: {
        failed: 'the origin of the log cannot be read; the command service tries again',
        ended: 'the origin of the log is read again',
      },
      work: () => this.#look(),
    });
  }

  /** Looks once, then every second until `stop`. @throws what the database answers at first */
  async start(): Promise<void> {
    await this.#look();
    this.#looks.begin();
  }

  stop(): Promise<void> {
    return this.#looks.stop();
  }

  async #look(): Promise<'done'> {
    const { log, memory, logger, epochWork, onSuspicion } = this.#deps;
    const { position, hash } = memory.end;
    const { done } = epochWork();
    const { epoch, isMoved, lostEpoch } = await log.origin();
    // What is wrong for other reasons shows again at the next look.
    if (epochWork().isUnderWay || epochWork().done !== done) return 'done';
    if (isMoved) {
      logger.warn({ epoch }, 'the log is not where it was written before: it was restored or failed over');
      onSuspicion(epoch);
    }
    if (lostEpoch !== undefined && lostEpoch >= epoch) {
      logger.warn({ epoch, lostEpoch }, 'a projection has seen what the log does not have');
      onSuspicion(lostEpoch);
    }
    const at = position < 0n ? undefined : await log.at(position);
    if (position >= 0n && (at === undefined || !isSameBytes(at.hash, hash))) onSuspicion(undefined);
    return 'done';
  }
}
