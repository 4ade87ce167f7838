/**
 * DNS rebinding: a page of evil.example can make its own name point at 127.0.0.1, and is then of the same origin as this
 * server. Its requests still say `Host: evil.example`, so a name that is not ours is refused. An address is no name that
 * anybody could point elsewhere, so addresses pass: probes and load balancers call by them.
 */
import { isIP } from 'node:net';

/** Which hosts a server goes by. */
export interface HostRules {
  /** What the door is bound to: an address or a name. */
  readonly host: string;
  /** Further names, in lower case and without a port; `*` stands for all. */
  readonly allowedHosts: readonly string[];
}

/** Whether a request may name this host, as its Host header or `:authority` has it. */
export function isAllowedHost({ host, allowedHosts }: HostRules, named: string | undefined): boolean {
  // Only HTTP/1.0 leaves it out, which no browser speaks.
  if (named === undefined || allowedHosts.includes('*')) return true;
  const name = hostName(named);
  return (
    name !== undefined &&
    (isIP(name) !== 0 ||
      name === 'localhost' ||
      name.endsWith('.localhost') ||
      name === host.toLowerCase() ||
      allowedHosts.includes(name))
  );
}

/** The name without its port, brackets and final dot; undefined if it is none. */
function hostName(named: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+?)\.?)(?::\d{1,5})?$/i.exec(named);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}
