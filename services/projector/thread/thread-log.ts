/** The log of a thread: its lines go to the process, which has the files and the terminal. */
import pino from 'pino';
import type { Log } from '../../../lib/base/logging.js';

/** A log whose lines, as JSON, are given to `send`. */
export function threadLog(level: pino.LevelWithSilent, send: (line: string) => void): Log {
  return pino({ level, base: null, timestamp: false }, { write: send });
}

/** Writes a line of such a log to the log of the process. */
export function writeLine(log: Log, line: string): void {
  // Our own thread wrote it.
  const { level, msg, ...fields } = JSON.parse(line) as { level: number; msg: string };
  const name = pino.levels.labels[level];
  switch (name) {
    case 'trace':
    case 'debug':
    case 'info':
    case 'warn':
    case 'error':
    case 'fatal':
      log[name](fields, msg);
      break;
    default:
      log.error(fields, msg);
  }
}
