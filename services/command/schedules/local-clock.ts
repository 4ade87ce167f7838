/** Instants of many local times: the offset of a whole week is looked up at once, unless the clocks of the zone are set in it. */
import type { Zone } from '../../../lib/base/zone.js';

const DAY_S = 86_400;
const WEEK_S = 7 * DAY_S;

export class LocalClock {
  readonly #zone: Zone;
  /** By the number of the week; undefined where the clocks are set. */
  readonly #weeks = new Map<number, number | undefined>();

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  /** As Zone.instantOf, seconds. */
  instantOf(local: number): number {
    const week = Math.floor(local / WEEK_S);
    if (!this.#weeks.has(week)) this.#weeks.set(week, this.#offsetOf(week));
    const offset = this.#weeks.get(week);
    return offset === undefined ? this.#zone.instantOf(local) : local - offset;
  }

  /** No zone is more than a day off UTC, and none moves its clock there and back within days. */
  #offsetOf(week: number): number | undefined {
    const before = this.#zone.offsetAt(week * WEEK_S - DAY_S);
    const after = this.#zone.offsetAt((week + 1) * WEEK_S + DAY_S);
    return before === after ? before : undefined;
  }
}
