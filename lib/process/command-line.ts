/** The command line of every command: one form of `--help`, and errors that are sentences. */
import { Command, CommanderError, type OptionValues } from '@commander-js/extra-typings';
import { StartError } from '../base/start-error.js';

/** What a command says of itself. */
export interface CommandText {
  /** As it is typed, up to its options: `npm run demo --`. */
  readonly name: string;
  /** What it does, in a sentence or two. */
  readonly summary: string;
  /** Environment variables that it reads, with what each means. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Lines to paste, with what each does. */
  readonly examples: readonly (readonly [line: string, effect: string])[];
  /** Paragraphs at the end. */
  readonly notes?: readonly string[];
}

/** What was typed, once it is understood. */
export interface TypedLine<A extends unknown[], O extends OptionValues> {
  readonly positionals: A;
  readonly options: O;
}

/** The streams of the process, as far as they are needed here. */
export interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** A command line that cannot be followed; the message is a sentence that says what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The exit code of a command line that cannot be followed. */
const USAGE_EXIT_CODE = 2;

/** A command without options yet: add `.option` and `.argument` to it, then give it to `readCommandLine`. */
export function commandLine(text: CommandText): Command {
  const command = new Command(text.name)
    .description(text.summary)
    .helpOption('-h, --help', 'print this text')
    .allowExcessArguments(false)
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();
  return command.addHelpText('after', () => tailOf(text));
}

/**
 * Reads what was typed. Prints the help where it is asked for.
 * @returns undefined where help was asked for. @throws UsageError
 */
export function readCommandLine<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
  args: readonly string[],
  { stdout }: Pick<Output, 'stdout'>,
): TypedLine<A, O> | undefined {
  command.configureOutput({
    writeOut: (help) => stdout.write(help),
    writeErr: () => undefined,
    outputError: () => undefined,
  });
  try {
    command.parse([...args], { from: 'user' });
    return { positionals: command.processedArgs, options: command.opts() };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    const what =
      error.code === 'commander.excessArguments'
        ? `${JSON.stringify(command.args.at(command.registeredArguments.length))} is one argument too many`
        : sentenceOf(error);
    throw new UsageError(`${what}; ${command.name()} --help lists what there is`);
  }
}

/**
 * Runs a command to its end. What the operator can put right is one line on the standard error; any other error is a defect
 * and shows its stack. @returns the exit code.
 */
export async function runCommand(output: Output, command: () => Promise<number>): Promise<number> {
  try {
    return await command();
  } catch (error) {
    output.stderr.write(`${explanationOf(error)}\n`);
    return error instanceof UsageError ? USAGE_EXIT_CODE : 1;
  }
}

/** One line for an error that its reader can put right, the stack for any other. */
function explanationOf(error: unknown): string {
  if (error instanceof StartError || error instanceof UsageError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** commander's "error: unknown option '--x'\n(Did you mean --y?)" as a sentence. */
function sentenceOf({ message }: CommanderError): string {
  const [what = '', hint] = message.replace(/^error: /, '').split('\n');
  const meant = hint === undefined ? '' : ` ${hint}`;
  return `${what.replace(/\.$/, '')}${meant}`;
}

function tailOf({ environment, examples, notes }: CommandText): string {
  const sections = [
    environment === undefined ? '' : section('Environment variables:', Object.entries(environment)),
    section('Examples:', examples),
    ...(notes ?? []).map((note) => `\n${note}\n`),
  ];
  return sections.join('');
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  const lines = rows.map(([term, meaning]) => `  ${term.padEnd(width)}  ${meaning}`);
  return `\n${title}\n${lines.join('\n')}\n`;
}
