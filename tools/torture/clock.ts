/** Clocks of single processes that can be set: by libfaketime, which a process loads before it starts. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { isOnPath, needProgram } from '../stack/engines/install.js';
import type { Clock } from './subject.js';

/** Where Debian and others put the library that suits programs with threads. */
const LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib64/faketime/libfaketimeMT.so.1',
  '/usr/lib/faketime/libfaketimeMT.so.1',
];

/** A clock, and the variables of the process that is to have it. */
export interface SettableClock extends Clock {
  readonly variables: Readonly<Record<string, string>>;
}

/** The library; undefined where there is none and this user may not install it. */
export async function findFaketime(log: (line: string) => void): Promise<string | undefined> {
  const find = () => LIBRARIES.find((file) => existsSync(file));
  if (process.platform !== 'linux') return undefined;
  if (find() === undefined && !isOnPath('faketime')) {
    await needProgram('faketime', ['faketime']).catch(() => undefined);
  }
  const found = find();
  if (found === undefined) log('clocks stay as they are: there is no libfaketime (package faketime)');
  return found;
}

/** A clock that is set by a file, which the library reads once a second. The steady clock of the process is not touched. */
export function settableClock(library: string, name: string, file: string): SettableClock {
  const set = (offset_s: number) => {
    // The library must never read half a line.
    writeFileSync(`${file}.new`, `${offset_s < 0 ? '' : '+'}${String(offset_s)}s\n`);
    renameSync(`${file}.new`, file);
  };
  set(0);
  return {
    name,
    set,
    variables: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_RESET: '1',
    },
  };
}
