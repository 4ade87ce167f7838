/** Directories of the platforms that a run of the tests starts: after a run that was interrupted, their processes are stopped. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Leftovers } from './leftovers.js';

/** Names the run to the tests. */
export const RUN_VARIABLE = 'QUITTANCE_TEST_RUN';

const PREFIX = 'quittance-test-';

/** Makes a directory for one platform of a run. */
export function makeRunDirectory(run: string): string {
  return mkdtempSync(join(tmpdir(), `${PREFIX}${run}-`));
}

/** The processes of the platform in a directory, as the stack writes them down. */
export function leftoversIn(directory: string): Leftovers {
  return new Leftovers(join(directory, 'processes.json'));
}

/** Stops what platforms of a run have left running, and removes their directories. */
export async function removeRun(run: string): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(`${PREFIX}${run}-`)) continue;
    const directory = join(tmpdir(), name);
    await leftoversIn(directory).stop();
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  }
}
