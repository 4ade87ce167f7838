/**
 * Anchors: where a ledger's log stood when it was last proven, kept outside of the platform. A history that was rewritten as a whole,
 * hashes and all, agrees with itself; it does not agree with an anchor.
 */
import { StartError } from '../../lib/base/start-error.js';
import { hasTexts, readJsonFile } from './json-file.js';

export interface Anchor {
  readonly ledger: string;
  /** Of an event of the ledger. */
  readonly position: string;
  /** Its SHA-256, in hexadecimal digits. */
  readonly hash: string;
}

/** Reads it; undefined where there is no file yet. @throws StartError if it is none, or of another ledger */
export function readAnchor(path: string, ledger: string): Anchor | undefined {
  const anchor = readJsonFile(path, { isIt: isAnchor, what: 'anchor' });
  if (anchor === undefined || anchor.ledger === ledger) return anchor;
  throw new StartError(`${path} is an anchor of the ledger ${anchor.ledger}, not of ${ledger}`);
}

function isAnchor(stored: unknown): stored is Anchor {
  if (!hasTexts(stored, ['ledger', 'position', 'hash'])) return false;
  const { position = '', hash = '' } = stored;
  return /^\d{1,18}$/.test(position) && /^[0-9a-f]{64}$/.test(hash);
}
