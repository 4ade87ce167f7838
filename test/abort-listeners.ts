/** Sees what Node would warn of: an AbortSignal with more listeners than it allows, which is a leak as a rule. */
import { getEventListeners, getMaxListeners } from 'node:events';

export interface AbortListeners {
  /** The most listeners of a signal that allowed fewer; 0 if there was none such. */
  readonly mostTooMany: number;
  /** Stops looking. */
  stop(): void;
}

/** Looks at every listener that is added to an AbortSignal. Jest hides the warnings of the process itself. */
export function watchAbortListeners(): AbortListeners {
  const { addEventListener } = EventTarget.prototype;
  let mostTooMany = 0;
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...added) {
    addEventListener.apply(this, added);
    if (!(this instanceof AbortSignal)) return;
    const most = limitOf(this);
    const { length } = getEventListeners(this, 'abort');
    if (most > 0 && length > most) mostTooMany = Math.max(mostTooMany, length);
  };
  return {
    get mostTooMany() {
      return mostTooMany;
    },
    stop: () => {
      EventTarget.prototype.addEventListener = addEventListener;
    },
  };
}

/** 0: no limit. */
function limitOf(signal: AbortSignal): number {
  try {
    return getMaxListeners(signal);
  } catch {
    // Node 20 answers a limit of 0 with an error.
    return 0;
  }
}
