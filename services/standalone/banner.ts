/** What a start prints: one block that answers where it is and what to do next. */
import { localAddressOf } from '../../lib/process/address.js';
import type { Addresses } from '../../lib/process/doors.js';

/** The block of a start. */
export interface Banner {
  readonly version: string;
  /** Absolute path. */
  readonly dataDirectory: string;
  readonly addresses: Addresses;
  /** Commands to paste, the most useful first. */
  readonly next: readonly string[];
}

/** A gRPC server that was not told otherwise; `npm run demo` finds it without a flag. */
const DEFAULT_GRPC_ADDRESSES: ReadonlySet<string> = new Set(['127.0.0.1:50051', 'localhost:50051']);

/** Commands that work as pasted, on any address that the server listens on. */
export function nextCommands(host: string, addresses: Addresses): string[] {
  const port = addresses.grpc.slice(addresses.grpc.lastIndexOf(':') + 1);
  const grpc = localAddressOf(host, port);
  return [
    DEFAULT_GRPC_ADDRESSES.has(grpc) ? 'npm run demo' : `npm run demo -- --address ${grpc}`,
    `npx buf curl --http2-prior-knowledge --protocol grpc --list-methods http://${grpc}`,
  ];
}

/** The block, with an empty line before and after. */
export function bannerText(banner: Banner): string {
  const rows: readonly (readonly [string, string])[] = [
    ['data', banner.dataDirectory],
    ['gRPC', banner.addresses.grpc],
    ['Connect', banner.addresses.connect],
    ...(banner.addresses.console === undefined ? [] : [['console', banner.addresses.console] as const]),
  ];
  const lines = [
    `Quittance ${banner.version} is ready. Ctrl-C stops it.`,
    ...rows.map(([name, value]) => `  ${name.padEnd(8)} ${value}`),
    ...banner.next.map((command, index) => `  ${(index === 0 ? 'try' : '').padEnd(8)} ${command}`),
  ];
  return `\n${lines.join('\n')}\n\n`;
}
