/** `buf breaking` against the contracts of the last release: an image that is committed at each release. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const RELEASED = 'proto/released.binpb';

if (existsSync(RELEASED)) {
  const { status, error } = spawnSync('buf', ['breaking', '--against', RELEASED], { stdio: 'inherit' });
  if (error) throw error;
  if (status === 0) process.stdout.write(`proto/ breaks nothing of ${RELEASED}\n`);
  process.exitCode = status ?? 1;
} else {
  process.stdout.write(
    `${RELEASED} does not exist: nothing was released yet, so nothing can be broken.\n` +
      `At the first release: npm run release:contracts.\n`,
  );
}
