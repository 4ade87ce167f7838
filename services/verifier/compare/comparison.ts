/**
 * Compares what one subject holds with what the fold expects: first by sums, then, where those differ, row by
 * row.
 */
import type { VerifySubject } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import type { FindingSink } from './findings.js';
import { bucketOf, RowSums } from '../rows/row-sums.js';

/** What a row says, and the position of the last event that shaped it. */
interface Row {
  readonly position: bigint;
  readonly content: string;
}

/** What a comparison is of. */
export interface ComparisonOptions {
  readonly subject: VerifySubject;
  /** The position that is verified to. */
  readonly through: bigint;
  /** Whether a row is made by one event and never changed: such rows beyond `through` are not compared. */
  readonly isFixed: (key: string) => boolean;
  /** Undefined: sums only. Else the buckets whose rows are kept and compared one by one. */
  readonly buckets: ReadonlySet<number> | undefined;
  /** The subject lacks events, which was reported: no row is compared. */
  readonly isIncomplete: boolean;
}

/**
 * One pass of a comparison. First come all rows that are there (`addActual`), then those that the fold
 * expects (`addExpected`, `removeExpected`), in the order of events. A row that an event after `through` has
 * shaped already is set aside, and compared when the fold, which then goes on beyond `through`, comes to that
 * very event.
 */
export class Comparison {
  readonly #options: ComparisonOptions;
  readonly #sums = new RowSums();
  readonly #expected = new Map<string, Row>();
  readonly #actual = new Map<string, Row>();
  readonly #setAside = new Map<string, Row>();
  #greatestSetAside = -1n;
  #rows = 0;

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  /** How many rows there are. */
  get rows(): number {
    return this.#rows;
  }

  /** The greatest position of a row that was set aside; -1n if none was. The fold must go on to it. */
  get greatestSetAside(): bigint {
    return this.#greatestSetAside;
  }

  /** A row that is there. */
  addActual(key: string, position: bigint, content: string): void {
    const { through, isFixed, buckets, isIncomplete } = this.#options;
    if (isIncomplete) return;
    if (position > through) {
      if (isFixed(key)) return;
      if (position > this.#greatestSetAside) this.#greatestSetAside = position;
      this.#setAside.set(key, { position, content });
      return;
    }
    this.#rows++;
    if (buckets === undefined) this.#sums.add(key, position, content, -1);
    else if (buckets.has(bucketOf(key))) this.#actual.set(key, { position, content });
  }

  /** Whether the row is compared as of a position. Where it is not, its content need not be made. */
  isCompared(key: string, position: bigint): boolean {
    const { through, buckets, isIncomplete } = this.#options;
    if (isIncomplete) return false;
    if (position > through) return this.#setAside.get(key)?.position === position;
    if (this.#setAside.has(key)) return false;
    return buckets === undefined || buckets.has(bucketOf(key));
  }

  /** A row as the event at `position` leaves it. */
  addExpected(key: string, position: bigint, content: string, findings: FindingSink): void {
    const { subject, through, buckets } = this.#options;
    if (!this.isCompared(key, position)) return;
    if (position <= through) {
      if (buckets === undefined) this.#sums.add(key, position, content, 1);
      else this.#expected.set(key, { position, content });
      return;
    }
    const row = this.#setAside.get(key);
    this.#setAside.delete(key);
    this.#rows++;
    if (row === undefined || row.content === content) return;
    findings.add({ subject, position, entity: key, expected: content, actual: row.content });
  }

  /** Removes what was expected of a row that a later event, at or before `through`, changes. */
  removeExpected(key: string, position: bigint, content: string): void {
    if (!this.isCompared(key, position)) return;
    if (this.#options.buckets === undefined) this.#sums.add(key, position, content, -1);
    else this.#expected.delete(key);
  }

  /** The buckets to look at row by row. Of sums only. */
  differing(): number[] {
    return this.#sums.differing();
  }

  /** Reports the rows that were set aside and whose event the fold never came to. */
  reportUnexplained(findings: FindingSink): void {
    const { subject } = this.#options;
    for (const [entity, { position, content }] of this.#setAside) {
      const expected = 'no row that this event shaped';
      findings.add({ subject, position, entity, expected, actual: content });
    }
    this.#setAside.clear();
  }

  /** Reports the rows that differ, by key. Of buckets only. */
  reportDifferences(findings: FindingSink): void {
    const { subject } = this.#options;
    const keys = [...new Set([...this.#expected.keys(), ...this.#actual.keys()])].sort();
    for (const key of keys) {
      const [expected, actual] = [this.#expected.get(key), this.#actual.get(key)];
      if (expected?.content === actual?.content && expected?.position === actual?.position) continue;
      findings.add({
        subject,
        position: expected?.position ?? actual?.position ?? 0n,
        entity: key,
        ...textsOf(expected, actual),
      });
    }
  }
}

function textsOf(expected: Row | undefined, actual: Row | undefined) {
  // Positions are named only where they are what differs.
  const samePosition =
    expected === undefined || actual === undefined || expected.position === actual.position;
  const text = (row: Row | undefined) =>
    row === undefined ? 'no row' : samePosition ? row.content : `${row.content} at position ${row.position}`;
  return { expected: text(expected), actual: text(actual) };
}
