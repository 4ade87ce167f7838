/** All that can be typed, and what of it may follow what was typed. */
import { type Flags, type IdKind, longOf } from './flags.js';
import type { Noun, Verb } from './verb.js';

/** All that can be typed. */
export interface Words {
  readonly nouns: readonly Noun[];
  readonly verbs: readonly Verb[];
  /** Programs by the words that start them. */
  readonly programs: readonly (readonly string[])[];
}

/** What may follow. */
export interface Following {
  readonly words: readonly string[];
  /** Ids that the server knows may follow too. */
  readonly ids: IdKind | undefined;
}

const NONE: Following = { words: [], ids: undefined };

/** The first words: nouns, verbs of their own, programs. */
export function firstWords({ nouns, verbs, programs }: Words): readonly string[] {
  const shown = verbs.filter(({ isHidden }) => isHidden !== true);
  const groups = programs.map(([group = '']) => group);
  return [...nouns.map(({ name }) => name), ...shown.map(({ name }) => name), ...new Set(groups)];
}

/** What may follow these words. */
export function following(words: Words, typed: readonly string[]): Following {
  const [first, second, ...rest] = typed;
  if (first === undefined) return { words: firstWords(words), ids: undefined };
  const verb = words.verbs.find(({ name }) => name === first);
  if (verb !== undefined) return afterVerb(verb, typed.slice(1));
  const noun = words.nouns.find(({ name, plural }) => name === first || plural === first);
  if (noun === undefined) {
    const ends = words.programs.flatMap(([group, ...others]) => (group === first ? others : []));
    return second === undefined ? { words: ends, ids: undefined } : NONE;
  }
  if (second === undefined) return { words: noun.verbs.map(({ name }) => name), ids: undefined };
  const found = noun.verbs.find(({ name }) => name === second);
  return found === undefined ? NONE : afterVerb(found, rest);
}

/** Behind a flag that wants a value its values, else flags and what stands at this place. */
function afterVerb({ flags, positionals }: Verb, typed: readonly string[]): Following {
  const wanting = flagOf(flags, typed.at(-1));
  if (wanting?.argument !== undefined) return { words: wanting.choices ?? [], ids: wanting.ids };
  const place = typed.filter(
    (word, index) => !word.startsWith('-') && flagOf(flags, typed[index - 1])?.argument === undefined,
  ).length;
  const all = Object.values(positionals);
  const last = all.at(-1);
  const here = all[place] ?? (last?.shape === 'many' ? last : undefined);
  const names = [...Object.keys(flags).map(longOf), '--help'];
  return { words: [...(here?.choices ?? []), ...names], ids: here?.ids };
}

function flagOf(flags: Flags, word: string | undefined) {
  const isIt = ([name, { letter }]: [string, Flags[string]]) =>
    word === longOf(name) || (letter !== undefined && word === `-${letter}`);
  return word === undefined ? undefined : Object.entries(flags).find(isIt)?.[1];
}
