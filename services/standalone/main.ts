/** Entry: the whole of Quittance in one process, on the PostgreSQL that npm brings. */
const REQUIRED = [20, 12] as const;

/** Nothing else is imported before this is known: an older Node may fail on the imports with words of its own. */
function nodeIsTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < REQUIRED[0] || (major === REQUIRED[0] && minor < REQUIRED[1]);
}

if (nodeIsTooOld(process.versions.node)) {
  process.stderr.write(
    `Quittance needs Node ${REQUIRED.join('.')} or later and this is ${process.versions.node}; install it from https://nodejs.org\n`,
  );
  process.exit(1);
}

const { runStandalone } = await import('./run.js');
// Idle connections of others must not keep a process alive that has closed everything it opened.
process.exit(await runStandalone(process));
