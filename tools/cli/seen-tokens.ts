/**
 * The consistency token of the last command for each server and ledger, so that a read after a command sees it without being
 * told. A file that is lost or damaged costs only that: reads then take what is there.
 */
import { join } from 'node:path';
import { valueOf } from '../../lib/base/environment.js';
import type { Io } from './io.js';
import { keptEntries } from './kept-entries.js';

/** Older ones are dropped. */
const KEPT = 200;

export interface SeenTokens {
  get(address: string, ledger: string): string | undefined;
  /** Keeps one; undefined forgets it. */
  set(address: string, ledger: string, token: string | undefined): void;
}

export function seenTokens({ env, home }: Pick<Io, 'env' | 'home'>): SeenTokens {
  const folder = valueOf(env, 'XDG_STATE_HOME') ?? join(home, '.local', 'state');
  const entries = keptEntries(join(folder, 'quittance', 'tokens.json'), KEPT);
  return {
    get: (address, ledger) => entries.get(keyOf(address, ledger)),
    set: (address, ledger, token) => entries.set(keyOf(address, ledger), token),
  };
}

function keyOf(address: string, ledger: string): string {
  return `${address} ${ledger}`;
}
