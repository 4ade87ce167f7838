/**
 * Scripts by which shells complete words. All words are in the script: only where an id may stand, the tab key starts a process
 * that asks for ids. The part that finds words is the same for bash and zsh.
 */
import { type Flags, type IdKind, longOf, type Positional, type Positionals } from './flags.js';
import type { Noun, Verb } from './verb.js';
import { firstWords, type Words } from './words.js';

export const SHELLS = ['bash', 'zsh'] as const;
export type CompletedShell = (typeof SHELLS)[number];

/** The script of a shell. */
export function completionScript(shell: CompletedShell, words: Words): string {
  return `${HELPERS}${finder(words)}\n${GLUE[shell]}`;
}

/**
 * `_quittance_place WANTING NOUN VERB WORDS`: how many positionals stand there; WANTING are the flags that want a value.
 * `_quittance_ids KIND WORDS`: ids that begin as the word does, asked where the words say.
 */
const HELPERS = `_quittance_place() {
  local wanting=" $1 " place=0 before='' word
  shift 3
  for word in "$@"; do
    case "$word" in
      -*) ;;
      *) case "$wanting" in *" \${before:--} "*) ;; *) place=$((place + 1)) ;; esac ;;
    esac
    before="$word"
  done
  echo "$place"
}
_quittance_ids() {
  case "$_quittance_begun" in -*) return ;; esac
  local kind="$1" before='' word
  local -a where
  where=()
  shift
  for word in "$@"; do
    case "$before" in
      --ledger|--profile|--address|--query-address|--ca-file|--token) where+=("$before" "$word") ;;
    esac
    before="$word"
  done
  quittance ids "$kind" "$_quittance_begun" --timeout 1s --stale "\${where[@]}" 2>/dev/null
}
`;

/**
 * In bash a word that ends with an equals sign gets its value behind it, and no space.
 * Asks the finder with the words before the one that is begun, and keeps those that begin so; else files are offered. To bash a
 * colon and an @ end a word: it gets no more than what follows the last one.
 */
const GLUE: Readonly<Record<CompletedShell, string>> = {
  bash: `_quittance() {
  local _quittance_begun last=-1 i
  local -a words
  for ((i = 1; i <= COMP_CWORD; i++)); do
    if [[ $last -ge 0 && -n "\${COMP_WORDS[i]}" && ( "\${COMP_WORDS[i]}" == :* || "\${words[last]}" == *[:@] ) ]]; then
      words[last]+="\${COMP_WORDS[i]}"
    else
      last=$((last + 1))
      words[last]="\${COMP_WORDS[i]}"
    fi
  done
  _quittance_begun="\${words[last]}"
  COMPREPLY=($(compgen -W "$(_quittance_words "\${words[@]:0:last}")" -- "$_quittance_begun"))
  [[ "\${COMPREPLY[0]}" == *= ]] && compopt -o nospace 2>/dev/null
  if [[ "$_quittance_begun" == *[:@]* && "$COMP_WORDBREAKS" == *:* ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"\${_quittance_begun%"\${_quittance_begun##*[:@]}"}"}")
  fi
}
complete -o default -F _quittance quittance
`,
  zsh: `_quittance() {
  local _quittance_begun="\${words[CURRENT]}"
  local -a found
  found=(\${=$(_quittance_words "\${(@)words[2,CURRENT-1]}")})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
compdef _quittance quittance
`,
};

/** `_quittance_words WORDS`: what may follow. */
function finder(all: Words): string {
  const { nouns, verbs, programs } = all;
  const groups = new Map<string, string[]>();
  for (const [group = '', ...rest] of programs) groups.set(group, [...(groups.get(group) ?? []), ...rest]);
  const cases = [
    ...nouns.map(nounCase),
    ...verbs.map((verb) => `    ${verb.name}) set -- "$1" "$@"; ${lastCase(verb)} ;;`),
    ...[...groups].map(([group, names]) => `    ${group}) [ $# -eq 1 ] && echo '${names.join(' ')}' ;;`),
  ];
  return `_quittance_words() {
  if [ $# -eq 0 ]; then echo '${firstWords(all).join(' ')}'; return; fi
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

/** Behind a flag that wants a value its values, else flags, and what the verb itself takes at the place. */
function lastCase({ flags, positionals }: Verb): string {
  const all = [...Object.keys(flags).map(longOf), '--help'].join(' ');
  const cases = valueCases(flags);
  return `case "\${@: -1}" in ${cases}*) ${placeCases(flags, positionals)}echo '${all}' ;; esac`;
}

function valueCases(flags: Flags): string {
  const cases = wantingOf(flags).map(([name, { letter, choices = [], ids }]) => {
    const spelled = letter === undefined ? longOf(name) : `${longOf(name)}|-${letter}`;
    return `${spelled}) ${offer(choices, ids) ?? ':'} ;; `;
  });
  return cases.join('');
}

function placeCases(flags: Flags, positionals: Positionals): string {
  const cases = Object.values(positionals).flatMap((positional, index) => placeCase(positional, index));
  if (cases.length === 0) return '';
  const wanting = wantingOf(flags).flatMap(([name, { letter }]) =>
    letter === undefined ? [longOf(name)] : [longOf(name), `-${letter}`],
  );
  return `case "$(_quittance_place '${wanting.join(' ')}' "$@")" in ${cases.join(' ')} esac; `;
}

function placeCase({ shape, choices = [], ids }: Positional, index: number): readonly string[] {
  const offered = offer(choices, ids);
  // Words of the last positional go on for ever.
  return offered === undefined ? [] : [`${shape === 'many' ? '*' : String(index)}) ${offered} ;;`];
}

function offer(choices: readonly string[], ids: IdKind | undefined): string | undefined {
  if (ids !== undefined) return `_quittance_ids ${ids} "$@"`;
  return choices.length === 0 ? undefined : `echo '${choices.join(' ')}'`;
}

function wantingOf(flags: Flags) {
  return Object.entries(flags).filter(([, { argument }]) => argument !== undefined);
}
