/**
 * A small file of texts by key, for its owner alone, that may be lost: what is read then is nothing, and a home that cannot be
 * written is no reason to fail.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface KeptEntries {
  get(key: string): string | undefined;
  /** Keeps one as the newest; undefined forgets it. */
  set(key: string, value: string | undefined): void;
}

/** @param most how many are kept: the oldest are dropped */
export function keptEntries(path: string, most: number): KeptEntries {
  return {
    get: (key) => read(path).get(key),
    set: (key, value) => {
      const entries = read(path);
      entries.delete(key);
      if (value !== undefined) entries.set(key, value);
      write(path, [...entries].slice(-most));
    },
  };
}

function read(path: string): Map<string, string> {
  try {
    const stored: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const entries = typeof stored === 'object' && stored !== null ? Object.entries(stored) : [];
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return new Map();
  }
}

function write(path: string, entries: readonly (readonly [string, string])[]): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const draft = `${path}.${String(process.pid)}`;
    writeFileSync(draft, JSON.stringify(Object.fromEntries(entries)), { mode: 0o600 });
    renameSync(draft, path);
  } catch {
    // What was to be kept is asked for again.
  }
}
