/** `buf breaking` against the contracts of the last release: an image that `npm run release:contracts` writes. */
import { spawnSync } from 'node:child_process';

const RELEASED = 'proto/released.binpb';

const { status, error } = spawnSync('buf', ['breaking', '--against', RELEASED], { stdio: 'inherit' });
if (error) throw error;
if (status === 0) process.stdout.write(`proto/ breaks nothing of ${RELEASED}\n`);
process.exitCode = status ?? 1;
