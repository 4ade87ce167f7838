/** What VerifyLedger has found so far, and what of it waits to be sent. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type VerifyLedgerResponseSchema,
  type VerifyOutcomeSchema,
  VerifySubject,
} from '../../../gen/quittance/ops/v1/ledger_service_pb.js';

/** One message to the caller. */
export type VerifyMessage = MessageInitShape<typeof VerifyLedgerResponseSchema>;

/** More findings than these are counted but not sent. */
export const MOST_FINDINGS_SENT = 1_000;
/** Longer texts are cut: a document may be 10 KiB. */
const MOST_CHARACTERS = 2_000;

/** Something that is not as the log says. */
export interface Finding {
  readonly subject: VerifySubject;
  /** Of the event concerned; 0n if none can be named. */
  readonly position: bigint;
  readonly entity: string;
  readonly expected: string;
  readonly actual: string;
}

/** Where findings go. */
export interface FindingSink {
  add(finding: Finding): void;
}

/** For passes over what was judged before. */
export const NO_FINDINGS: FindingSink = { add: () => undefined };

interface Tally {
  compared: bigint;
  findings: bigint;
}

/** Counts all, keeps at most 1,000 findings and the latest progress of each subject for the caller. */
export class Findings implements FindingSink {
  readonly #tallies = new Map<VerifySubject, Tally>();
  readonly #progress = new Map<VerifySubject, VerifyMessage>();
  #waiting: VerifyMessage[] = [];
  #sent = 0;
  #wake: () => void = () => undefined;

  constructor(subjects: readonly VerifySubject[]) {
    for (const subject of subjects) this.#tallies.set(subject, { compared: 0n, findings: 0n });
  }

  add({ subject, position, entity, expected, actual }: Finding): void {
    this.#tally(subject).findings++;
    if (this.#sent >= MOST_FINDINGS_SENT) return;
    this.#sent++;
    const value = { subject, position, entity, expected: cut(expected), actual: cut(actual) };
    this.#waiting.push({ event: { case: 'finding', value } });
    this.#wake();
  }

  /** Findings that cannot be named one by one. */
  addUnnamed(subject: VerifySubject, count: bigint): void {
    this.#tally(subject).findings += count;
  }

  /** Counts events or rows as compared. */
  compared(subject: VerifySubject, count: number): void {
    this.#tally(subject).compared += BigInt(count);
  }

  /** A slow caller gets the latest of each subject only. */
  progress(subject: VerifySubject, done: bigint, total: bigint): void {
    this.#progress.set(subject, { event: { case: 'progress', value: { subject, done, total } } });
    this.#wake();
  }

  /** All that waits to be sent. */
  take(): VerifyMessage[] {
    const messages = [...this.#progress.values(), ...this.#waiting];
    this.#progress.clear();
    this.#waiting = [];
    return messages;
  }

  /** Resolves when there is something to send; at once if there is already. */
  async changed(): Promise<void> {
    if (this.#progress.size > 0 || this.#waiting.length > 0) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** The verdict's outcomes, one a subject. */
  outcomes(): MessageInitShape<typeof VerifyOutcomeSchema>[] {
    return [...this.#tallies].map(([subject, tally]) => ({ subject, ...tally }));
  }

  /** How many findings there are, those that were not sent included. */
  get count(): bigint {
    return [...this.#tallies.values()].reduce((sum, { findings }) => sum + findings, 0n);
  }

  /** Whether there was no finding at all. */
  get ok(): boolean {
    return this.count === 0n;
  }

  #tally(subject: VerifySubject): Tally {
    const found = this.#tallies.get(subject);
    if (found === undefined) throw new Error(`${VerifySubject[subject]} is not verified`);
    return found;
  }
}

function cut(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`;
}
