/** Asks before what cannot be taken back, or what others would feel. */
import { StartError } from '../../../lib/base/start-error.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { toggle } from '../flags.js';
import type { Io } from '../io.js';

export const CONFIRM_FLAG = { yes: { ...toggle('do not ask'), letter: 'y' } };

/** @throws UsageError where there is no terminal to ask at, StartError if the answer is no */
export async function confirm(io: Io, question: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  if (io.stdin.isTTY !== true || io.stderr.isTTY !== true)
    throw new UsageError(`there is no terminal to ask at; add --yes: ${question}`);
  const { confirm: ask } = await import('@clack/prompts');
  // The question is said to people: data alone goes to the standard output.
  const answer = await ask({ message: question, initialValue: false, output: process.stderr });
  if (answer !== true) throw new StartError('nothing was done');
}
