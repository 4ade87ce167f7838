/** From what was typed to the exit code. */
import { StartError } from '../../lib/base/start-error.js';
import { UsageError } from '../../lib/process/command-line.js';
import { callErrorOf, describe, isCallError, sentenceOfCall } from '../client/errors.js';
import { DONE, exitCodeOf, INTERRUPTED, UNAVAILABLE } from './exit-codes.js';
import { type Io, say } from './io.js';
import { type Chosen, readTyped } from './program.js';
import { PROGRAMS } from './programs.js';
import { runProgram } from './run-program.js';
import { InterruptedError, Session } from './session.js';
import { settingsOf } from './settings.js';

/** Runs one line. @returns the exit code; docs/cli.md lists them */
export async function runQuittance(args: readonly string[], io: Io): Promise<number> {
  try {
    const chosen = readTyped(io, args);
    if (chosen === undefined) return DONE;
    if (chosen.kind === 'program') return await startProgram(chosen, io);
    return await runVerb(chosen, args, io);
  } catch (error) {
    return explain(error, io);
  }
}

type ChosenVerb = Extract<Chosen, { readonly kind: 'verb' }>;

async function runVerb({ verb, args, flags }: ChosenVerb, typed: readonly string[], io: Io): Promise<number> {
  const session = new Session(io, flags, runQuittance);
  try {
    return (await verb.run(session, args, flags)) ?? DONE;
  } catch (error) {
    const isUnknown = error instanceof InterruptedError || exitCodeOf(error) === UNAVAILABLE;
    const code = explain(error, io, session);
    const id = session.sentRequestId;
    if (isUnknown && id !== undefined && !session.isDryRun) say(io, `send it again: ${pasted(typed, id)}`);
    return code;
  } finally {
    session.close();
  }
}

function startProgram(
  { file, args }: Extract<Chosen, { readonly kind: 'program' }>,
  io: Io,
): Promise<number> {
  const program = PROGRAMS.find((known) => known.file === file);
  if (program === undefined) throw new StartError(`${file} is no program of this command line`);
  io.leaveSignals();
  const named = args.some((word) => word === '--address' || word.startsWith('--address='));
  const isAsking = args.some((word) => word === '--help' || word === '-h');
  if (program.takesAddress !== true || isAsking) return runProgram(program, args, io.env);
  const { address, accessVariables } = settingsOf(io, NO_FLAGS);
  const env = { ...io.env, ...accessVariables };
  return runProgram(program, named ? args : [...args, '--address', address], env);
}

const NO_FLAGS = {
  address: undefined,
  queryAddress: undefined,
  opsAddress: undefined,
  token: undefined,
  caFile: undefined,
  tls: undefined,
  profile: undefined,
} as const;

/** One line for an error that its reader can put right, the stack for any other. */
function explain(error: unknown, io: Io, session?: Session): number {
  if (error instanceof InterruptedError) {
    const isCommand = session?.sentRequestId !== undefined && !session.isDryRun;
    say(io, isCommand ? 'interrupted; whether the command was done is not known' : 'interrupted');
    return INTERRUPTED;
  }
  say(io, textOf(error, session));
  return exitCodeOf(error);
}

function textOf(error: unknown, session: Session | undefined): string {
  if (isCallError(error)) {
    const read = callErrorOf(error);
    return read.reason === '' ? sentenceOfCall(error, session?.lastAddress ?? '') : describe(read);
  }
  if (error instanceof StartError || error instanceof UsageError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The line to paste, with the request id and without credentials. */
function pasted(typed: readonly string[], requestId: string): string {
  const words = typed.map((word, index) => {
    if (word.startsWith('--token=')) return '--token="$QUITTANCE_CLI_TOKEN"';
    return typed[index - 1] === '--token' ? '"$QUITTANCE_CLI_TOKEN"' : quoted(word);
  });
  const hasId = typed.some((word) => word === '--request-id' || word.startsWith('--request-id='));
  return ['quittance', ...words, ...(hasId ? [] : ['--request-id', requestId])].join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
