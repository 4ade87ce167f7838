/** What the environment says of the operators' console. */
import { choiceOf, type Environment } from './environment.js';

/** `read-only`: the page offers nothing that changes something. What a caller may do is said by their scopes, not here. */
export const CONSOLE_MODES = ['on', 'read-only', 'off'] as const;
export type ConsoleMode = (typeof CONSOLE_MODES)[number];

export const CONSOLE_VARIABLE = 'QUITTANCE_CONSOLE';

/** @throws StartError if it is none of the modes. */
export function readConsoleMode(env: Environment): ConsoleMode {
  return choiceOf(env, CONSOLE_VARIABLE, CONSOLE_MODES, 'on');
}
