/** What of a partition is parked, in memory: decides which events of a batch can be applied. */
import type { BusBatch } from '../../log/bus.js';
import type { RecordedEvent } from '../../log/recorded-event.js';
import { streamIdOf } from '../../log/stream-id.js';
import { isKnown } from '../known-event.js';
import { type DeadLetters, UnknownEventError, type Unparking, type ViewBatch } from '../view.js';
import { type DeadLetter, touchedBy } from './dead-letter.js';
import { NOTHING_PARKED, type Parked, parkedOf, WHOLE_LEDGER } from './parked.js';

/** Why an event is parked that the store refused. */
export interface Refusal {
  readonly record: RecordedEvent;
  readonly tries: number;
  /** In words for operators. */
  readonly failure: string;
}

/**
 * The parked events of one partition of one generation. It is of no use any more when the store has refused what
 * it planned, or has parked something else: it is read again then.
 */
export class ParkedStreams {
  #parked: Parked;
  readonly #letters = new Map<bigint, DeadLetter>();
  /** By ledger, the keys that parked events change, each with the position of the first of these. */
  readonly #changed = new Map<string, Map<string, bigint>>();

  constructor({ parked, letters }: DeadLetters = { parked: NOTHING_PARKED, letters: [] }) {
    this.#parked = parked;
    for (const letter of letters) this.#add(letter);
  }

  /** What is parked once all that was planned is written. */
  get parked(): Parked {
    return this.#parked;
  }

  /** In order of position. */
  get letters(): readonly DeadLetter[] {
    return [...this.#letters.values()].sort((one, other) => (one.position < other.position ? -1 : 1));
  }

  /**
   * The batch without what has to wait behind parked events, which it parks too. `now`: UTC microseconds.
   * @throws UnknownEventError of an event that would have to wait, that this program does not know, and that is not
   * ignorable
   */
  plan(batch: BusBatch, now: bigint): ViewBatch {
    if (this.#parked.version === 0 && this.#letters.size === 0) return batch;
    const from = this.#parked;
    const events: RecordedEvent[] = [];
    const letters: DeadLetter[] = [];
    for (const record of batch.events) {
      if (this.#letters.has(record.position)) continue;
      const letter = this.#waiting(batch.partition, record, now);
      if (letter === undefined) {
        events.push(record);
      } else {
        this.#add(letter);
        letters.push(letter);
      }
    }
    // A store without transactions may hold letters that its checkpoint does not know of.
    if (this.#letters.size !== from.count) this.#parked = parkedOf(from.version + 1, this.letters);
    return { ...batch, events, parking: { from, to: this.#parked, letters } };
  }

  /** A batch that parks the one event that is in it, and applies nothing. */
  park(batch: BusBatch, { record, tries, failure }: Refusal, now: bigint): ViewBatch {
    const from = this.#parked;
    const letter = letterOf(batch.partition, record, { behind: undefined, tries, failure, parkedTime: now });
    this.#add(letter);
    this.#parked = parkedOf(from.version + 1, this.letters);
    return { ...batch, events: [], parking: { from, to: this.#parked, letters: [letter] } };
  }

  /** The letter of an event; undefined if that is not parked. */
  letter(position: bigint): DeadLetter | undefined {
    return this.#letters.get(position);
  }

  /** What applies a parked event and takes it from the letters. */
  apply({ partition }: DeadLetter, record: RecordedEvent): Unparking {
    return this.#change(partition, [record], [], (other) => other.position !== record.position);
  }

  /** What notes that a parked event was tried again in vain. */
  note(letter: DeadLetter): Unparking {
    return this.#change(letter.partition, [], [letter], () => true);
  }

  #change(
    partition: number,
    events: readonly RecordedEvent[],
    letters: readonly DeadLetter[],
    isLeft: (letter: DeadLetter) => boolean,
  ): Unparking {
    const from = this.#parked;
    return { partition, from, to: parkedOf(from.version + 1, this.letters.filter(isLeft)), events, letters };
  }

  /** The position of a parked event before this one that it has to wait behind; undefined if there is none. */
  blockedBy(letter: DeadLetter): bigint | undefined {
    for (const other of this.letters) {
      if (other.position >= letter.position) return undefined;
      if (other.ledgerId === letter.ledgerId && isBehind(letter, other)) return other.position;
    }
    return undefined;
  }

  #waiting(partition: number, record: RecordedEvent, now: bigint): DeadLetter | undefined {
    const changed = this.#changed.get(record.event.ledgerId);
    if (changed === undefined) return undefined;
    const { touches } = touchedBy(record);
    const keys = touches.includes(WHOLE_LEDGER) ? [...changed.keys()] : [WHOLE_LEDGER, ...touches];
    // An event before all parked ones comes again: it is applied already.
    const behind = keys.map((key) => changed.get(key)).find((at) => at !== undefined && at < record.position);
    if (behind === undefined) return undefined;
    if (!isKnown(record.event)) {
      if (record.event.ignorable) return undefined;
      throw new UnknownEventError(record.position);
    }
    const failure = `it waits behind the event at position ${String(behind)}`;
    return letterOf(partition, record, { behind, tries: 0, failure, parkedTime: now });
  }

  #add(letter: DeadLetter): void {
    this.#letters.set(letter.position, letter);
    const changed = this.#changed.get(letter.ledgerId) ?? new Map<string, bigint>();
    this.#changed.set(letter.ledgerId, changed);
    for (const key of letter.changes) {
      const first = changed.get(key);
      if (first === undefined || letter.position < first) changed.set(key, letter.position);
    }
  }
}

/** Whether an event has to wait behind an earlier one of the same ledger. */
function isBehind({ touches }: DeadLetter, { changes }: DeadLetter): boolean {
  if (touches.includes(WHOLE_LEDGER) || changes.includes(WHOLE_LEDGER)) return true;
  return touches.some((key) => changes.includes(key));
}

type Why = Pick<DeadLetter, 'behind' | 'tries' | 'failure' | 'parkedTime'>;

function letterOf(partition: number, record: RecordedEvent, why: Why): DeadLetter {
  const { event, position } = record;
  return {
    partition,
    position,
    ledgerId: event.ledgerId,
    streamId: streamIdOf(event),
    eventType: event.payload.case ?? '',
    epoch: event.epoch,
    recordedTime: event.recordedTimeMicros,
    previousHash: event.previousHash,
    ...touchedBy(record),
    ...why,
  };
}
