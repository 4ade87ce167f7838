/** Where the console lies, and the settings that its page reads. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ConsoleDoors, ConsoleLogin, ConsoleMode } from '../base/console-config.js';
import type { Site } from '../rpc/connect/site.js';
import { versionOf } from './version.js';

/** Below the address of the Connect door. */
export const CONSOLE_PATH = '/console/';

/**
 * The site that the Connect door serves; undefined where the console is off.
 * @param doors of the other processes; absent where this one answers all services
 */
export function consoleSite(
  mode: ConsoleMode,
  {
    hasAuth,
    login,
    doors,
  }: {
    readonly hasAuth: boolean;
    readonly login?: ConsoleLogin | undefined;
    readonly doors?: ConsoleDoors | undefined;
  },
): Site | undefined {
  if (mode === 'off') return undefined;
  return {
    prefix: CONSOLE_PATH,
    directory: builtConsole(),
    settings: {
      version: versionOf(),
      isReadOnly: mode === 'read-only',
      hasAuth,
      login: login ?? null,
      commandOrigin: doors?.command ?? null,
      projectorOrigin: doors?.projector ?? null,
    },
    callsTo: [
      ...new Set([...doorsOf(doors), ...(login === undefined ? [] : [new URL(login.issuer).origin])]),
    ],
  };
}

function doorsOf(doors: ConsoleDoors | undefined): readonly string[] {
  return doors === undefined ? [] : [doors.command, doors.projector];
}

/** What scripts/build-console.mjs made, seen from the sources and from what is built. */
function builtConsole(): string {
  const isSource = existsSync(fileURLToPath(new URL('../../package.json', import.meta.url)));
  return fileURLToPath(new URL(isSource ? '../../dist/console/' : '../../console/', import.meta.url));
}
