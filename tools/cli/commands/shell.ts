/** `quittance shell`: one line after another, without starting a process for each. */
import { createInterface, type Interface } from 'node:readline';
import { Readable } from 'node:stream';
import { UsageError } from '../../../lib/process/command-line.js';
import { DONE, INTERRUPTED, MISUSED } from '../exit-codes.js';
import type { FlagValues } from '../flags.js';
import { idsOf } from '../ids.js';
import { type Io, say } from '../io.js';
import { Session } from '../session.js';
import { CONNECTION_FLAGS } from '../settings.js';
import { LEDGER_FLAGS } from '../shared-flags.js';
import { splitWords } from '../split-words.js';
import { type Verb, verb } from '../verb.js';
import { following, type Words } from '../words.js';

const FLAGS = { ...LEDGER_FLAGS, ...CONNECTION_FLAGS };
/** The tab key waits no longer for the server. */
const COMPLETION_MS = 1_000;
const LEDGER_VARIABLE = 'QUITTANCE_CLI_LEDGER';

/** The verb, for all other words. */
export function shellOf(words: Words): Verb {
  return verb({
    name: 'shell',
    summary: 'type line after line; the tab key completes words and ids',
    positionals: {},
    flags: FLAGS,
    examples: [
      ['quittance shell --ledger tour', 'lines of the ledger tour, until Ctrl-D'],
      ['quittance shell < lines.txt', 'the lines of a file, up to the first that fails'],
    ],
    notes: [
      'A line is a command line without or with the word quittance. Besides there are: use LEDGER, which names the ledger of the lines that follow; exit; ' +
        'and lines that begin with #, which are passed over. Ctrl-C ends the command that runs. Lines are not kept.',
      'A command that would ask needs --yes. Programs such as server start are started from your own shell.',
    ],
    run: (session, { flags }) => runShell(session, words, variablesOf(session, flags)),
  });
}

type Variables = Readonly<Record<string, string>>;

/** What the flags of the shell say, as the variables that its lines read. */
function variablesOf({ settings }: Session, { ledger, ...connection }: FlagValues<typeof FLAGS>): Variables {
  const variables: Record<string, string> = {};
  if (ledger !== undefined) variables[LEDGER_VARIABLE] = ledger;
  if (connection.profile !== undefined) variables['QUITTANCE_CLI_PROFILE'] = settings.profile;
  if (Object.values(connection).every((flag) => flag === undefined)) return variables;
  return {
    ...variables,
    ...settings.accessVariables,
    QUITTANCE_CLI_ADDRESS: settings.address,
    QUITTANCE_CLI_QUERY_ADDRESS: settings.queryAddress,
    QUITTANCE_CLI_OPS_ADDRESS: settings.opsAddress,
  };
}

/** Reads and runs lines until there are no more. A file ends at the first line that fails; a person goes on. */
async function runShell(session: Session, words: Words, given: Variables): Promise<number> {
  const { io } = session;
  const isTyped = io.stdin.isTTY === true && io.stderr.isTTY === true;
  let variables = given;
  let running: AbortController | undefined;
  const ioOf = (signal: AbortSignal): Io => ({
    ...io,
    stdin: Readable.from([]),
    env: { ...io.env, ...variables },
    signal,
    leaveSignals: () => {
      throw new UsageError('a program is started from your own shell, which then waits for it');
    },
  });
  const lines = createInterface(
    isTyped
      ? {
          input: process.stdin,
          output: process.stderr,
          completer: completerOf(words, () => ioOf(io.signal), session.runLine),
        }
      : { input: io.stdin },
  );
  lines.on('SIGINT', () => (running === undefined ? forgetLine(lines) : running.abort()));
  io.signal.addEventListener('abort', () => lines.close());
  const ask = () => {
    lines.setPrompt(`${variables[LEDGER_VARIABLE] ?? session.settings.ledger ?? 'quittance'}> `);
    if (isTyped) lines.prompt();
  };
  const runOne = async (typed: readonly string[]): Promise<number> => {
    const [first, second] = typed;
    if (first === 'use') {
      if (second === undefined || typed.length > 2) throw new UsageError('write use LEDGER');
      variables = { ...variables, [LEDGER_VARIABLE]: second };
      return DONE;
    }
    running = new AbortController();
    try {
      return await session.runLine(typed, ioOf(AbortSignal.any([io.signal, running.signal])));
    } finally {
      running = undefined;
    }
  };
  ask();
  for await (const line of lines) {
    const code = await outcomeOf(io, line, runOne);
    if (code === undefined || io.signal.aborted) break;
    if (code !== DONE && !isTyped) {
      lines.close();
      return code;
    }
    ask();
  }
  lines.close();
  return io.signal.aborted ? INTERRUPTED : DONE;
}

/** The exit code of a line; undefined: it ends the shell. */
async function outcomeOf(
  io: Io,
  line: string,
  run: (typed: readonly string[]) => Promise<number>,
): Promise<number | undefined> {
  try {
    if (line.trim().startsWith('#')) return DONE;
    const [first, ...rest] = splitWords(line);
    const typed = first === 'quittance' ? rest : first === undefined ? [] : [first, ...rest];
    if (typed.length === 0) return DONE;
    return typed.length === 1 && typed[0] === 'exit' ? undefined : await run(typed);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(io, error.message);
    return MISUSED;
  }
}

function forgetLine(lines: Interface): void {
  if (lines.line === '') process.stderr.write('\nexit or Ctrl-D leaves\n');
  lines.write(null, { ctrl: true, name: 'e' });
  lines.write(null, { ctrl: true, name: 'u' });
  lines.prompt();
}

type Completer = (line: string, answer: (error: null, found: [string[], string]) => void) => void;

/** The words and ids that may stand where the line ends. */
function completerOf(words: Words, ioOf: () => Io, runLine: Session['runLine']): Completer {
  return (line, answer) => {
    const begun = /\S*$/.exec(line)?.[0] ?? '';
    const before = line.slice(0, line.length - begun.length).split(/\s+/);
    const typed = before.filter((word, index) => word !== '' && !(index === 0 && word === 'quittance'));
    const { words: known, ids } = following(words, typed);
    const all = typed.length === 0 ? [...known, 'use', 'exit'] : known;
    const kind = typed.length === 1 && typed[0] === 'use' ? 'ledger' : ids;
    const done = (found: readonly string[]) =>
      answer(null, [[...all, ...found].filter((word) => word.startsWith(begun)), begun]);
    if (kind === undefined || begun.startsWith('-')) {
      done([]);
      return;
    }
    const session = new Session(ioOf(), { timeout: COMPLETION_MS, stale: true }, runLine);
    void idsOf(session, kind, begun)
      // Without an answer in time there are the words alone.
      .catch(() => [])
      .then(done)
      .finally(() => session.close());
  };
}
