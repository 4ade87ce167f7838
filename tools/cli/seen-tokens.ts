/**
 * The consistency token of the last command for each server and ledger, so that a read after a command sees it without being
 * told. A file that is lost or damaged costs only that: reads then take what is there.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { valueOf } from '../../lib/base/environment.js';
import type { Io } from './io.js';

/** Older ones are dropped. */
const KEPT = 200;

export interface SeenTokens {
  get(address: string, ledger: string): string | undefined;
  /** Keeps one; undefined forgets it. */
  set(address: string, ledger: string, token: string | undefined): void;
}

export function seenTokens({ env, home }: Pick<Io, 'env' | 'home'>): SeenTokens {
  const folder = valueOf(env, 'XDG_STATE_HOME') ?? join(home, '.local', 'state');
  const path = join(folder, 'quittance', 'tokens.json');
  return {
    get: (address, ledger) => read(path).get(keyOf(address, ledger)),
    set: (address, ledger, token) => {
      const tokens = read(path);
      const key = keyOf(address, ledger);
      tokens.delete(key);
      if (token !== undefined) tokens.set(key, token);
      write(path, [...tokens].slice(-KEPT));
    },
  };
}

function keyOf(address: string, ledger: string): string {
  return `${address} ${ledger}`;
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
    // A home that cannot be written is no reason to fail a command that is done.
  }
}
