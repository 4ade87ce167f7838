/** Loads the clients of peers, which are no packages of Quittance: `npm --prefix bench/peers ci` installs them. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { StartError } from '../../lib/base/start-error.js';

/** Seen from dist/bench/peers. */
const HERE = fileURLToPath(new URL('../../../bench/peers/package.json', import.meta.url));

/** @throws StartError where it is not installed */
export function installed(name: string): unknown {
  try {
    return createRequire(HERE)(name) as unknown;
  } catch (cause) {
    throw new StartError(`the package ${name} cannot be loaded; run npm --prefix bench/peers ci`, { cause });
  }
}
