/** What the command line takes from its process; tests give their own. */
import type { Readable } from 'node:stream';
import type { Environment } from '../../lib/base/environment.js';
import type { Micros } from '../../lib/base/time.js';

/** A stream that text is written to. */
export interface Sink {
  readonly isTTY?: boolean;
  /** The width of a terminal, in characters. */
  readonly columns?: number;
  /** Calls back once the text has been taken over. */
  write(text: string, done?: (error?: Error | null) => void): boolean;
}

export interface Io {
  /** Data and nothing else. */
  readonly stdout: Sink;
  /** All that is said to people. */
  readonly stderr: Sink;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly env: Environment;
  /** The home directory. */
  readonly home: string;
  readonly now: () => Micros;
  /** A fresh UUID of version 7. */
  readonly newId: () => string;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  /** Leaves Ctrl-C to a program that was started in this one's place. */
  readonly leaveSignals: () => void;
}

/** Says a line to people. */
export function say({ stderr }: Io, line: string): void {
  stderr.write(`${line}\n`);
}

/** Writes data; resolves when the reader has taken it, so that a slow reader costs no memory. */
export function put({ stdout }: Io, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
