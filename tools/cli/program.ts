/** The command line as commander reads it, made of nouns and verbs. */
import { Argument, Command, CommanderError } from 'commander';
import { UsageError } from '../../lib/process/command-line.js';
import { EXIT_CODE_HELP } from './exit-codes.js';
import { argumentOf, optionOf } from './flags.js';
import type { Io } from './io.js';
import { NOUNS, TOP_VERBS } from './nouns.js';
import { PROGRAMS } from './programs.js';
import { VARIABLE_HELP } from './settings.js';
import type { Verb } from './verb.js';

/** The first five minutes. */
const TOUR = [
  ['quittance server start', 'a server on this machine, until Ctrl-C'],
  ['quittance ledger create tour', 'a ledger'],
  ['quittance account open alice EUR --ledger tour', 'an account'],
  ['quittance transaction deposit alice 100.00 EUR --ledger tour', 'money for it'],
  ['quittance status', 'what runs, and how fresh it is'],
] as const;

/** What was typed, once it is understood. */
export type Chosen =
  | {
      readonly kind: 'verb';
      readonly verb: Verb;
      readonly args: Readonly<Record<string, unknown>>;
      readonly flags: object;
    }
  | { readonly kind: 'program'; readonly file: string; readonly args: readonly string[] };

/** The whole program. `choose` gets what was typed. */
export function programOf(io: Pick<Io, 'stdout' | 'stderr'>, choose: (chosen: Chosen) => void): Command {
  const program = new Command('quittance')
    .description('Quittance on the command line: ledgers, accounts, payments, proofs.')
    .usage('<noun> <verb> [id...] [flags]')
    .exitOverride()
    .enablePositionalOptions()
    .helpOption('-h, --help', 'print this text')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false, subcommandTerm: (command) => command.name() })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => undefined,
    })
    .addHelpText('after', () => tailOf(TOUR));
  program.commandsGroup('Nouns:');
  for (const { name, plural, summary, verbs } of NOUNS) {
    const noun = program
      .command(name)
      .helpCommand(false)
      .alias(plural)
      .description(summary)
      .usage('<verb> [id...] [flags]');
    for (const each of verbs) addVerb(noun, each, choose);
  }
  program.commandsGroup('Commands:');
  for (const each of TOP_VERBS) addVerb(program, each, choose);
  program.commandsGroup('Programs:');
  addPrograms(program, choose);
  return program;
}

/** Reads what was typed. @returns undefined where the help was printed. @throws UsageError */
export function readTyped(io: Pick<Io, 'stdout' | 'stderr'>, args: readonly string[]): Chosen | undefined {
  const found: Chosen[] = [];
  const program = programOf(io, (chosen) => found.push(chosen));
  if (args.length === 0) {
    program.outputHelp();
    return undefined;
  }
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    // A noun without a verb: commander has printed the help of the noun.
    if (error.code === 'commander.help') throw new UsageError('name a verb of those above');
    throw new UsageError(`${sentenceOf(error)}; --help lists what there is`);
  }
  return found[0];
}

function addVerb(parent: Command, each: Verb, choose: (chosen: Chosen) => void): void {
  const command = parent
    .command(each.name, { hidden: each.isHidden === true })
    .description(each.summary)
    .allowExcessArguments(false)
    .addHelpText('after', () => tailOf(each.examples, each.notes));
  for (const [name, positional] of Object.entries(each.positionals))
    command.addArgument(new Argument(argumentOf(name, positional), positional.help));
  for (const [name, flag] of Object.entries(each.flags)) command.addOption(optionOf(name, flag));
  command.action(() => {
    const names = Object.keys(each.positionals);
    const args = Object.fromEntries(names.map((name, index) => [name, command.processedArgs[index]]));
    choose({ kind: 'verb', verb: each, args, flags: command.opts() });
  });
}

/** Programs read their own arguments: everything behind the name is theirs, `--help` too. */
function addPrograms(program: Command, choose: (chosen: Chosen) => void): void {
  for (const { path, summary, file } of PROGRAMS) {
    const parent = path.length === 1 ? program : groupOf(program, path[0] ?? '');
    const command = parent
      .command(path.at(-1) ?? '')
      .description(summary)
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .argument('[args...]');
    command.action(() => choose({ kind: 'program', file, args: command.args }));
  }
}

function groupOf(program: Command, name: string): Command {
  const known = program.commands.find((command) => command.name() === name);
  return (
    known ??
    program
      .command(name)
      .helpCommand(false)
      .description('start and reset servers on this machine')
      .usage('<verb> [flags]')
  );
}

/** commander's "error: unknown option '--x'\n(Did you mean --y?)" as a sentence. */
function sentenceOf({ message }: CommanderError): string {
  return message
    .replace(/^error: /, '')
    .split('\n')
    .map((line) => line.replace(/\.$/, ''))
    .join(' ');
}

function tailOf(
  examples: readonly (readonly [line: string, effect: string])[],
  notes: readonly string[] = [],
): string {
  const width = Math.max(0, ...examples.map(([line]) => line.length));
  const lines = examples.map(([line, effect]) => `  ${line.padEnd(width)}  ${effect}`);
  const variables = Object.entries(VARIABLE_HELP).map(([name, meaning]) => `  ${name}  ${meaning}`);
  const sections = [
    lines.length === 0 ? '' : `\nExamples:\n${lines.join('\n')}\n`,
    ...notes.map((note) => `\n${note}\n`),
    `\nEnvironment variables:\n${variables.join('\n')}\n`,
    `\n${EXIT_CODE_HELP}\n`,
  ];
  return sections.join('');
}
