/** Reads the values of a filter by their kinds, and keeps what is wrong with them. */
import { type Timestamp, timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { ExponentOf } from '../actions/form-values.js';
import { typedAmount } from '../money.js';
import { type FilterText, typedTime } from './filter.js';
import { valueOfWord, wordsOf } from './words.js';

type Names<E extends number> = Readonly<Record<string, string | E>>;

/** A pair that metadata must have: a key with its value, or a key alone. */
export interface MetadataWanted {
  readonly key: string;
  readonly value?: string;
}

export class FilterReader {
  readonly problems: string[];
  readonly #filter: FilterText;

  constructor(filter: FilterText) {
    this.#filter = filter;
    this.problems = [...filter.problems];
  }

  /** Empty: it is not typed. */
  text(key: string): string {
    return this.#filter.values[key] ?? '';
  }

  /** One word of an enum; undefined: it is not typed, or is none. */
  word<E extends number>(key: string, names: Names<E>): E | undefined {
    return this.words(key, names)[0];
  }

  /** The words of an enum, of a key that stands several times or has them with commas between. */
  words<E extends number>(key: string, names: Names<E>): E[] {
    const typed = (this.#filter.lists[key] ?? []).flatMap((value) => value.split(','));
    return typed.flatMap((word) => {
      const found = valueOfWord(names, word);
      if (found === undefined) this.#refuse(`${key}: is one of ${wordsOf(names).join(', ')}`);
      return found === undefined ? [] : [found];
    });
  }

  /** @param otherwise what is said of a time that is none */
  time(key: string, now: Date, otherwise = 'is a day, a time, or -2h, -7d'): Timestamp | undefined {
    const typed = this.text(key);
    const time = typed === '' ? undefined : typedTime(typed, now);
    if (typed !== '' && time === undefined) this.#refuse(`${key}: ${otherwise}`);
    return time === undefined ? undefined : timestampFromDate(time);
  }

  /** Whether `key:yes` is typed. */
  isSet(key: string): boolean {
    const typed = this.text(key);
    if (typed !== '' && typed !== 'yes') this.#refuse(`${key}: is yes`);
    return typed === 'yes';
  }

  currency(): string {
    return this.text('currency').toUpperCase();
  }

  /** Minor units of the currency that the filter names; it may be below zero where `isSigned`. */
  amount(key: string, exponentOf: ExponentOf, isSigned = false): bigint | undefined {
    const typed = this.text(key);
    if (typed === '') return undefined;
    const exponent = exponentOf(this.currency());
    if (exponent === undefined) {
      this.#refuse(`${key}: needs currency:, which says how many digits it has`);
      return undefined;
    }
    const isNegative = isSigned && typed.startsWith('-');
    const amount = typedAmount(isNegative ? typed.slice(1) : typed, exponent, isSigned ? 0n : 1n);
    if (!amount.ok) this.#refuse(`${key}: ${amount.why}`);
    return amount.ok ? (isNegative ? -amount.minorUnits : amount.minorUnits) : undefined;
  }

  /** `metadata:order=17` or `metadata:order`, up to eight times. */
  metadata(): MetadataWanted[] {
    return (this.#filter.lists['metadata'] ?? []).map((typed) => {
      const cut = typed.indexOf('=');
      return cut < 0 ? { key: typed } : { key: typed.slice(0, cut), value: typed.slice(cut + 1) };
    });
  }

  #refuse(problem: string): void {
    this.problems.push(problem);
  }
}
