/** As platform.ts, with the history in PostgreSQL, the other choice that the configuration has: for loads without a pause. */
// Not `./platform.js`, which jest.stack.config.mjs puts this file in the place of.
import { startPlatform as start, type TestPlatform } from './platform.js';

export function startPlatform(): Promise<TestPlatform> {
  return start({ history: 'postgres' });
}
