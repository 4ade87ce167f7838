/** Entry files import this alone and statically: an older Node may fail on the other imports with words of its own. */
const REQUIRED = [20, 12] as const;

/** Ends the process with one line if this Node is too old. */
export function requireNode(host: {
  readonly versions: { readonly node: string };
  readonly stderr: { write(text: string): unknown };
  exit(code: number): unknown;
}): void {
  const [major = 0, minor = 0] = host.versions.node.split('.').map(Number);
  if (major > REQUIRED[0] || (major === REQUIRED[0] && minor >= REQUIRED[1])) return;
  host.stderr.write(
    `Quittance needs Node ${REQUIRED.join('.')} or later and this is ${host.versions.node}; install it from https://nodejs.org\n`,
  );
  host.exit(1);
}
