/** What verbs take: flags and positionals, each with the function that reads its text, so that a verb gets typed values. */
import { InvalidArgumentError, Option } from 'commander';

/** What ids may be of. `explained` is what `explain` takes; a `month-end` is the last day of a month. */
export const ID_KINDS = [
  'ledger',
  'account',
  'transaction',
  'payment',
  'webhook',
  'schedule',
  'explained',
  'month-end',
] as const;
export type IdKind = (typeof ID_KINDS)[number];

/** A flag; its name is its key in the record of flags, in kebab case. */
export interface Flag<T> {
  /** What stands behind it, such as `<time>`; undefined for a switch. */
  readonly argument: string | undefined;
  readonly help: string;
  readonly letter?: string;
  /** The heading in the help under which it is listed. */
  readonly group?: string;
  /** The words that are allowed; completion offers them. */
  readonly choices?: readonly string[];
  /** Of what it wants an id; completion asks the server. */
  readonly ids?: IdKind;
  /** Whether it may be given several times: what its texts come to is joined. */
  readonly isRepeated?: boolean;
  /** Reads a text. @throws InvalidArgumentError */
  readonly read: (text: string) => T;
}

/** The flags of a verb by the camel case of their names. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** What was typed. */
export type FlagValues<F extends Flags> = {
  readonly [K in keyof F]: (F[K] extends Flag<infer T> ? T : never) | undefined;
};

/** A positional: needed, optional, or any number of words from one on. */
export interface Positional {
  readonly help: string;
  readonly shape: 'one' | 'maybe' | 'many';
  /** Words that completion offers. */
  readonly choices?: readonly string[];
  /** Of what it is the id; completion asks the server. */
  readonly ids?: IdKind;
}

/** The positionals of a verb in their order. */
export type Positionals = Readonly<Record<string, Positional>>;

/** What was typed. */
export type PositionalValues<P extends Positionals> = {
  readonly [K in keyof P]: P[K] extends { readonly shape: 'many' }
    ? readonly string[]
    : P[K] extends { readonly shape: 'one' }
      ? string
      : string | undefined;
};

/** A positional that is needed. */
export function one(help: string, choices: readonly string[] = []): Positional & { readonly shape: 'one' } {
  return { help, shape: 'one', choices };
}

/** A positional that may be left out. */
export function maybe(help: string): Positional & { readonly shape: 'maybe' } {
  return { help, shape: 'maybe' };
}

/** The last positional: one word or more. */
export function many(help: string): Positional & { readonly shape: 'many' } {
  return { help, shape: 'many' };
}

/** A positional or a flag that wants the id of something that is there. */
export function idOf<T extends Positional | Flag<unknown>>(ids: IdKind, taken: T): T {
  return { ...taken, ids };
}

/** A flag with a text behind it. */
export function text(argument: string, help: string): Flag<string> {
  return { argument: `<${argument}>`, help, read: (typed) => typed };
}

/** A flag without anything behind it. */
export function toggle(help: string): Flag<boolean> {
  return { argument: undefined, help, read: () => true };
}

/** A flag whose text has a form. `read` throws InvalidArgumentError. */
export function value<T>(argument: string, help: string, read: (typed: string) => T): Flag<T> {
  return { argument: `<${argument}>`, help, read: (typed) => read(typed) };
}

/** A flag that may be given several times. `read` throws InvalidArgumentError. */
export function repeated<T>(argument: string, help: string, read: (typed: string) => T): Flag<readonly T[]> {
  return several(value(argument, help, read));
}

/** The same flag, which may be given several times. */
export function several<T>(flag: Flag<T>): Flag<readonly T[]> {
  return {
    ...flag,
    help: `${flag.help}; may be given several times`,
    isRepeated: true,
    read: (typed) => [flag.read(typed)],
  };
}

