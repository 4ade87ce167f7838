/** The structured log of every service. */
import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

/** The log of a process that others watch over: JSON lines to the standard output, readable ones to a terminal. */
export function openProcessLog(level: pino.LevelWithSilent, toTerminal: boolean): Log {
  const stream = toTerminal ? readableLines() : pino.destination({ dest: 1, sync: true });
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

/** Lines that people read, on the standard output. */
export function readableLines(): pino.DestinationStream {
  return pretty({
    destination: 1,
    sync: true,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
}
