/** `quittance completion`: the script by which a shell completes words. */
import { UsageError } from '../../../lib/process/command-line.js';
import { completionScript, SHELLS } from '../completion.js';
import { one } from '../flags.js';
import { put } from '../io.js';
import { type Verb, verb } from '../verb.js';
import type { Words } from '../words.js';

/** The verb, for all other words; itself it adds. */
export function completionOf(words: Words): Verb {
  const completion: Verb = verb({
    name: 'completion',
    summary: 'print the script by which a shell completes words',
    positionals: { shell: one('bash or zsh', SHELLS) },
    flags: {},
    examples: [
      [
        'quittance completion bash > ~/.local/share/bash-completion/completions/quittance',
        'for each bash from now on',
      ],
      [
        'quittance completion zsh > ~/.quittance.zsh',
        'then in ~/.zshrc, after compinit: source ~/.quittance.zsh',
      ],
    ],
    run: async ({ io }, { args: { shell } }) => {
      const known = SHELLS.find((each) => each === shell);
      if (known === undefined)
        throw new UsageError(`${JSON.stringify(shell)} is not known; there are ${SHELLS.join(' and ')}`);
      await put(io, completionScript(known, { ...words, verbs: [...words.verbs, completion] }));
      return undefined;
    },
  });
  return completion;
}