/** A flag that takes one of a few words, each of which stands for something. */
export function choice<T>(argument: string, help: string, words: Readonly<Record<string, T>>): Flag<T> {
  const choices = Object.keys(words);
  const read = (typed: string): T => {
    const word = choices.find((known) => known === typed.toLowerCase());
    const chosen = word === undefined ? undefined : words[word];
    if (chosen === undefined) throw new InvalidArgumentError(`It is one of ${choices.join(', ')}.`);
    return chosen;
  };
  return { argument: `<${argument}>`, help: `${help}: ${choices.join(', ')}`, choices, read };
}

/** The words of a protobuf enum, without its zero: `TRANSACTION_STATUS_POSTED` is written `posted`. */
export function wordsOf<E extends number>(
  enumeration: Readonly<Record<string, string | number>>,
): Readonly<Record<string, E>> {
  const words: Record<string, E> = {};
  for (const [name, number] of Object.entries(enumeration))
    if (typeof number === 'number' && number !== 0) words[wordOfName(name)] = number as E;
  return words;
}

/** The word of one value of a protobuf enum; empty for its zero. */
export function wordOf(enumeration: Readonly<Record<number, string>>, number: number): string {
  return number === 0 ? '' : wordOfName(enumeration[number] ?? String(number));
}

function wordOfName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** The same flags under a heading of the help. */
export function grouped<F extends Flags>(group: string, flags: F): F {
  const entries = Object.entries(flags).map(([name, flag]) => [name, { ...flag, group }] as const);
  // The keys and the types of the values stay; fromEntries forgets them.
  return Object.fromEntries(entries) as F;
}

/** commander's form of a flag. */
export function optionOf(name: string, flag: Flag<unknown>): Option {
  const { argument, help, letter, group, isRepeated, read } = flag;
  const words = letter === undefined ? [longOf(name)] : [`-${letter},`, longOf(name)];
  const option = new Option([...words, ...(argument === undefined ? [] : [argument])].join(' '), help);
  if (argument !== undefined)
    option.argParser((typed: string, before: unknown) =>
      isRepeated === true ? joined(before, read(typed)) : read(typed),
    );
  return group === undefined ? option : option.helpGroup(`${group}:`);
}

/** A flag as it is typed: `--request-id` for requestId. */
export function longOf(name: string): string {
  return `--${kebab(name)}`;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

/** What a repeated flag came to so far, and what its next text comes to. */
function joined(before: unknown, next: unknown): unknown[] {
  return [before ?? [], next].flat(1);
}

/** commander's form of a positional. */
export function argumentOf(name: string, { shape }: Positional): string {
  const word = kebab(name);
  if (shape === 'maybe') return `[${word}]`;
  return shape === 'many' ? `<${word}...>` : `<${word}>`;
}

/** Reads a number of rows and the like. @throws InvalidArgumentError */
export function wholeNumber(typed: string): number {
  if (/^[1-9]\d{0,8}$/.test(typed)) return Number(typed);
  throw new InvalidArgumentError('It is a whole number above 0.');
}

/** Reads a position of the log. @throws InvalidArgumentError */
export function position(typed: string): bigint {
  if (/^\d{1,18}$/.test(typed)) return BigInt(typed);
  throw new InvalidArgumentError('It is a position: a whole number.');
}

/** Reads `30s`, `500ms`, `2m` into milliseconds. @throws InvalidArgumentError */
export function duration_ms(typed: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})(ms|s|m)$/.exec(typed) ?? [];
  const factor = { ms: 1, s: 1_000, m: 60_000 }[unit];
  if (factor === undefined) throw new InvalidArgumentError('It is a number with ms, s or m, such as 30s.');
  return Number(digits) * factor;
}

/** Reads `90s`, `10m`, `12h` or `3d` into seconds. @throws InvalidArgumentError */
export function duration_s(typed: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(typed) ?? [];
  const factor = { s: 1, m: 60, h: 3_600, d: 86_400 }[unit];
  if (factor === undefined) throw new InvalidArgumentError('It is a number with s, m, h or d, such as 12h.');
  return Number(digits) * factor;
}

/** Reads `key=value`. @throws InvalidArgumentError */
export function pair(typed: string): readonly [key: string, value: string] {
  const at = typed.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It is KEY=VALUE.');
  return [typed.slice(0, at), typed.slice(at + 1)];
}
