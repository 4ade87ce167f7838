/**
 * Resolves the names of receivers by the DNS servers of the machine. Not by getaddrinfo, as Node does by default: that takes one of
 * four threads for as long as a name's own servers please, and files and compression of the whole process wait for these threads.
 */
import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import type { LookUp } from './sender.js';

/** What is asked of a resolver: the addresses of one family, or an error with a code. */
export interface Queries {
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
}

/** One question, asked twice at most; then the attempt has failed, and is made again later. */
const QUERY = { timeout: 2_000, tries: 2 };
/** No DNS server is asked for these (RFC 6761). */
const LOCAL = /^(?:.+\.)?localhost\.?$/;
const LOCAL_ADDRESSES: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
/** The name is known to have none. */
const NO_ADDRESS: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA']);

/** A look-up of both families. Its errors have the code ENOTFOUND, or EAI_AGAIN where nothing is known. */
export function namesByDns(queries: Queries = new Resolver(QUERY)): LookUp {
  return (name, _options, found) => {
    if (LOCAL.test(name)) {
      found(null, [...LOCAL_ADDRESSES]);
      return;
    }
    void addressesOf(queries, name).then(
      (addresses) => found(null, addresses),
      (error: unknown) => found(error instanceof Error ? error : new Error(String(error)), []),
    );
  };
}

async function addressesOf(queries: Queries, name: string): Promise<LookupAddress[]> {
  const [four, six] = await Promise.allSettled([queries.resolve4(name), queries.resolve6(name)]);
  const addresses = [...ofFamily(4, four), ...ofFamily(6, six)];
  if (addresses.length > 0) return addresses;
  const isKnown = [four, six].every(
    (each) => each.status === 'fulfilled' || NO_ADDRESS.has(codeOf(each.reason)),
  );
  const code = isKnown ? 'ENOTFOUND' : 'EAI_AGAIN';
  throw Object.assign(new Error(`${name} was not resolved`), { code });
}

function ofFamily(family: 4 | 6, answer: PromiseSettledResult<string[]>): LookupAddress[] {
  return answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family })) : [];
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
