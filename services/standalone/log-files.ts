/** Where the log goes: JSON lines to a file, and to a terminal lines that people read. */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { readableLines } from '../../lib/base/logging.js';

const ROTATE_ABOVE_BYTES = 50 * 1024 * 1024;
const KEEP = 3;

/**
 * Opens `quittance.log` in a directory and the standard output. A terminal gets readable lines of level info and above;
 * a pipe gets the same JSON as the file, since another program reads it.
 */
export function openLog(options: {
  directory: string;
  level: pino.LevelWithSilent;
  toTerminal: boolean;
}): pino.Logger {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const path = join(options.directory, 'quittance.log');
  rotate(path);
  // Synchronous, so that the last line before a crash is not lost; there are few lines.
  const file = pino.destination({ dest: path, sync: true, mode: 0o600 });
  const screen = options.toTerminal ? readableLines() : pino.destination({ dest: 1, sync: true });
  const level = options.level === 'silent' ? 'fatal' : options.level;
  const screenLevel = options.toTerminal ? (pino.levels.values[level] ?? 30) : 0;
  const streams: pino.StreamEntry[] = [
    { level, stream: file },
    { level: options.toTerminal && screenLevel < 30 ? 'info' : level, stream: screen },
  ];
  return pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream(streams),
  );
}

/** Opens a log file for a child process to write to. The caller closes the descriptor. */
export function openEngineLog(path: string): number {
  rotate(path);
  return openSync(path, 'a', 0o600);
}

/** Renames a file that has grown above 50 MB to `.1`, and keeps three such: 200 MB at most for what one run writes. */
export function rotate(path: string, above_bytes: number = ROTATE_ABOVE_BYTES): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= above_bytes) return;
  rmSync(`${path}.${String(KEEP)}`, { force: true });
  for (let age = KEEP - 1; age >= 1; age -= 1) {
    if (statSync(`${path}.${String(age)}`, { throwIfNoEntry: false })) {
      renameSync(`${path}.${String(age)}`, `${path}.${String(age + 1)}`);
    }
  }
  renameSync(path, `${path}.1`);
  // So the new file exists, with its mode, before another program looks for it.
  closeSync(openSync(path, 'a', 0o600));
}
