/** Addresses as people and clients write them. */

/** What "all addresses of this machine" looks like. */
const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '::0']);

/** `host:port`, with the brackets that an IPv6 address needs. */
export function addressOf(host: string, port: number | string): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

/** Where a client on this machine reaches a server that listens on `host`. */
export function localAddressOf(host: string, port: number | string): string {
  return addressOf(EVERY_ADDRESS.has(host) ? 'localhost' : host, port);
}
