/** A whole stack of a test's own, servers too, for what cannot be done to servers that other tests share. */
import { rmSync } from 'node:fs';
import { stackRun } from '../../../test/stack-servers.js';
import { makeRunDirectory } from '../run-directories.js';
import { type Stack, startStack, type StartOptions } from '../stack.js';
import { type Access, openAccess } from './access.js';

export interface OwnStack extends Access {
  readonly stack: Stack;
  /** Of its data. */
  readonly directory: string;
  stop(): Promise<void>;
}

/** Starts it in a directory of its own; `npm run test:stack` has installed the servers and built the services. */
export async function startOwnStack(
  scale: Pick<StartOptions, 'commands' | 'projectors' | 'queries'>,
): Promise<OwnStack> {
  const directory = makeRunDirectory(stackRun());
  const stack = await startStack({
    ...scale,
    directory,
    history: 'mongodb',
    offset: 0,
    fresh: false,
    freePorts: true,
    log: () => undefined,
  });
  const access = await openAccess(stack, { config: { connectionString: stack.engines.postgres.url } });
  return {
    ...access,
    stack,
    directory,
    stop: async () => {
      await access.close();
      await stack.stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
