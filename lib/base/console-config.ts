/** What the environment says of the operators' console. */
import { bad, choiceOf, type Environment, valueOf } from './environment.js';

/** `read-only`: the page offers nothing that changes something. What a caller may do is said by their scopes, not here. */
export const CONSOLE_MODES = ['on', 'read-only', 'off'] as const;
export type ConsoleMode = (typeof CONSOLE_MODES)[number];

export const CONSOLE_VARIABLE = 'QUITTANCE_CONSOLE';

/** @throws StartError if it is none of the modes. */
export function readConsoleMode(env: Environment): ConsoleMode {
  return choiceOf(env, CONSOLE_VARIABLE, CONSOLE_MODES, 'on');
}

export const CONSOLE_DOOR_VARIABLES = [
  'QUITTANCE_CONSOLE_COMMAND_URL',
  'QUITTANCE_CONSOLE_PROJECTOR_URL',
] as const;

/** Where browsers reach the processes that answer what the query service does not. */
export interface ConsoleDoors {
  /** Origin of a command process, such as http://localhost:8081. */
  readonly command: string;
  /** Origin of a projector. */
  readonly projector: string;
}

/** Undefined unless both are set: a page without commands and operations would be half a console. @throws StartError */
export function readConsoleDoors(env: Environment): ConsoleDoors | undefined {
  const command = originIn(env, 'QUITTANCE_CONSOLE_COMMAND_URL');
  const projector = originIn(env, 'QUITTANCE_CONSOLE_PROJECTOR_URL');
  return command === undefined || projector === undefined ? undefined : { command, projector };
}

function originIn(env: Environment, name: string): string | undefined {
  const value = valueOf(env, name);
  if (value === undefined) return undefined;
  const isOrigin = URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value);
  // It stands in the page's policy, and browsers compare it as it is.
  if (!isOrigin) throw bad(name, value, 'an origin such as http://localhost:8081, without a path');
  return value;
}
