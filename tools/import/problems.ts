/** What is wrong with a file, each with the number of its line. All problems are counted, the first ones are kept. */

/** One thing that is wrong. */
interface Problem {
  /** From 1; 0 where the file as a whole is meant. */
  readonly line: number;
  readonly text: string;
}

/** More would not be read; the others are counted. */
const MAX_KEPT = 50;

/** Collects what a pass over a file finds. */
export class Problems {
  readonly #kept: Problem[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param line from 1; 0 where the file as a whole is meant. */
  add(line: number, text: string): void {
    this.#count += 1;
    if (this.#kept.length < MAX_KEPT) this.#kept.push({ line, text });
  }

  /** Takes over what another one has. */
  addAll(other: Problems): void {
    for (const { line, text } of other.#kept) this.add(line, text);
    this.#count += other.#count - other.#kept.length;
  }

  /** One line of text for each kept problem, by line number, then how many there are besides. */
  lines(): string[] {
    const sorted = this.#kept.toSorted((a, b) => a.line - b.line);
    const kept = sorted.map(({ line, text }) => (line === 0 ? text : `line ${line}: ${text}`));
    const more = this.#count - this.#kept.length;
    return more === 0 ? kept : [...kept, `and ${more.toLocaleString('en-US')} more problems`];
  }

  /** @throws BadFileError if there is any problem. */
  throwIfAny(): void {
    if (this.#count > 0) throw new BadFileError(this.lines());
  }
}

/** A file that cannot be imported as it is. Nothing of it has been booked. */
export class BadFileError extends Error {
  override readonly name = 'BadFileError';
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** A value that cannot be read; the reader of the row turns it into a problem with the row's line. */
export class FieldFault extends Error {
  override readonly name = 'FieldFault';
}

/** The value of `read`; where it throws a FieldFault, that becomes a problem, and `otherwise` stands in. */
export function readOrNote<T>(problems: Problems, line: number, read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FieldFault)) throw error;
    problems.add(line, error.message);
    return otherwise;
  }
}

/** A text of a file in a message: in quotes, and not too long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
