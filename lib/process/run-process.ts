/** From an entry file to a process that serves until it is told to stop. */
import type pino from 'pino';
import { type CommandText, commandLine, readCommandLine, runCommand } from './command-line.js';
import { createCloseables, unwindOnFailure, type Closeables } from '../base/closeables.js';
import type { Environment } from '../base/environment.js';
import { type EndWatch, type Host, runUntilSignal } from './shutdown.js';

/** `process`, as far as it is used here. */
export interface ProcessHost extends Host {
  /** The program, its script, then what was typed after them. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdout: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** What a start has made. */
export interface RunningProcess {
  /** Answers NOT_SERVING, takes no new calls, and resolves when those under way are done. */
  drain(): Promise<void>;
  /** Resolves when something died without which it cannot go on. */
  readonly failed: Promise<Error> | undefined;
  readonly log: pino.Logger;
  readonly watch: EndWatch;
}

const DRAIN_MS = 10_000;

/** Ctrl-C before the start was through: no failure. */
class Interrupted extends Error {}

/** Between the steps of a start: ends it if it was interrupted. */
export function unlessInterrupted(watch: EndWatch): void {
  if (watch.signal.aborted) throw new Interrupted();
}

/**
 * Starts, and runs until a signal. `--help` prints `text`; a server takes no other option. What the operator can put right is one
 * line on the standard error. @returns the exit code.
 */
export function runProcess(
  host: ProcessHost,
  text: CommandText,
  start: (closeables: Closeables) => Promise<RunningProcess>,
): Promise<number> {
  return runCommand(host, async () => {
    if (readCommandLine(commandLine(text), host.argv.slice(2), host) === undefined) return 0;
    return serveUntilSignal(start);
  });
}

async function serveUntilSignal(start: (closeables: Closeables) => Promise<RunningProcess>): Promise<number> {
  const closeables = createCloseables();
  try {
    const { watch, log, drain, failed } = await unwindOnFailure(closeables, () => start(closeables));
    return await runUntilSignal({
      watch,
      log,
      drain,
      drain_ms: DRAIN_MS,
      stop: () => closeables.close(),
      ...(failed === undefined ? {} : { failed }),
    });
  } catch (error) {
    if (error instanceof Interrupted) return 0;
    throw error;
  }
}
