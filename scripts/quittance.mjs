#!/usr/bin/env node
/** The bin of the package: builds what has changed since the last time, then runs the command line. */
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/tools/cli/main.js', import.meta.url);
process.setSourceMapsEnabled(true);
await import('./build.mjs');
// A build that failed has said why; an older one still runs.
if (
  await access(fileURLToPath(main)).then(
    () => true,
    () => false,
  )
) {
  process.exitCode = 0;
  await import(main.href);
} else process.exitCode = 1;
