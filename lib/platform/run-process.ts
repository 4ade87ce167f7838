/** From an entry file to a process that serves until it is told to stop. */
import type pino from 'pino';
import { createCloseables, unwindOnFailure, type Closeables } from './closeables.js';
import type { Environment } from './environment.js';
import { type EndWatch, type Host, runUntilSignal } from './shutdown.js';
import { StartError } from './start-error.js';

/** `process`, as far as it is used here. */
export type ProcessHost = Host & {
  env: Environment;
  stdout: { isTTY?: boolean; write: (text: string) => unknown };
  stderr: { write: (text: string) => unknown };
};

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
 * Starts, and runs until a signal. What the operator can put right is one line on the standard error.
 * @returns the exit code.
 */
export async function runProcess(
  host: ProcessHost,
  start: (closeables: Closeables) => Promise<RunningProcess>,
): Promise<number> {
  const closeables = createCloseables();
  try {
    const { watch, log, drain, failed } = await unwindOnFailure(closeables, () => start(closeables));
    return await runUntilSignal({
      ...{ watch, log, drain, drain_ms: DRAIN_MS },
      stop: () => closeables.close(),
      ...(failed === undefined ? {} : { failed }),
    });
  } catch (error) {
    if (error instanceof Interrupted) return 0;
    const text =
      error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
    host.stderr.write(`${text ?? 'unknown error'}\n`);
    return 1;
  }
}
