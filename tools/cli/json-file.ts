/** Small JSON files that are replaced in one step: a crash leaves the old one or the new one. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { StartError } from '../../lib/base/start-error.js';

/** Reads one; undefined where there is none yet. @throws StartError if it is not what `isIt` knows */
export function readJsonFile<T>(
  path: string,
  { isIt, what }: { readonly isIt: (stored: unknown) => stored is T; readonly what: string },
): T | undefined {
  if (!existsSync(path)) return undefined;
  const stored = parsed(readFileSync(path, 'utf8'));
  if (isIt(stored)) return stored;
  throw new StartError(`${path} is no ${what}; name another file, or delete it to begin anew`);
}

/** Replaces it. */
export function writeJsonFile(path: string, value: object): void {
  const draft = `${path}.${String(process.pid)}`;
  writeFileSync(draft, `${JSON.stringify(value)}\n`);
  renameSync(draft, path);
}

/** Whether all these fields are texts. */
export function hasTexts(
  stored: unknown,
  names: readonly string[],
): stored is Readonly<Record<string, string>> {
  if (typeof stored !== 'object' || stored === null) return false;
  const fields = new Map<string, unknown>(Object.entries(stored));
  return names.every((name) => typeof fields.get(name) === 'string');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
