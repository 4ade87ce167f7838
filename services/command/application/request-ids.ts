/** What the log has under the request ids of one flush: the tail in memory knows the latest, the log the others. */
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import { entityKey } from './entity-key.js';
import type { Request } from './job.js';
import type { LogFollower } from './log-follower.js';
import type { Memory } from './memory.js';

export class RequestIds {
  readonly #memory: Memory;
  readonly #follower: LogFollower;
  /** The events of those that were looked up and found, by ledger and request id. */
  readonly #stored = new Map<string, RecordedEvent[]>();

  constructor(memory: Memory, follower: LogFollower) {
    this.#memory = memory;
    this.#follower = follower;
  }

  /** Whether the id is known to be in the log. */
  isStored(ledgerId: string, requestId: string): boolean {
    return (
      this.#memory.hasRequest(ledgerId, requestId) ||
      (this.#stored.size > 0 && this.#stored.has(entityKey(ledgerId, requestId)))
    );
  }

  /** Reads the events that the log has under the ids of these requests. */
  async lookUp(requests: readonly Request[]): Promise<void> {
    const keys = requests
      .map(({ command: { ledgerId, requestId } }) => ({ ledgerId, requestId }))
      .filter(
        ({ ledgerId, requestId }) => requestId !== '' && !this.#stored.has(entityKey(ledgerId, requestId)),
      );
    if (keys.length === 0) return;
    for (const { ledgerId, requestId, recorded } of await this.#follower.requests(keys)) {
      const key = entityKey(ledgerId, requestId);
      const events = this.#stored.get(key);
      if (events === undefined) this.#stored.set(key, [recorded]);
      else events.push(recorded);
    }
  }

  /** The events that were found under the id of a request; undefined if none were. */
  readonly eventsOf = ({ command }: Request): readonly RecordedEvent[] | undefined =>
    this.#stored.get(entityKey(command.ledgerId, command.requestId));

  /** Whether events were found under the id of a request. */
  has(request: Request): boolean {
    return this.#stored.size > 0 && this.eventsOf(request) !== undefined;
  }
}
