/** The command line in the test's own process: what it wrote, and its exit code. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { v7 as uuidV7 } from 'uuid';
import type { TestServer } from '../../../test/standalone.js';
import { systemClock } from '../../../lib/base/time.js';
import type { Io } from '../io.js';
import { runQuittance } from '../run.js';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A shell with a home and variables of its own. */
export interface Shell {
  readonly home: string;
  /** Runs `quittance` with these words. */
  run(...words: readonly string[]): Promise<Ran>;
  /** The same with more: a standard input, variables, Ctrl-C, and a look at each piece that is written. */
  runWith(extra: Extra, ...words: readonly string[]): Promise<Ran>;
}

export interface Extra {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly onOut?: (text: string) => void;
  readonly onErr?: (text: string) => void;
}

export function createShell(env: Readonly<Record<string, string>>): Shell {
  const home = mkdtempSync(join(tmpdir(), 'quittance-cli-'));
  const runWith = async (extra: Extra, ...words: readonly string[]): Promise<Ran> => {
    let stdout = '';
    let stderr = '';
    const io: Io = {
      stdout: sink((text) => {
        stdout += text;
        extra.onOut?.(text);
      }),
      stderr: sink((text) => {
        stderr += text;
        extra.onErr?.(text);
      }),
      stdin: Readable.from([extra.stdin ?? '']),
      env: { ...env, ...extra.env },
      home,
      now: systemClock,
      newId: () => uuidV7(),
      signal: extra.signal ?? new AbortController().signal,
      leaveSignals: () => undefined,
    };
    const code = await runQuittance(words, io);
    return { code, stdout, stderr };
  };
  return { home, run: (...words) => runWith({}, ...words), runWith };
}

function sink(take: (text: string) => void): Io['stdout'] {
  return {
    write: (text, done) => {
      take(text);
      done?.();
      return true;
    },
  };
}

/** A shell at a new server, with a ledger `tour`, EUR accounts `alice` and `shop`, and 100.00 EUR in the first. */
export async function tourShell({ grpc }: Pick<TestServer, 'grpc'>): Promise<Shell> {
  const shell = createShell({ QUITTANCE_CLI_ADDRESS: grpc, QUITTANCE_CLI_LEDGER: 'tour' });
  for (const line of [
    'ledger create tour',
    'account open alice EUR',
    'account open shop EUR',
    'transaction deposit alice 100.00 EUR',
  ]) {
    const { code, stderr } = await shell.run(...line.split(' '));
    if (code !== 0) throw new Error(`quittance ${line} ended with ${String(code)}: ${stderr}`);
  }
  return shell;
}
