/**
 * Scripts by which shells complete words. All words are in the script: pressing the tab key starts no process. The part that finds
 * them is the same for bash and zsh.
 */
import { type Flags, longOf } from './flags.js';
import type { Noun, Verb } from './verb.js';

/** All that can be typed. */
export interface Words {
  readonly nouns: readonly Noun[];
  readonly verbs: readonly Verb[];
  /** Programs by the words that start them. */
  readonly programs: readonly (readonly string[])[];
}

export const SHELLS = ['bash', 'zsh'] as const;
export type CompletedShell = (typeof SHELLS)[number];

/** The script of a shell. */
export function completionScript(shell: CompletedShell, words: Words): string {
  return `${finder(words)}\n${GLUE[shell]}`;
}

/** Asks the finder with the words before the one that is begun, and keeps those that begin so; else files are offered. */
const GLUE: Readonly<Record<CompletedShell, string>> = {
  bash: `_quittance() {
  COMPREPLY=($(compgen -W "$(_quittance_words "\${COMP_WORDS[@]:1:COMP_CWORD-1}")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _quittance quittance
`,
  zsh: `_quittance() {
  local -a found
  found=(\${(z)"$(_quittance_words "\${(@)words[2,CURRENT-1]}")"})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
compdef _quittance quittance
`,
};

/** `_quittance_words WORDS`: what may follow. */
function finder({ nouns, verbs, programs }: Words): string {
  const groups = new Map<string, string[]>();
  for (const [group = '', ...rest] of programs) groups.set(group, [...(groups.get(group) ?? []), ...rest]);
  const first = [...nouns.map(({ name }) => name), ...verbs.map(({ name }) => name), ...groups.keys()];
  const cases = [
    ...nouns.map(nounCase),
    ...verbs.map((verb) => `    ${verb.name}) set -- "$1" "$@"; ${lastCase(verb)} ;;`),
    ...[...groups].map(([group, names]) => `    ${group}) [ $# -eq 1 ] && echo '${names.join(' ')}' ;;`),
  ];
  return `_quittance_words() {
  if [ $# -eq 0 ]; then echo '${first.join(' ')}'; return; fi
  case "$1" in
${cases.join('\n')}
  esac
}`;
}

function nounCase({ name, plural, verbs }: Noun): string {
  const names = verbs.map((verb) => verb.name).join(' ');
  const cases = verbs.map((verb) => `      ${verb.name}) ${lastCase(verb)} ;;`);
  return `    ${name}|${plural})
      if [ $# -eq 1 ]; then echo '${names}'; return; fi
      case "$2" in
${cases.join('\n')}
      esac ;;`;
}

/** Behind a flag that wants a value its values, else flags, and in the first place what the verb itself takes. */
function lastCase({ flags, positionals }: Verb): string {
  const choices = Object.values(positionals)[0]?.choices ?? [];
  const all = [...Object.keys(flags).map(longOf), '--help'].join(' ');
  const first = choices.length === 0 ? '' : `[ $# -eq 2 ] && echo '${choices.join(' ')}'; `;
  return `case "\${@: -1}" in ${valueCases(flags)}*) ${first}echo '${all}' ;; esac`;
}

function valueCases(flags: Flags): string {
  const wanting = Object.entries(flags).filter(([, { argument }]) => argument !== undefined);
  const cases = wanting.map(([name, { letter, choices = [] }]) => {
    const spelled = letter === undefined ? longOf(name) : `${longOf(name)}|-${letter}`;
    return `${spelled}) ${choices.length === 0 ? ':' : `echo '${choices.join(' ')}'`} ;; `;
  });
  return cases.join('');
}
