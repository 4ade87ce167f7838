/** Which version this is. */
import { readFileSync } from 'node:fs';

/** The same two levels up from the source and, below dist, from what is built: package.json is found in either. */
export function versionOf(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const read: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (typeof read === 'object' && read !== null && 'version' in read) return String(read.version);
    } catch {
      // The next place.
    }
  }
  return 'unknown';
}
