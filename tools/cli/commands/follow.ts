/** Streams that go on over lost connections and restarts of the server. */
import { pause } from '../../../lib/base/pause.js';
import { callErrorOf } from '../../client/errors.js';
import { say } from '../io.js';
import { isTemporary, isUnreachable } from '../persist.js';
import type { Session } from '../session.js';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/** Opens a stream again whenever it is lost, until Ctrl-C; `open` says from where. Other errors are thrown. */
export async function* follow<T>({ io }: Session, open: () => AsyncIterable<T>): AsyncGenerator<T> {
  let pause_ms = FIRST_PAUSE_MS;
  let wasThere = false;
  while (!io.signal.aborted) {
    try {
      for await (const message of open()) {
        pause_ms = FIRST_PAUSE_MS;
        wasThere = true;
        yield message;
      }
    } catch (error) {
      if (!isTemporary(error) || (!wasThere && isUnreachable(error))) throw error;
      if (pause_ms === FIRST_PAUSE_MS)
        say(io, `the stream is lost (${callErrorOf(error).message}); opening it again`);
    }
    await pause(pause_ms, io.signal);
    pause_ms = Math.min(pause_ms * 2, MAX_PAUSE_MS);
  }
}
