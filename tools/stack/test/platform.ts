/** The distributed platform with the history in MongoDB, in the place of services/standalone/test/platform.ts. */
import { startServicePlatform, type TestPlatform } from './service-platform.js';

export function startPlatform(options?: { readonly tracesTo?: string }): Promise<TestPlatform> {
  return startServicePlatform('mongodb', options);
}
