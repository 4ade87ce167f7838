/**
 * Which addresses requests may go to. A webhook is a request that a caller makes this server send: without a rule it would reach what
 * only the server reaches, such as the metadata of a cloud or a database beside it.
 */
import { BlockList, isIP } from 'node:net';

/** IANA's special-purpose addresses, multicast, and what is reserved. https://www.iana.org/assignments/iana-ipv4-special-registry */
const NOT_PUBLIC_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** All that is not global unicast is not public, and neither are these: among them what carries an IPv4 address inside. */
const GLOBAL_UNICAST = '2000::/3';
const NOT_PUBLIC_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'];

const notPublicV4 = networks(NOT_PUBLIC_V4);
const globalUnicast = networks([GLOBAL_UNICAST]);
const notPublicV6 = networks(NOT_PUBLIC_V6);

/** What the operator allows. */
export interface AddressRule {
  /** Whether requests may go to the address of a host. Without TLS they go to networks that the operator named, and to no other. */
  allows(address: string, isEncrypted: boolean): boolean;
  /** Whether any network was named: http is taken then. */
  readonly hasOwn: boolean;
}

/** `own` are networks such as `10.1.0.0/16`, which are allowed besides public addresses. */
export function addressRule(own: readonly string[]): AddressRule {
  const allowed = networks(own);
  return {
    hasOwn: own.length > 0,
    allows: (address, isEncrypted) => {
      const family = isIP(address);
      // An address with a zone, such as fe80::1%eth0, belongs to a link.
      if (family === 0 || address.includes('%')) return false;
      const type = family === 4 ? 'ipv4' : 'ipv6';
      return allowed.check(address, type) || (isEncrypted && isPublic(address, type));
    },
  };
}

function isPublic(address: string, family: 'ipv4' | 'ipv6'): boolean {
  if (family === 'ipv4') return !notPublicV4.check(address, family);
  return globalUnicast.check(address, family) && !notPublicV6.check(address, family);
}

/** @throws RangeError if one is no network */
export function networks(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [, address = '', prefix = ''] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
    const family = isIP(address);
    if (family === 0) throw new RangeError(`${text} is no network`);
    list.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
