/** Where the console lies, and what its page is told. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ConsoleMode } from '../base/console-config.js';
import type { Site } from '../rpc/connect/site.js';
import { versionOf } from './version.js';

/** Below the address of the Connect door. */
export const CONSOLE_PATH = '/console/';

/** Addresses of other processes, where one does not answer all services. */
export interface OtherDoors {
  /** Origin of a command process, as browsers reach it; undefined: this process answers. */
  readonly command?: string | undefined;
  /** The same of the projector. */
  readonly projector?: string | undefined;
}

/** The site that the Connect door serves; undefined where the console is off. */
export function consoleSite(
  mode: ConsoleMode,
  { hasAuth, others = {} }: { readonly hasAuth: boolean; readonly others?: OtherDoors },
): Site | undefined {
  if (mode === 'off') return undefined;
  const callsTo = [others.command, others.projector].filter((each) => each !== undefined);
  return {
    prefix: CONSOLE_PATH,
    directory: builtConsole(),
    settings: {
      version: versionOf(),
      isReadOnly: mode === 'read-only',
      hasAuth,
      commandOrigin: others.command ?? null,
      projectorOrigin: others.projector ?? null,
    },
    callsTo: [...new Set(callsTo)],
  };
}

/** What scripts/build-console.mjs made, seen from the sources and from what is built. */
function builtConsole(): string {
  const isSource = existsSync(fileURLToPath(new URL('../../package.json', import.meta.url)));
  return fileURLToPath(new URL(isSource ? '../../dist/console/' : '../../console/', import.meta.url));
}
