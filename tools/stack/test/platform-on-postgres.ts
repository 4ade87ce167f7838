/** As platform.ts, with the history in PostgreSQL, the other choice that the configuration has: for loads without a pause. */
import { startServicePlatform, type TestPlatform } from './service-platform.js';

export function startPlatform(): Promise<TestPlatform> {
  return startServicePlatform('postgres');
}
